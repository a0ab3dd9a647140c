// The dashboard: tabs, the data's coming and going, and what a choice shows.

import { follow, get, post } from './api.js';
import { addDecision, filterBy, forgetBefore, setChoices, startDecisions } from './decisions.js';
import { byId, h, plural, say } from './dom.js';
import { explain } from './explain.js';
import { drawGraph } from './graph.js';
import { drawMatrix, focusCell } from './matrix.js';
import { buildModel } from './model.js';
import { drawPropagation, imagine, startPropagation, startToken, startWhatIf,
  tickPropagation } from './tools.js';

const REFRESH_MS = 2000;
const state = { drawn: '', skew: 0, connected: null, failures: 0, back: null, due: 0 };

/* ---- tabs ---- */

const tabs = [...document.querySelectorAll('[role=tab]')];

function openTab(name, focus) {
  const wanted = tabs.find((t) => t.getAttribute('aria-controls') === name) || tabs[0];
  for (const tab of tabs) {
    const chosen = tab === wanted;
    tab.setAttribute('aria-selected', String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute('aria-controls')).hidden = !chosen;
  }
  if (focus) wanted.focus();
  // No element has such an id, so that the browser leaves scrolling and focus alone.
  const hash = wanted === tabs[0] ? '' : `#/${wanted.getAttribute('aria-controls')}`;
  if (location.hash !== hash) history.replaceState(null, '', `/${hash}`);
}

function startTabs() {
  const list = tabs[0].parentElement;
  list.addEventListener('click', (event) => {
    const tab = event.target.closest('[role=tab]');
    if (tab) openTab(tab.getAttribute('aria-controls'));
  });
  list.addEventListener('keydown', (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const here = tabs.indexOf(document.activeElement);
    const step = steps[event.key];
    const next = Number.isFinite(step) ? (here + step + tabs.length) % tabs.length
      : step < 0 ? 0 : tabs.length - 1;
    openTab(tabs[next].getAttribute('aria-controls'), true);
  });
  const fromHash = () => openTab(location.hash.slice(2));
  window.addEventListener('hashchange', () => { if (location.hash.startsWith('#/')) fromHash(); });
  fromHash();
}

/* ---- head ---- */

function connected(is) {
  if (state.connected === is) return;
  const before = state.connected;
  state.connected = is;
  const chip = byId('connection');
  chip.textContent = is ? 'live' : 'connection lost';
  chip.className = `chip ${is ? 'good' : 'bad'}`;
  if (before === false && is) say('Connected again.');
}

function drawHead(status, topology) {
  const { project } = topology;
  byId('about').textContent = `${project.id} · ${project.region} · ${project.file}`;
  byId('state').hidden = false;
  const kept = status.state && status.durable;
  byId('state').textContent = kept ? 'state kept' : 'state ephemeral';
  byId('state').title = kept ? `What APIs change is kept in ${status.state}`
    : 'What APIs change is forgotten when the gateway ends';
  const audit = (topology.emulation.mode || status.mode) === 'audit';
  byId('audit').hidden = !audit;
  const text = 'Audit mode: nothing is enforced. Calls that production would refuse are let through.';
  if (audit && byId('audit').textContent !== text) byId('audit').textContent = text;
}

function startTheme() {
  const themes = ['system', 'light', 'dark'];
  const button = byId('theme');
  const set = (theme) => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    button.dataset.value = theme;
  };
  let saved = null;
  try {
    saved = localStorage.getItem('theme');
  } catch { /* not allowed to: the system's, then */ }
  set(themes.includes(saved) ? saved : 'system');
  button.addEventListener('click', () => {
    const next = themes[(themes.indexOf(button.dataset.value) + 1) % themes.length];
    set(next);
    try {
      localStorage.setItem('theme', next);
    } catch { /* as above */ }
  });
}

function startReset(refresh) {
  const dialog = byId('confirm');
  byId('reset').addEventListener('click', () => dialog.showModal());
  byId('confirm-no').addEventListener('click', () => dialog.close());
  byId('confirm-yes').addEventListener('click', async () => {
    dialog.close();
    try {
      await post('/reset', {});
      say('Back to the topology as it was loaded.');
    } catch (error) {
      say(error.message);
    }
    refresh();
  });
}

/* ---- traffic ---- */

function showExplanation(from) {
  state.back = from;
  const heading = byId('explanation-title');
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: 'nearest' });
}

