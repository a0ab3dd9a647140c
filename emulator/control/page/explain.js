// One decision in full: verdict, cause, each check with what was compared, and what mends it. The
// same for calls that were made and for those that are made up.

import { h, icon, shortCaller, snippet } from './dom.js';

const MARKS = { pass: 'check', fail: 'cross', no: 'dash', 'not reached': 'dash' };

function pair(name, value) {
  return value === undefined || value === null || value === '' ? null
    : h('div', {}, h('dt', {}, name), h('dd', {}, value));
}

function verdict(d) {
  const audited = !d.allowed && d.enforced === false;
  const words = d.allowed ? 'Allowed' : audited ? 'Would be refused' : 'Refused';
  return h('p', { class: `verdict ${d.allowed ? 'yes' : audited ? 'audited' : 'no'}` },
    icon(d.allowed ? 'check' : 'cross'), h('strong', {}, words),
    !d.allowed && d.status ? h('span', {}, String(d.status)) : null,
    h('code', {}, d.reason || d.failure || 'not judged'),
    audited ? h('span', {}, 'audit mode let it through') : null);
}

function bindingText(b) {
  return `${b.member} holds ${b.role} on ${b.on}${b.at ? ` (${b.at})` : ''}`;
}

function facts(d) {
  const time = d.timestamp ? h('time', { datetime: d.timestamp }, d.timestamp) : null;
  return h('dl', { class: 'facts' },
    pair('Caller', d.caller || (d.header ? 'not proved' : 'anonymous')),
    pair('Service', d.service),
    pair('Request', d.path ? `${d.method ? `${d.method} ` : ''}${d.path}` : null),
    pair('Host', d.host),
    pair('Credential', d.header),
    pair('Time', time),
    pair('Took', d.latency_us === undefined ? null : `${(d.latency_us / 1000).toFixed(1)} ms`),
    pair('Trace', d.trace ? h('span', { class: 'mono' }, d.trace) : null),
    pair('Decision', d.id ? h('span', { class: 'mono' }, d.id) : null));
}

function compared(check) {
  const rows = [['wanted', check.wanted], ['got', check.got]].filter(([, value]) => value);
  return [rows.length ? h('dl', { class: 'compared' }, rows.map(([name, value]) => h('div', {},
    h('dt', {}, name), h('dd', {}, value)))) : null,
  check.hint ? h('p', { class: 'hint' }, check.hint) : null];
}

function checkItem(check) {
  return h('li', { class: check.result.replace(' ', '-') },
    icon(MARKS[check.result] || 'dash'),
    h('div', {}, h('span', { class: 'name' }, check.check),
      h('span', { class: 'result' }, check.result), compared(check)));
}

// What was never reached says little: it is folded.
function checks(d) {
  if (!d.checks || !d.checks.length) return null;
  const reached = d.checks.filter((c) => c.result !== 'not reached');
  const rest = d.checks.filter((c) => c.result === 'not reached');
  return h('section', { class: 'checks' }, h('h3', {}, 'Checks, in their order'),
    h('ol', {}, reached.map(checkItem)),
    rest.length ? h('p', { class: 'dim small' },
      `Not reached: ${rest.map((c) => c.check).join(', ')}.`) : null);
}

function learnMore(url) {
  if (!url || !url.startsWith('https://')) return null;
  return h('p', {}, h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' },
    'Learn more in Google\u2019s documentation'));
}

export function title(d) {
  const who = d.caller ? shortCaller(d.caller) : d.header ? 'somebody' : 'anonymous';
  return `${who} → ${d.service || 'no service'}`;
}

// extra: elements that go under the verdict (links, counts).
export function explain(box, d, ...extra) {
  box.replaceChildren(...[
    h('p', { class: 'who' }, title(d)),
    verdict(d),
    ...extra,
    d.explanation ? h('p', { class: 'cause' }, d.explanation) : null,
    d.binding ? h('p', { class: 'binding' }, bindingText(d.binding)) : null,
    d.nearest ? h('p', { class: 'binding' }, 'Closest: ', bindingText(d.nearest)) : null,
    snippet('In production', d.fix),
    snippet('Terraform', d.terraform),
    snippet('Here', d.local_fix),
    learnMore(d.learn_more),
    checks(d),
    facts(d)].filter(Boolean));
}
