// Does google-auth-library find a metadata server, and whose tokens does it get there?
// argv: an audience.
const {GoogleAuth} = require('google-auth-library');

async function find(audience) {
  const client = await new GoogleAuth().getIdTokenClient(audience);
  const token = await client.idTokenProvider.fetchIdToken(audience);
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).email;
}

find(process.argv[2]).then(
    (email) => console.log(JSON.stringify({found: true, as: email})),
    (e) => console.log(JSON.stringify({found: false, why: String(e)})));
