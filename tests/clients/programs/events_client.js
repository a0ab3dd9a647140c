// events_client.js SCENARIO OPTIONS: follows a stream of server-sent events; each time that one has
// come it asks for the next, so an event that is held back stops everything. Prints the events, or
// the refusal's status. Scenarios: source (the npm package eventsource on fetch), http2
// (node:http2). OPTIONS is a JSON object: origin, case, token, ca (a PEM file, for http2).
'use strict';

const fs = require('fs');
const http2 = require('http2');
const { EventSource } = require('eventsource');

const [scenario, text] = process.argv.slice(2);
const options = JSON.parse(text);
const authorization = options.token ? { authorization: `Bearer ${options.token}` } : {};
const EVENTS = `/events?case=${options.case}`;
const NEXT = `/next?case=${options.case}`;
const LAST = 3;

const scenarios = {
  source() {
    const seen = [];
    const ids = [];
    const withToken = (url, init) => fetch(url, {
      ...init, headers: { ...init.headers, ...authorization },
    });
    const source = new EventSource(options.origin + EVENTS, { fetch: withToken });
    source.addEventListener('message', async ({ data, lastEventId }) => {
      ids.push(lastEventId);
      seen.push(data);
      if (seen.length < LAST) await withToken(options.origin + NEXT, { method: 'POST' });
    });
    return new Promise((resolve) => source.addEventListener('error', ({ code }) => {
      source.close();
      resolve(seen.length ? { seen, ids } : { status: code });
    }));
  },

  http2() {
    const trust = options.ca ? { ca: fs.readFileSync(options.ca) } : {};
    const session = http2.connect(options.origin, trust);
    return new Promise((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({ ':path': EVENTS, ...authorization });
      let status;
      let body = '';
      let asked = 1;
      stream.on('response', (headers) => { status = headers[':status']; });
      stream.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
        if (events(body).length === asked && asked < LAST) {
          asked += 1;
          session.request({ ':path': NEXT, ':method': 'POST', ...authorization }).resume().end();
        }
      });
      stream.on('end', () => {
        const { alpnProtocol } = session;
        session.close();
        resolve(status === 200 ? { seen: events(body), alpn: alpnProtocol } : { status });
      });
    });
  },
};

const events = (body) => [...body.matchAll(/^data: (.*)\n\n/gm)].map((match) => match[1]);

scenarios[scenario]().then((result) => console.log(JSON.stringify(result)));
