// grpc_server.js: the Echo service on a free port, without TLS. Prints one JSON object a line:
// {"port"}, then what happens to calls: {"event", "method", "case"}, case being the caller's word.
'use strict';

const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const { peers } = grpc.loadPackageDefinition(
  loader.loadSync(path.join(__dirname, 'echo.proto'), { keepCase: true, longs: Number }));

const say = (object) => console.log(JSON.stringify(object));

// grpc-js calls every stream that closes cancelled, so it means something for calls that wait.
function begun(call, method) {
  const tell = (event) => say({ event, method, case: String(call.metadata.get('x-case')) });
  tell('begun');
  call.on('cancelled', () => tell('cancelled'));
  return tell;
}

const metadata = (call) =>
  Object.fromEntries(Object.entries(call.metadata.getMap()).map(([k, v]) => [k, String(v)]));

function trailer() {
  const trailers = new grpc.Metadata();
  trailers.set('x-trailer', 'behind the replies');
  trailers.set('x-trailer-bin', Buffer.from([0, 1, 254, 255]));
  return trailers;
}

const failure = (request) => ({
  code: request.code, details: request.details, metadata: trailer(),
});

function once(call, done) {
  const tell = begun(call, 'Once');
  const { request } = call;
  if (request.wait) return;
  if (request.code) return done(failure(request));
  done(null, { data: request.data, metadata: metadata(call) }, trailer());
  tell('answered');
}

function collect(call, done) {
  begun(call, 'Collect');
  const parts = [];
  call.on('data', ({ data }) => parts.push(data));
  call.on('end', () => done(null, {
    data: Buffer.concat(parts), index: parts.length, metadata: metadata(call),
  }, trailer()));
  call.on('error', () => {});
}

// The caller has read on, or gone.
function room(call) {
  return new Promise((resolve) => {
    const on = () => { call.off('drain', on); call.off('cancelled', on); resolve(); };
    call.on('drain', on);
    call.on('cancelled', on);
  });
}

// Writes no faster than the caller reads.
async function spread(call) {
  const tell = begun(call, 'Spread');
  const { request } = call;
  for (let index = 0; index < request.count; index++) {
    if (call.cancelled) return;
    if (!call.write({ data: request.data, index })) await room(call);
  }
  tell('written');
  if (request.wait) return;
  if (request.code) call.emit('error', failure(request));
  else call.end(trailer());
}

function talk(call) {
  begun(call, 'Talk');
  let index = 0;
  call.on('data', ({ data, code, details }) => {
    if (code) return call.emit('error', { ...failure({ code, details }) });
    return call.write({ data, index: index++ });
  });
  call.on('end', () => call.end(trailer()));
  call.on('error', () => {});
}

const server = new grpc.Server({
  'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1,
});
server.addService(peers.Echo.service, { Once: once, Collect: collect, Spread: spread, Talk: talk });
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  say({ port });
});

process.stdin.resume().on('end', () => process.exit());
