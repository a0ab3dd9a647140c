// What if, token inspector, propagation.

import { post } from './api.js';
import { byId, h, icon, plural, say, seconds, snippet } from './dom.js';
import { explain } from './explain.js';

function problem(box, error) {
  box.replaceChildren(h('p', { class: 'verdict no' }, icon('cross'),
    h('span', { class: 'words' }, error.message)));
}

/* ---- what if ---- */

// Only what is filled in is sent.
function question() {
  const ask = { to: byId('w-to').value };
  const caller = byId('w-as').value.trim();
  if (caller && caller !== 'anonymous') ask.as = caller;
  else ask.anonymous = true;
  for (const name of ['path', 'audience', 'host']) {
    const text = byId(`w-${name}`).value.trim();
    if (text) ask[name] = text;
  }
  if (byId('w-header').value === 'serverless') ask.header = 'serverless';
  if (byId('w-fault').value) ask[byId('w-fault').value] = true;
  if (byId('w-internal').checked) ask.internal = true;
  const at = byId('w-at').value;
  if (at) ask.at = `${at.length === 16 ? `${at}:00` : at}Z`;
  return ask;
}

async function judge(event) {
  event.preventDefault();
  const box = byId('verdict');
  try {
    explain(box, await post('/invoker/v1/why', question()));
  } catch (error) {
    problem(box, error);
  }
}

// Fills in the form with a call that was made, or a cell.
export function imagine(d) {
  byId('whatif-form').reset();
  byId('w-as').value = (d.caller || 'anonymous').split(' ')[0];
  if (d.service) byId('w-to').value = d.service;
  if (d.path && d.path !== '/') byId('w-path').value = d.path;
  byId('w-as').focus();
}

export function startWhatIf() {
  byId('whatif-form').addEventListener('submit', judge);
}

/* ---- token ---- */

const TIMES = new Set(['iat', 'exp', 'nbf', 'auth_time']);

function claimRow([name, value]) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const when = TIMES.has(name) && typeof value === 'number' && Math.abs(value) < 1e11
    ? new Date(value * 1000).toISOString().replace('.000', '') : '';
  return h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, text),
    h('td', { class: 'dim' }, when));
}

function part(title, object) {
  if (object === null || object === undefined) return null;
  const rows = typeof object === 'object' && !Array.isArray(object)
    ? Object.entries(object) : [['value', object]];
  return [h('h3', {}, title), h('div', { class: 'scroll' }, h('table', { class: 'claims' },
    h('caption', { class: 'hidden' }, title),
    h('thead', { class: 'hidden' }, h('tr', {}, ['name', 'value', 'time']
      .map((t) => h('th', { scope: 'col' }, t)))),
    h('tbody', {}, rows.map(claimRow))))];
}

function serviceRow(s) {
  const ok = s.open || (s.accepts_audience && s.may_invoke);
  const words = s.open ? 'open to everybody'
    : `${s.accepts_audience ? 'audience accepted' : `wants the audience ${s.url}`}; ${s.may_invoke
      ? 'may invoke' : `may not invoke (${s.reason})`}`;
  return h('li', { class: ok ? 'pass' : 'fail' }, icon(ok ? 'check' : 'cross'),
    h('div', {}, h('span', { class: 'name' }, s.name), ' ', h('span', { class: 'result' }, words),
      s.fix ? snippet(`For ${s.name}`, s.fix) : null));
}

function showToken(box, t) {
  const words = { id_token: 'Google ID token', access_token: 'OAuth access token (opaque)' };
  box.replaceChildren(...[
    h('p', { class: 'who' }, words[t.kind] || t.kind.replaceAll('_', ' '),
      t.principal ? ` of ${t.principal}` : ''),
    h('p', { class: `verdict ${t.valid ? 'yes' : 'no'}` }, icon(t.valid ? 'check' : 'cross'),
      h('strong', {}, t.valid ? 'Valid' : 'Not valid'), h('code', {}, t.reason),
      h('span', {}, t.confirmed ? 'signature confirmed by the gateway’s keys' : 'signature not confirmed')),
    t.cause ? h('p', { class: 'cause' }, t.cause) : null,
    t.detail ? h('p', { class: 'dim' }, t.detail) : null,
    snippet('In production', t.fix),
    t.services && t.services.length ? h('section', { class: 'services' },
      h('h3', {}, 'What each service makes of it'), h('ol', {}, t.services.map(serviceRow))) : null,
    part('Claims', t.claims), part('Header', t.header)].flat().filter(Boolean));
}

export function startToken() {
  const box = byId('inspected');
  const nothing = () => box.replaceChildren(h('p', { class: 'dim' }, 'Paste a token.'));
  byId('token-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      showToken(box, await post('/invoker/v1/inspect', { token: byId('token-text').value }));
    } catch (error) {
      problem(box, error);
    }
  });
  byId('token-clear').addEventListener('click', () => {
    byId('token-text').value = '';
    nothing();
    byId('token-text').focus();
  });
}

/* ---- propagation ---- */

const shown = { pending: [], skew: 0 };

function about(emulation) {
  const { delayed, propagation: p } = emulation;
  if (!delayed) {
    return 'Changes of policies take effect at once. With emulation: { propagation_delay: 60s } in '
      + 'the topology they take their time, as in production.';
  }
  const range = p.min_s === p.max_s ? seconds(p.max_s) : `${p.min_s} to ${p.max_s} s`;
  return `A grant or revocation takes effect after ${range}`
    + `${p.flapping ? '; meanwhile it counts at some moments and not at others' : ''}.`;
}

function left(p) {
  return Math.ceil((Date.parse(p.takes_effect) - (Date.now() + shown.skew)) / 1000);
}

function pendingRow(p) {
  return h('tr', {},
    h('td', {}, h('span', { class: `tag ${p.change}` }, p.change)),
    h('th', { scope: 'row' }, p.member), h('td', {}, p.role), h('td', {}, p.on),
    h('td', { class: 'mono' }, p.at || ''),
    h('td', {}, h('time', { datetime: p.takes_effect, 'data-due': p.takes_effect },
      `in ${seconds(left(p))}`)));
}

export function drawPropagation(topology, skew) {
  shown.pending = topology.pending;
  shown.skew = skew;
  byId('propagation-about').textContent = about(topology.emulation);
  byId('propagate').hidden = !topology.emulation.delayed;
  byId('propagate').disabled = shown.pending.length === 0;
  byId('pending-count').hidden = shown.pending.length === 0;
  byId('pending-count').textContent = String(shown.pending.length);
  if (!shown.pending.length) {
    byId('pending').replaceChildren(h('p', {}, 'Nothing is on its way.'));
    return;
  }
  byId('pending').replaceChildren(h('table', { class: 'plain' },
    h('caption', { class: 'hidden' }, 'Grants and revocations that do not count everywhere yet'),
    h('thead', {}, h('tr', {}, ['Change', 'Member', 'Role', 'On', 'At', 'Takes effect']
      .map((t) => h('th', { scope: 'col' }, t)))),
    h('tbody', {}, shown.pending.map(pendingRow))));
}

export function tickPropagation() {
  for (const time of byId('pending').querySelectorAll('time')) {
    const s = left({ takes_effect: time.dataset.due });
    time.textContent = s > 0 ? `in ${seconds(s)}` : 'now';
  }
}

export function startPropagation(refresh) {
  byId('propagate').addEventListener('click', async () => {
    const count = shown.pending.length;
    try {
      await post('/invoker/v1/propagate', {});
      say(`${plural(count, 'change')} took effect.`);
    } catch (error) {
      say(error.message);
    }
    refresh();
  });
}
