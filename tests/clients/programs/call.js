// call.js URL [AUDIENCE]: one GET with google-auth-library; prints {"status", "headers", "body"}.
'use strict';

const { GoogleAuth } = require('google-auth-library');

async function main(url, audience) {
  const options = { url, responseType: 'text', validateStatus: () => true };
  const auth = new GoogleAuth();
  const answer = audience
    ? await (await auth.getIdTokenClient(audience)).request(options)
    : await require('gaxios').request(options);
  console.log(JSON.stringify({
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: answer.data,
  }));
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
