// The topology as a graph: who may call whom, who did, and who was refused.

import { arrange } from './layout.js';
import { byId, h, plural, shortCaller, svg } from './dom.js';

const ANYONE = 'anonymous';

// Callers that are services are one node with them; everybody else stands outside.
function nodesOf(model) {
  const nodes = model.services.map((s) => ({
    id: `service ${s.name}`, title: s.name, sub: shortCaller(s.account), service: s,
  }));
  const used = new Set(model.cells.filter((c) => c.calls || (c.allowed && !c.everybody))
    .map((c) => c.caller.key));
  for (const caller of model.callers) {
    const open = caller.key === ANYONE && model.services.some((s) => s.open);
    if (caller.runs.length || !(used.has(caller.key) || open)) continue;
    nodes.push({ id: `caller ${caller.key}`, title: caller.key === ANYONE ? 'anyone' : caller.name,
      sub: caller.key === ANYONE ? 'without a token'
        : caller.key === 'unverified' ? 'by their token' : caller.kind, outside: true, caller });
  }
  return nodes;
}

function edgesOf(model, nodes) {
  const there = new Set(nodes.map((n) => n.id));
  const edges = [];
  for (const cell of model.cells) {
    const to = `service ${cell.service.name}`;
    const everybody = cell.everybody && cell.caller.key !== ANYONE;
    const sources = cell.caller.runs.length
      ? cell.caller.runs.map((name) => `service ${name}`) : [`caller ${cell.caller.key}`];
    for (const from of sources.filter((id) => there.has(id))) {
      if ((cell.allowed && !everybody) || cell.passed) {
        edges.push({ from, to, cell, count: cell.passed, shapes: true,
          kind: cell.passed ? 'used' : 'granted' });
      }
      if (cell.refused) edges.push({ from, to, cell, count: cell.refused, kind: 'refused' });
    }
  }
  return edges;
}

function cut(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function drawNode(n, onService) {
  const [x, y] = [n.x - n.w / 2, n.y - n.h / 2];
  const kind = n.outside ? 'outside' : n.service.open ? 'public' : 'private';
  return svg('g', { class: `node ${kind}`, onclick: n.service && (() => onService(n.service.name)) },
    svg('title', {}, n.service ? `${n.title}, runs as ${n.service.account}` : n.title),
    svg('rect', { x, y, width: n.w, height: n.h, rx: n.outside ? n.h / 2 : 8 }),
    svg('text', { x: n.x, y: n.y - 3, class: 'name' }, cut(n.title, 16)),
    svg('text', { x: n.x, y: n.y + 13, class: 'sub' }, cut(n.sub, 19)));
}

function curve(x1, y1, x2, y2) {
  const bend = Math.max(24, (x2 - x1) / 2);
  return `C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

// Backwards and within a layer: around, below everything.
function around(a, b, fromY, toY, height) {
  const [x1, x2] = [a.x + a.w / 2, b.x - b.w / 2 - 5];
  if (a === b) return { d: `M${x1} ${fromY}c34 -30 34 40 3 24`, x: x1 + 26, y: fromY };
  if (a.layer === b.layer) {
    const x = b.x + b.w / 2;
    return { d: `M${x1} ${fromY}C${x1 + 40} ${fromY} ${x + 40} ${toY} ${x + 5} ${toY}`, x: x + 30,
      y: (fromY + toY) / 2 };
  }
  const y = height - 10;
  return { d: `M${x1} ${fromY}C${x1 + 60} ${y} ${x1} ${y} ${(x1 + x2) / 2} ${y}`
    + `S${x2 - 60} ${y} ${x2} ${toY}`, x: (x1 + x2) / 2, y };
}

function route(e, height) {
  const [a, b] = [e.chain[0], e.chain.at(-1)];
  if (b.layer <= a.layer) return around(a, b, e.fromY, e.toY, height);
  let [x, y] = [a.x + a.w / 2, e.fromY];
  let d = `M${x} ${y}`;
  for (const bend of e.chain.slice(1, -1)) {
    d += `${curve(x, y, bend.x - bend.w / 2, bend.y)}H${bend.x + bend.w / 2}`;
    [x, y] = [bend.x + bend.w / 2, bend.y];
  }
  const end = b.x - b.w / 2 - 5;
  // The number stands on the first piece, which no other edge to that node shares.
  const next = e.chain[1];
  const [nextX, nextY] = next.bend ? [next.x - next.w / 2, next.y] : [end, e.toY];
  const from = a.x + a.w / 2;
  return { d: d + curve(x, y, end, e.toY), x: (from + nextX) / 2, y: (e.fromY + nextY) / 2 };
}

function drawEdge(e, height, onCell) {
  const { d, x, y } = route(e, height);
  const width = e.count ? Math.min(5, 1.5 + Math.log10(e.count) * 1.2) : 1.5;
  const words = inWords(e);
  const group = svg('g', { class: 'way', onclick: () => onCell(e.cell) },
    svg('title', {}, words),
    svg('path', { d, class: 'hit' }),
    svg('path', { d, class: `edge ${e.kind}`, 'stroke-width': width,
      'marker-end': `url(#arrow-${e.kind})` }));
  if (e.count) {
    const label = svg('text', { x, y: y + 4, class: `count ${e.kind}` }, e.count.toLocaleString('en'));
    return [group, label];
  }
  return [group, null];
}

function inWords(e) {
  const who = shortCaller(e.cell.caller.email);
  const to = e.cell.service.name;
  if (e.kind === 'refused') return `${who} was refused at ${to}: ${plural(e.count, 'call')}`;
  if (e.kind === 'used') return `${who} called ${to}: ${plural(e.count, 'call')}`;
  return `${who} may call ${to}, and has not`;
}

function arrows() {
  return svg('defs', {}, ['used', 'granted', 'refused'].map((kind) => svg('marker', {
    id: `arrow-${kind}`, viewBox: '0 0 8 8', refX: 5, refY: 4, markerWidth: 9, markerHeight: 9,
    markerUnits: 'userSpaceOnUse', orient: 'auto',
  }, svg('path', { d: 'M0 0 8 4 0 8z', class: `tip ${kind}` }))));
}

export function drawGraph(model, { onCell, onService }) {
  const nodes = nodesOf(model);
  const edges = edgesOf(model, nodes);
  if (!nodes.length) {
    byId('graph').replaceChildren(h('p', { class: 'dim' }, 'No service yet.'));
    byId('graph-words').replaceChildren();
    return;
  }
  const { width, height } = arrange(nodes, edges);
  const drawn = edges.map((e) => drawEdge(e, height, onCell));
  const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img',
    'aria-labelledby': 'graph-name', 'aria-describedby': 'graph-words' },
  svg('title', { id: 'graph-name' }, `${plural(model.services.length, 'service')} and their callers`),
  arrows(), drawn.map(([way]) => way), nodes.map((n) => drawNode(n, onService)),
  drawn.map(([, label]) => label));
  picture.style.minWidth = `${Math.round(width * 0.72)}px`;
  byId('graph').replaceChildren(picture);
  byId('graph-words').replaceChildren(...edges.map((e) => h('li', {}, inWords(e))));
}
