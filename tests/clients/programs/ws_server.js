// ws_server.js: WebSocket servers on a free port, by path. Prints one JSON object a line: {"port"},
// then {"event", "case", …}, case being the query's word.
//   /echo     sends back what comes, text as text and bytes as bytes
//   /greet    sends a word at once; /stream?count=N sends N numbered messages of 16 KiB
//   /ping     pings, and sends "pong PAYLOAD" when that is answered
//   /close    ends with 4001 "enough"; /drop ends without a closing handshake
//   /head     sends the handshake's head as JSON
// Of the subprotocols that are offered it takes v2.echo.
'use strict';

const http = require('http');
const { WebSocketServer } = require('ws');

const say = (object) => console.log(JSON.stringify(object));

const paths = {
  '/echo': (ws) => ws.on('message', (data, binary) => ws.send(data, { binary })),

  '/greet': (ws) => ws.send('welcome'),

  '/stream': async (ws, { query }) => {
    const filler = '.'.repeat(16384);
    for (let i = 0; i < Number(query.get('count')); i++) {
      await new Promise((resolve) => ws.send(`${i} ${filler}`, resolve));
    }
    ws.close(1000);
  },

  '/ping': (ws) => {
    ws.on('pong', (data) => ws.send(`pong ${data}`));
    ws.ping('are you there');
  },

  '/close': (ws) => ws.close(4001, 'enough'),

  '/drop': (ws) => ws.terminate(),

  '/head': (ws, { request }) => ws.send(JSON.stringify(request.headers)),
};

const server = http.createServer((request, response) => response.end(`plain ${request.url}`));
const sockets = new WebSocketServer({
  server,
  handleProtocols: (offered) => (offered.has('v2.echo') ? 'v2.echo' : false),
});

sockets.on('connection', (ws, request) => {
  const url = new URL(request.url, 'http://any');
  const name = url.searchParams.get('case');
  say({ event: 'opened', case: name });
  ws.on('close', (code, reason) => say({ event: 'closed', case: name, code, reason: `${reason}` }));
  ws.on('error', (error) => say({ event: 'failed', case: name, error: error.message }));
  paths[url.pathname](ws, { request, query: url.searchParams });
});

server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));

process.stdin.resume().on('end', () => process.exit());
