// impersonate.js ENDPOINT TARGET URL AUDIENCE [DELEGATE...]: one GET as TARGET with an identity
// token that google-auth-library's Impersonated fetches, its source being Application Default
// Credentials. Prints {"status", "body", "accessToken", "signed", "error"}.
'use strict';

const { GoogleAuth, Impersonated } = require('google-auth-library');

async function main(endpoint, targetPrincipal, url, audience, ...delegates) {
  const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' });
  const client = new Impersonated({
    sourceClient: await auth.getClient(),
    targetPrincipal,
    delegates,
    targetScopes: ['https://www.googleapis.com/auth/cloud-platform'],
    lifetime: 3600,
    endpoint,
  });
  const result = {};
  try {
    result.accessToken = (await client.getAccessToken()).token;
    result.signed = await client.sign('some bytes');
    const token = await client.fetchIdToken(audience);
    const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
    result.status = answer.status;
    result.body = await answer.text();
  } catch (error) {
    result.error = error.message;
  }
  console.log(JSON.stringify(result));
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
