// One decision in full: verdict, cause, each check with what was compared, and what mends it. The
// same for calls that were made and for those that are made up.

import { callerOf, h, icon, shortCaller, snippet } from './dom.js';

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

// As whom the caller came, where nothing proved it.
function claimed(d) {
  const email = d.facts && d.facts.claims && d.facts.claims.email;
  return email ? `not proved; the token says ${email}` : 'not proved';
}

// Is it not in the explanation already?
function news(binding, d) {
  return binding && !(binding.at && (d.explanation || '').includes(binding.at));
}

function facts(d) {
  const time = d.timestamp ? h('time', { datetime: d.timestamp }, d.timestamp) : null;
  return h('dl', { class: 'facts' },
    pair('Caller', d.caller || (d.header ? claimed(d) : 'anonymous')),
    pair('Service', d.service),
    pair('Request', d.path ? `${d.method ? `${d.method} ` : ''}${d.path}` : null),
    pair('Host', d.host),
    pair('Credential', d.header),
    pair('Time', time),
    pair('Took', d.latency_us === undefined ? null : `${(d.latency_us / 1000).toFixed(1)} ms`),
    pair('Trace', d.trace ? h('span', { class: 'mono' }, d.trace) : null),
    pair('Decision', d.id ? h('span', { class: 'mono' }, d.id) : null));
}

// A hint goes with the values that it is about.
function checkRow(check) {
  const hint = check.hint ? h('span', { class: 'hint' }, check.hint) : null;
  return h('tr', { class: check.result.replace(' ', '-') },
    h('th', { scope: 'row' }, h('span', {}, icon(MARKS[check.result] || 'dash'), check.check,
      h('span', { class: 'hidden' }, `: ${check.result}`))),
    h('td', {}, check.wanted || ''), h('td', {}, check.got || '', hint));
}

function checks(d) {
  if (!d.checks || !d.checks.length) return null;
  const reached = d.checks.filter((c) => c.result !== 'not reached');
  const rest = d.checks.filter((c) => c.result === 'not reached');
  return h('section', { class: 'checks' },
    h('table', {}, h('caption', {}, 'Checks, in their order'),
      h('thead', {}, h('tr', {}, ['Check', 'Wanted', 'Got'].map((t) => h('th', { scope: 'col' }, t)))),
      h('tbody', {}, reached.map(checkRow))),
    rest.length ? h('p', { class: 'dim small' },
      `Not reached: ${rest.map((c) => c.check).join(', ')}.`) : null);
}

function learnMore(url) {
  if (!url || !url.startsWith('https://')) return null;
  return h('p', {}, h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' },
    'Learn more in Google\u2019s documentation'));
}

export function title(d) {
  return `${shortCaller(callerOf(d))} → ${d.service || 'no service'}`;
}

// more.note is a sentence, more.button what one may do with it.
export function explain(box, d, more = {}) {
  box.replaceChildren(...[
    h('div', { class: 'row' }, h('p', { class: 'who' }, title(d)), more.button || null),
    verdict(d),
    more.note ? h('p', { class: 'dim' }, more.note) : null,
    d.explanation ? h('p', { class: 'cause' }, d.explanation) : null,
    news(d.binding, d) ? h('p', { class: 'binding' }, bindingText(d.binding)) : null,
    news(d.nearest, d) ? h('p', { class: 'binding' }, 'Closest: ', bindingText(d.nearest)) : null,
    snippet('In production', d.fix),
    snippet('Terraform', d.terraform),
    snippet('Here', d.local_fix),
    learnMore(d.learn_more),
    checks(d),
    facts(d)].filter(Boolean));
}
