// The matrix as a table. Its cells are buttons, of which one is in the tab order; arrow keys move.

import { byId, h, icon, plural } from './dom.js';

// How a cell looks: [kind, icon, word].
function lookOf(cell) {
  if (cell.unknown) return cell.refused ? ['denied', 'cross', ''] : ['none', 'dash', ''];
  if (cell.everybody) return ['open', 'open', cell.note || 'public'];
  if (cell.allowed) return cell.unused ? ['unused', 'check', 'granted'] : ['granted', 'check', 'granted'];
  if (cell.reason === 'not_propagated') return ['waiting', 'clock', cell.note];
  if (cell.note) return ['denied', 'cross', cell.note];
  return cell.refused ? ['denied', 'cross', 'no grant'] : ['none', 'dash', 'no grant'];
}

// The topology's own file goes without saying.
function fileAndLine(at, file) {
  const match = /^(.*?):(\d+)(:\d+)?$/.exec(at || '');
  if (!match) return at && at.startsWith('set by') ? 'by API' : '';
  return match[1] === file ? `line ${match[2]}` : `${match[1].split('/').pop()}:${match[2]}`;
}

function bindingOf(cell) {
  const b = cell.binding;
  return b ? `${b.member} holds ${b.role} on ${b.on}${b.at ? `, ${b.at}` : ''}` : '';
}

// What is seen is part of the button's name; the rest of the name is for those who hear it.
function cellButton(cell, file, onCell) {
  const [kind, name, word] = lookOf(cell);
  const where = cell.everybody ? '' : fileAndLine((cell.binding || cell.missed || {}).at, file);
  const granted = kind === 'granted' || kind === 'unused';
  const shown = kind === 'none' ? '' : (granted && where) || word;
  const unseen = (text) => (text ? h('span', { class: 'hidden' }, text) : null);
  const count = (n, what) => (n ? h('span', { class: what }, h('b', {}, n.toLocaleString('en')),
    ` ${what} `) : null);
  return h('button', {
    type: 'button', tabindex: '-1', class: `cell ${kind}`, title: bindingOf(cell),
    onclick: () => onCell(cell),
  },
  icon(name), unseen(`${cell.caller.name} to ${cell.service.name}: ${shown === word ? '' : word} `),
  h('span', { class: 'what' }, shown), ' ',
  h('span', { class: 'counts' }, count(cell.passed, 'passed'), count(cell.refused, 'refused'),
    cell.unused ? h('span', { class: 'unused' }, 'unused ') : null));
}

// Which cell has the focus survives the table's being drawn anew.
const at = { row: 0, column: 0 };

function buttons() {
  return [...byId('matrix').querySelectorAll('tbody tr')]
    .map((row) => [...row.querySelectorAll('button')]);
}

function goTo(row, column, focus) {
  const all = buttons();
  if (!all.length || !all[0].length) return;
  at.row = Math.max(0, Math.min(row, all.length - 1));
  at.column = Math.max(0, Math.min(column, all[0].length - 1));
  all.flat().forEach((b) => { b.tabIndex = -1; });
  const here = all[at.row][at.column];
  here.tabIndex = 0;
  if (focus) here.focus();
}

function onKey(event) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    Home: [0, -Infinity], End: [0, Infinity] };
  const step = steps[event.key];
  if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  goTo(at.row + step[0], at.column + step[1], true);
}

export function focusCell() {
  goTo(at.row, at.column, true);
}

export function drawMatrix(model, onCell) {
  const box = byId('matrix');
  const focused = box.contains(document.activeElement);
  const choose = (cell) => {
    at.row = model.callers.indexOf(cell.caller);
    at.column = model.services.indexOf(cell.service);
    onCell(cell);
  };
  const { file } = model.topology.project;
  const rows = model.callers.map((caller) => h('tr', {},
    h('th', { scope: 'row', title: caller.email || 'without a token' }, h('span', {}, caller.name)),
    caller.row.map((cell) => h('td', {}, cellButton(cell, file, choose)))));
  const table = h('table', { class: 'matrix', 'aria-describedby': 'matrix-help' },
    h('caption', { class: 'hidden' }, 'Who may invoke what, with the calls so far'),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Caller'),
      model.services.map((s) => h('th', { scope: 'col', title: s.url }, s.name)))),
    h('tbody', { onkeydown: onKey }, rows));
  box.replaceChildren(table);
  if (model.topology.callers_left_out) {
    box.append(h('p', { class: 'dim small' },
      `${plural(model.topology.callers_left_out, 'more caller')} not shown.`));
  }
  goTo(at.row, at.column, focused);
}
