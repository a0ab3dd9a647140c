// ws_client.js SCENARIO OPTIONS: opens a WebSocket and prints what came of it as JSON. OPTIONS is a
// JSON object: url, token, ca (a PEM file), protocols, and what the scenario needs.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const WebSocket = require('ws');

const [scenario, text] = process.argv.slice(2);
const options = JSON.parse(text);
const MIB = 1024 * 1024;

function open() {
  const more = { headers: {} };
  if (options.token) more.headers.authorization = `Bearer ${options.token}`;
  if (options.ca) more.ca = fs.readFileSync(options.ca);
  return new WebSocket(options.url, options.protocols || [], more);
}

// How the socket ended: refused (the page), closed (code and reason), or failed.
function ended(ws) {
  return new Promise((resolve) => {
    ws.on('unexpected-response', (request, response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({
        status: response.statusCode, headers: response.headers, body: `${Buffer.concat(chunks)}`,
      }));
    });
    ws.on('close', (code, reason) => resolve({ code, reason: `${reason}` }));
    ws.on('error', (error) => resolve({ error: error.message }));
  });
}

const opened = (ws) => new Promise((resolve) => ws.once('open', resolve));
const message = (ws) => new Promise((resolve) => ws.once('message', (data, binary) =>
  resolve({ data, binary })));

async function echoed(ws, data) {
  const answer = message(ws);
  ws.send(data);
  const got = await answer;
  return Buffer.compare(Buffer.from(data), got.data) === 0 && got.binary === Buffer.isBuffer(data);
}

const scenarios = {
  // Waits for the end, whatever it is; messages that came before it are told.
  async wait(ws) {
    const seen = [];
    ws.on('message', (data) => seen.push(`${data}`));
    return { ...await ended(ws), seen };
  },

  async echo(ws) {
    const end = ended(ws);
    await opened(ws);
    const same = {
      text: await echoed(ws, 'grüße'),
      empty: await echoed(ws, ''),
      bytes: await echoed(ws, Buffer.from([0, 255, 128, 10, 13])),
      large: await echoed(ws, crypto.randomBytes(MIB)),
      fragments: await fragments(ws),
    };
    ws.close(4000, 'done');
    return { same, protocol: ws.protocol, ...await end };
  },

  async ping(ws) {
    const end = ended(ws);
    await opened(ws);
    const pong = new Promise((resolve) => ws.once('pong', (data) => resolve(`${data}`)));
    const told = message(ws);
    ws.ping('here');
    const result = { pong: await pong, told: `${(await told).data}` };
    ws.close();
    return { ...result, ...await end };
  },

  async many(ws) {
    const end = ended(ws);
    let seen = 0;
    ws.on('message', (data) => { seen += `${data}`.startsWith(`${seen} `) ? 1 : 0; });
    return { ...await end, seen };
  },

  // Leaves without a closing handshake when the first message is there.
  async leave(ws) {
    const end = ended(ws);
    await message(ws);
    ws.terminate();
    return end;
  },

  // Stays until standard input ends; then everything must still work.
  async stay(ws) {
    const end = ended(ws);
    await opened(ws);
    console.log(JSON.stringify({ event: 'open' }));
    await new Promise((resolve) => process.stdin.resume().once('end', resolve));
    const same = await echoed(ws, 'still there');
    ws.close(1000);
    return { same, ...await end };
  },
};

async function fragments(ws) {
  const answer = message(ws);
  ws.send('in ', { fin: false });
  ws.send('two', { fin: true });
  return `${(await answer).data}` === 'in two';
}

scenarios[scenario](open()).then((result) => {
  console.log(JSON.stringify(result));
  process.exit(0);
});
