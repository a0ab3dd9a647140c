// The list of decisions, newest first, as they come.

import { announce, byId, callerOf, h, icon, plural, shortCaller } from './dom.js';

const KEPT_MAX = 1000;
const SHOWN_MAX = 200;

const all = []; // newest first
const list = { paused: null, chosen: null, due: false, onChoose: null, unheard: { count: 0, refused: 0 } };

function filters() {
  return {
    text: byId('f-text').value.trim().toLowerCase(), caller: byId('f-caller').value,
    service: byId('f-service').value, refused: byId('f-refused').checked,
  };
}

function matches(d, f) {
  if (f.refused && d.allowed) return false;
  if (f.service && d.service !== f.service) return false;
  if (f.caller && callerOf(d) !== f.caller) return false;
  if (!f.text) return true;
  return [d.path, d.method, d.reason, d.failure, d.service, d.caller, d.explanation, d.id, d.trace,
    d.host, String(d.status)].some((t) => t && t.toLowerCase().includes(f.text));
}

function clockOf(timestamp) {
  const at = new Date(timestamp);
  return Number.isNaN(at.getTime()) ? timestamp : timestamp.slice(11, 19);
}

function keyOf(d) {
  return d.id || `${d.timestamp} ${d.trace}`;
}

function row(d) {
  const kind = d.allowed ? 'yes' : d.enforced === false ? 'audited' : 'no';
  const verdict = d.allowed ? 'allowed' : d.enforced === false ? 'would be refused' : 'refused';
  return h('li', {}, h('button', {
    type: 'button', class: `decision ${kind}`, 'data-key': keyOf(d),
    'aria-current': list.chosen === keyOf(d) ? 'true' : null, onclick: () => choose(d),
  },
  h('time', { datetime: d.timestamp, title: d.timestamp }, clockOf(d.timestamp)),
  icon(d.allowed ? 'check' : 'cross'), h('span', { class: 'hidden' }, `${verdict}, `),
  h('span', { class: 'status' }, String(d.status || '–')),
  h('span', { class: 'who' }, `${shortCaller(callerOf(d))} → ${d.service || 'no service'}`),
  h('span', { class: 'request' }, `${d.method || ''} ${d.path || ''}`),
  h('span', { class: 'reason' }, d.failure || d.reason || '')));
}

function emptyText(shown) {
  if (shown) return '';
  return all.length ? 'No decision fits the filter.' : 'Nobody has called yet.';
}

function draw() {
  const f = filters();
  const source = list.paused || all;
  const fitting = source.filter((d) => matches(d, f));
  const shown = fitting.slice(0, SHOWN_MAX);
  const focused = document.activeElement && document.activeElement.dataset
    ? document.activeElement.dataset.key : undefined;
  byId('list').replaceChildren(...shown.map(row));
  if (focused) {
    const again = [...byId('list').querySelectorAll('button')].find((b) => b.dataset.key === focused);
    if (again) again.focus({ preventScroll: true });
  }
  byId('list-empty').textContent = emptyText(shown.length);
  byId('list-empty').hidden = shown.length > 0;
  const waiting = list.paused ? all.length - list.paused.length : 0;
  byId('list-count').textContent = [
    fitting.length > shown.length ? `${shown.length} of ${fitting.length}` : plural(shown.length, 'decision'),
    waiting > 0 ? `${waiting} more since the pause` : '',
  ].filter(Boolean).join(', ');
}

// At most one drawing in 150 ms, whatever the traffic.
function drawSoon() {
  if (list.due) return;
  list.due = true;
  setTimeout(() => {
    list.due = false;
    draw();
  }, 150);
}

export function choose(d) {
  list.chosen = keyOf(d);
  for (const button of byId('list').querySelectorAll('button')) {
    if (button.dataset.key === list.chosen) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
  list.onChoose(d);
}

export function addDecision(d) {
  let place = 0;
  while (place < all.length && all[place].timestamp > d.timestamp) place++;
  all.splice(place, 0, d);
  all.length = Math.min(all.length, KEPT_MAX);
  list.unheard.count++;
  if (!d.allowed) list.unheard.refused++;
  drawSoon();
}

// After a reset, whoever asked for it.
export function forgetBefore(since) {
  const kept = all.filter((d) => d.timestamp >= since);
  if (kept.length === all.length) return;
  all.splice(0, all.length, ...kept);
  if (list.paused) list.paused = list.paused.filter((d) => d.timestamp >= since);
  draw();
}

export function filterBy(caller, service) {
  byId('f-text').value = '';
  byId('f-refused').checked = false;
  byId('f-caller').value = caller;
  byId('f-service').value = service;
  draw();
}

// Choices of a select, with the one that was chosen kept.
export function setChoices(select, choices) {
  const text = JSON.stringify(choices);
  if (select.dataset.choices === text) return;
  const value = select.value;
  select.dataset.choices = text;
  select.replaceChildren(...choices.map(([key, name]) => h('option', { value: key }, name)));
  if (choices.some(([key]) => key === value)) select.value = value;
}

function pause() {
  list.paused = list.paused ? null : [...all];
  byId('pause').setAttribute('aria-pressed', String(Boolean(list.paused)));
  byId('pause').textContent = list.paused ? 'Resume' : 'Pause';
  draw();
}

// A busy list would never let a screen reader finish: the sum, now and then.
function speak() {
  const { count, refused } = list.unheard;
  if (!count || list.paused || document.hidden) return;
  list.unheard = { count: 0, refused: 0 };
  announce(`${plural(count, 'decision')}${refused ? `, ${refused} refused` : ''}`);
}

export function startDecisions(onChoose) {
  list.onChoose = onChoose;
  byId('pause').addEventListener('click', pause);
  for (const id of ['f-text', 'f-caller', 'f-service', 'f-refused']) {
    byId(id).addEventListener('input', draw);
  }
  byId('f-clear').addEventListener('click', () => filterBy('', ''));
  setInterval(speak, 5000);
  draw();
}
