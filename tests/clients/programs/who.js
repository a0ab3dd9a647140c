// who.js: what gcp-metadata and Application Default Credentials find.
'use strict';

const metadata = require('gcp-metadata');
const { GoogleAuth } = require('google-auth-library');

async function main() {
  const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' });
  console.log(JSON.stringify({
    available: await metadata.isAvailable(),
    project: await metadata.project('project-id'),
    number: String(await metadata.project('numeric-project-id')),
    region: await metadata.instance('region'),
    email: await metadata.instance('service-accounts/default/email'),
    universe: await metadata.universe('universe-domain'),
    adcProject: await auth.getProjectId(),
    adcToken: Boolean(await auth.getAccessToken()),
    environment: await auth.getEnv(),
  }));
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
