// grpc_client.js SCENARIO OPTIONS: calls the Echo service and prints what came of it as JSON.
// OPTIONS is a JSON object: target, case (a word that the server repeats), ca (a PEM file: TLS),
// token (sent as metadata), audience (a token of the metadata server, as call credentials), stay
// (keep the channel until standard input ends: the server sees the end of a call, not of it).
'use strict';

const fs = require('fs');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { GoogleAuth } = require('google-auth-library');

const { peers } = grpc.loadPackageDefinition(
  loader.loadSync(path.join(__dirname, 'echo.proto'), { keepCase: true, longs: Number }));

const [scenario, text] = process.argv.slice(2);
const options = JSON.parse(text);
const MIB = 1024 * 1024;
const NAMES = Object.fromEntries(Object.entries(grpc.status).map(([name, code]) => [code, name]));

// The token of google-auth-library, asked for anew by every call as real programs do.
async function googleCredentials(audience) {
  const client = await new GoogleAuth().getIdTokenClient(audience);
  return grpc.credentials.createFromMetadataGenerator((context, done) => {
    client.getRequestHeaders().then((headers) => {
      const metadata = new grpc.Metadata();
      metadata.set('authorization', headers.get('authorization'));
      done(null, metadata);
    }, done);
  });
}

async function connect() {
  let credentials = grpc.credentials.createInsecure();
  if (options.ca) {
    credentials = grpc.credentials.createSsl(fs.readFileSync(options.ca));
    if (options.audience) {
      credentials = grpc.credentials.combineChannelCredentials(
        credentials, await googleCredentials(options.audience));
    }
  }
  return new peers.Echo(options.target, credentials, {
    'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1,
  });
}

function metadata() {
  const sent = new grpc.Metadata();
  sent.set('x-case', options.case || 'none');
  if (options.token) sent.set('authorization', `Bearer ${options.token}`);
  return sent;
}

const readable = (map) => Object.fromEntries(Object.entries(map).map(
  ([name, value]) => [name, Buffer.isBuffer(value) ? value.toString('hex') : value]));

// How a call ended: its status's name, message and trailers.
function ended(call) {
  return new Promise((resolve) => {
    call.on('status', (status) => resolve({
      status: NAMES[status.code], details: status.details,
      trailers: readable(status.metadata.getMap()),
    }));
    call.on('error', () => {});
  });
}

async function once(client, request, more = {}) {
  let reply = null;
  const call = client.Once(request, metadata(), more, (error, value) => { reply = value || null; });
  const end = await ended(call);
  return { ...end, reply };
}

const told = ({ reply, ...end }) =>
  ({ ...end, data: reply && reply.data.toString(), metadata: reply && reply.metadata });

const scenarios = {
  async once(client) {
    return told(await once(client, { data: Buffer.from('hello') }));
  },

  async fail(client) {
    return told(await once(client, {
      code: grpc.status.ALREADY_EXISTS, details: 'there is one: é',
    }));
  },

  // All of one channel at once; what does not come back as it was sent is counted.
  async parallel(client) {
    const calls = Array.from({ length: options.count }, (_, i) => once(client, {
      data: Buffer.from(`call ${i}`),
    }));
    const ends = await Promise.all(calls);
    const right = ({ reply }, i) => reply && reply.data.toString() === `call ${i}`;
    return {
      right: ends.filter(right).length, statuses: [...new Set(ends.map(({ status }) => status))],
    };
  },

  async large(client) {
    const data = Buffer.alloc(options.size || MIB, 'a message of which nothing may be lost; ');
    const end = await once(client, { data });
    return { status: end.status, same: !!end.reply && data.equals(end.reply.data) };
  },

  async collect(client) {
    let reply = null;
    const call = client.Collect(metadata(), (error, value) => { reply = value || null; });
    const end = ended(call);
    for (let i = 0; i < options.count; i++) call.write({ data: Buffer.from(`${i},`) });
    call.end();
    return { ...await end, count: reply && reply.index, data: reply && reply.data.toString() };
  },

  async spread(client) {
    const request = {
      data: Buffer.from('x'), count: options.count, code: options.code || 0, details: 'enough',
    };
    const call = client.Spread(request, metadata());
    const seen = [];
    call.on('data', ({ index }) => seen.push(index));
    return { ...await ended(call), seen };
  },

  // Reads nothing until standard input ends; then all of it.
  async slow(client) {
    const data = Buffer.alloc(64 * 1024, 's');
    const call = client.Spread({ data, count: options.count }, metadata());
    const end = ended(call);
    let seen = 0;
    let bytes = 0;
    call.pause();
    await new Promise((resolve) => process.stdin.resume().once('end', resolve));
    call.on('data', (reply) => {
      bytes += reply.data.length;
      seen += reply.index === seen ? 1 : 0;
    });
    call.resume();
    return { ...await end, seen, bytes };
  },

  // Each message is sent when the answer to the one before is there: nothing may be held back.
  async talk(client) {
    const call = client.Talk(metadata());
    const end = ended(call);
    const seen = [];
    const send = (i) => {
      if (i < options.count) call.write({ data: Buffer.from(`word ${i}`) });
      else call.end();
    };
    call.on('data', ({ data }) => { seen.push(data.toString()); send(seen.length); });
    send(0);
    return { ...await end, seen };
  },

  // The server ends it while the caller would go on.
  async interrupted(client) {
    const call = client.Talk(metadata());
    const end = ended(call);
    call.on('data', () => call.write({ code: grpc.status.ABORTED, details: 'not in that tone' }));
    call.write({ data: Buffer.from('hey') });
    return end;
  },

  async deadline(client) {
    return told(await once(client, { wait: true }, { deadline: Date.now() + options.ms }));
  },

  // Gives up when the first reply has come.
  async cancel(client) {
    const call = client.Spread({ data: Buffer.from('x'), count: 1, wait: true }, metadata());
    call.on('data', () => call.cancel());
    return ended(call);
  },
};

connect().then(async (client) => {
  console.log(JSON.stringify(await scenarios[scenario](client)));
  if (options.stay) await new Promise((resolve) => process.stdin.resume().once('end', resolve));
  client.close();
}).catch((error) => {
  console.error(error.stack);
  process.exitCode = 1;
});
