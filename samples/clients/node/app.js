// Frontend service calling the authenticated backend.
'use strict';

const http = require('node:http');
const { GoogleAuth } = require('google-auth-library');

const BACKEND_URL = (process.env.BACKEND_URL || '').replace(/\/+$/, '');
const TIMEOUT_MS = 10000;

const auth = new GoogleAuth();
let backend = null; // made on first use; keeps its ID token until it is about to expire

function backendClient() {
  backend ??= auth.getIdTokenClient(BACKEND_URL).catch((error) => {
    backend = null; // the next request tries again
    throw error;
  });
  return backend;
}

async function callBackend(path) {
  const client = await backendClient();
  const response = await client.request({
    url: `${BACKEND_URL}${path}`,
    method: 'GET',
    timeout: TIMEOUT_MS,
  });
  return response.data;
}

async function getData() {
  try {
    return [200, { source: 'frontend', backend_data: await callBackend('/api/items') }];
  } catch (error) {
    const status = error.response ? `${error.response.status}: ` : '';
    console.error('Error calling backend:', status + error.message);
    return [502, { error: status + error.message }];
  }
}

const server = http.createServer(async (req, res) => {
  const path = req.url.split('?')[0];
  const [status, body] =
    req.method === 'GET' && path === '/api/data'
      ? await getData()
      : [404, { error: 'there is nothing at this path' }];
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(body));
});

if (!BACKEND_URL) {
  console.error('BACKEND_URL environment variable is required');
  process.exit(1);
}
const PORT = process.env.PORT || 8080;
server.listen(PORT, process.env.HOST || '0.0.0.0', () => {
  console.log(`Frontend listening on port ${server.address().port}`);
});
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
