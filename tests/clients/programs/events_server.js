// events_server.js: streams of server-sent events on a free port, which it prints as {"port"}. GET
// /events?case=WORD sends event 1, the next one whenever POST /next?case=WORD comes (204), and ends
// behind the third.
'use strict';

const http = require('http');

const streams = new Map();

function begin(response, name) {
  const stream = { count: 0, response };
  streams.set(name, stream);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  send(stream);
}

function send(stream) {
  stream.count += 1;
  stream.response.write(`id: ${stream.count}\ndata: event ${stream.count}\n\n`);
  if (stream.count === 3) stream.response.end();
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://any');
  const name = url.searchParams.get('case');
  if (url.pathname === '/events') return begin(response, name);
  send(streams.get(name));
  response.writeHead(204);
  return response.end();
});

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port }));
});

process.stdin.resume().on('end', () => process.exit());