function whatIfButton(d) {
  return h('button', {
    type: 'button', class: 'quiet', onclick: () => {
      openTab('whatif');
      imagine(d);
    },
  }, 'Try variations');
}

function onDecisionChosen(d) {
  const from = document.activeElement;
  explain(byId('explanation'), d, { button: whatIfButton(d) });
  showExplanation(() => from && from.isConnected && from.focus());
}

async function onCell(cell) {
  const { key } = cell.caller;
  filterBy(key, cell.service.name);
  const box = byId('explanation');
  const counts = [plural(cell.passed, 'call passed', 'calls passed'),
    plural(cell.refused, 'call refused', 'calls refused')].join(', ');
  if (key === 'unverified') {
    box.replaceChildren(h('p', { class: 'who' }, `unverified → ${cell.service.name}`),
      h('p', {}, `Calls with a token that did not prove whose they are: ${counts}. `
        + 'The decisions tell what was wrong with each.'));
    showExplanation(focusCell);
    return;
  }
  const question = { to: cell.service.name, internal: true };
  if (key === 'anonymous') question.anonymous = true;
  else question.as = key;
  try {
    const d = await post('/invoker/v1/why', question);
    explain(box, d, { note: `A flawless call from inside. So far: ${counts}.`,
      button: whatIfButton({ ...d, caller: key }) });
  } catch (error) {
    box.replaceChildren(h('p', { class: 'verdict no' }, error.message));
  }
  showExplanation(focusCell);
}

function drawTiles({ totals, services, callers }) {
  const tiles = [
    ['Calls judged', totals.requests, ''],
    ['Refused', totals.refused, totals.refused ? 'bad' : ''],
    ['Grants in force', totals.granted, ''],
    ['Never used', totals.unused, totals.unused ? 'warn' : ''],
    ['Services', services.length, ''],
    ['Callers', callers.length, ''],
  ];
  byId('tiles').replaceChildren(...tiles.map(([name, value, kind]) => h('div', { class: `tile ${kind}` },
    h('dt', {}, name), h('dd', {}, value.toLocaleString('en')))));
}

function drawChoices(model) {
  const services = model.services.map((s) => [s.name, s.name]);
  setChoices(byId('f-service'), [['', 'all'], ...services]);
  setChoices(byId('f-caller'), [['', 'all'], ...model.callers.map((c) => [c.key, c.name])]);
  setChoices(byId('w-to'), services);
  setChoices(byId('w-callers'), model.callers.map((c) => [c.key, c.name]));
  setChoices(byId('w-fault'), [['', 'in order'],
    ...model.topology.faults.map((f) => [f.name, `${f.name}: ${f.meaning}`])]);
}

async function refresh() {
  clearTimeout(state.due);
  try {
    const [status, topology, traffic] = await Promise.all([
      get('/invoker/v1/status'), get('/invoker/v1/topology'), get('/invoker/v1/traffic')]);
    state.failures = 0;
    state.skew = Date.parse(topology.now) - Date.now();
    drawHead(status, topology);
    forgetBefore(traffic.since);
    drawPropagation(topology, state.skew);
    const text = JSON.stringify([{ ...topology, now: 0, pending: 0 }, traffic.cells]);
    if (text !== state.drawn) {
      state.drawn = text;
      const model = buildModel(topology, traffic);
      drawTiles(model);
      drawChoices(model);
      drawGraph(model, { onCell, onService: (name) => filterBy('', name) });
      drawMatrix(model, onCell);
    }
    connected(true);
  } catch (error) {
    state.failures++;
    if (state.failures > 1) connected(false);
    if (!state.drawn) byId('graph').replaceChildren(h('p', { class: 'dim' }, error.message));
  }
  clearTimeout(state.due);
  state.due = setTimeout(refreshIfSeen, REFRESH_MS);
}

function refreshIfSeen() {
  if (document.hidden) state.due = setTimeout(refreshIfSeen, REFRESH_MS);
  else refresh();
}

/* ---- start ---- */

function tick() {
  byId('clock').textContent = new Date(Date.now() + state.skew).toISOString().slice(11, 19);
  tickPropagation();
}

function start() {
  startTheme();
  startTabs();
  startDecisions(onDecisionChosen);
  startToken();
  startPropagation(refresh);
  startReset(refresh);
  startWhatIf();
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && byId('traffic').querySelector('.explanation').contains(document.activeElement)
      && state.back) state.back();
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
  follow({ onDecision: addDecision, onState: connected });
  refresh();
  tick();
  setInterval(tick, 1000);
}

start();
