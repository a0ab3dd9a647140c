// Where things stand in the graph: layers from left to right, each edge one layer further; longer
// edges are led through the layers between (after Sugiyama, Tagawa and Toda, 1981).

const NODE = { w: 120, h: 46 };
const BEND = { w: 120, h: 14 };
const GAP = { x: 56, y: 26 };
const SWEEPS = 8;
const SHAPE = { ratio: 0.44, stretch: 2 }; // a flat picture is made higher, up to that

// Longest paths from the entrances; an edge that would close a circle does not count.
function setLayers(nodes, edges) {
  const out = new Map(nodes.map((n) => [n.id, []]));
  for (const e of edges) if (e.shapes && e.from !== e.to) out.get(e.from).push(e);
  const state = new Map();
  const order = [];
  const visit = (id) => {
    state.set(id, 'open');
    for (const e of out.get(id)) {
      if (state.get(e.to) === 'open') e.circular = true;
      else if (!state.has(e.to)) visit(e.to);
    }
    state.set(id, 'done');
    order.unshift(id);
  };
  nodes.forEach((n) => { if (!state.has(n.id)) visit(n.id); });
  const layer = new Map(nodes.map((n) => [n.id, n.outside ? 0 : 1]));
  for (const id of order) {
    for (const e of out.get(id)) {
      if (!e.circular) layer.set(e.to, Math.max(layer.get(e.to), layer.get(id) + 1));
    }
  }
  const first = Math.min(...layer.values());
  nodes.forEach((n) => { n.layer = layer.get(n.id) - first; });
}

// Each edge becomes a chain of places, one for each layer that it crosses.
function addBends(nodes, edges, layers) {
  const byId = new Map(nodes.map((n) => [n.id, n]));
  for (const e of edges) {
    const [from, to] = [byId.get(e.from), byId.get(e.to)];
    e.chain = [from];
    for (let i = from.layer + 1; i < to.layer; i++) {
      const bend = { ...BEND, layer: i, bend: true, left: [], right: [] };
      layers[i].push(bend);
      e.chain.push(bend);
    }
    e.chain.push(to);
    if (to.layer <= from.layer) continue;
    for (let i = 1; i < e.chain.length; i++) {
      e.chain[i - 1].right.push(e.chain[i]);
      e.chain[i].left.push(e.chain[i - 1]);
    }
  }
}

function mean(list, of) {
  return list.reduce((sum, one) => sum + of(one), 0) / list.length;
}

function sortLayers(layers) {
  const number = (layer) => layer.forEach((n, i) => { n.place = i; });
  layers.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      const side = down ? 'left' : 'right';
      for (const n of layer) n.wish = n[side].length ? mean(n[side], (m) => m.place) : n.place;
      layer.sort((a, b) => a.wish - b.wish || a.place - b.place);
      number(layer);
    }
  }
}

// As near to the neighbours as the order and the gaps let them.
function settle(layer, wish) {
  let bottom = -Infinity;
  let shift = 0;
  for (const n of layer) {
    const wanted = wish(n);
    n.y = Math.max(wanted, bottom + GAP.y + n.h / 2);
    bottom = n.y + n.h / 2;
    shift += wanted - n.y;
  }
  for (const n of layer) n.y += shift / layer.length;
}

function setHeights(layers) {
  for (const layer of layers) {
    let y = 0;
    for (const n of layer) {
      n.y = y + n.h / 2;
      y += n.h + GAP.y;
    }
    for (const n of layer) n.y -= (y - GAP.y) / 2;
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      settle(layer, (n) => {
        const near = [...n.left, ...n.right];
        return near.length ? mean(near, (m) => m.y) : n.y;
      });
    }
  }
}

// Edges at one side of a node are spread over it, in the order of their other ends.
function setPorts(nodes, edges) {
  for (const n of nodes) {
    for (const [side, at] of [['from', (e) => e.chain[1]], ['to', (e) => e.chain.at(-2)]]) {
      const mine = edges.filter((e) => e[side] === n.id).sort((a, b) => at(a).y - at(b).y);
      mine.forEach((e, i) => {
        e[`${side}Y`] = n.y + (mine.length > 1 ? (i / (mine.length - 1) - 0.5) * n.h * 0.56 : 0);
      });
    }
  }
}

// nodes: {id, outside}; edges: {from, to, shapes: does it take part in the layering}. Sets x and y
// (centres) of nodes; layer; and of edges chain, fromY and toY. Returns the size.
export function arrange(nodes, edges) {
  nodes.forEach((n) => Object.assign(n, NODE, { left: [], right: [] }));
  setLayers(nodes, edges);
  const depth = Math.max(0, ...nodes.map((n) => n.layer)) + 1;
  const layers = Array.from({ length: depth }, (_, i) => nodes.filter((n) => n.layer === i));
  addBends(nodes, edges, layers);
  sortLayers(layers);
  setHeights(layers);
  const all = layers.flat();
  const width = depth * NODE.w + (depth - 1) * GAP.x + 8;
  const extent = () => [Math.min(...all.map((n) => n.y - n.h / 2)),
    Math.max(...all.map((n) => n.y + n.h / 2))];
  const [flatTop, flatBottom] = extent();
  const stretch = Math.min(SHAPE.stretch, (width * SHAPE.ratio) / (flatBottom - flatTop));
  if (stretch > 1) all.forEach((n) => { n.y *= stretch; });
  const [top, bottom] = extent();
  for (const n of all) {
    n.y -= top - 16;
    n.x = n.layer * (NODE.w + GAP.x) + NODE.w / 2 + 4;
  }
  setPorts(nodes, edges);
  const back = edges.some((e) => e.chain.at(-1).layer <= e.chain[0].layer) ? 40 : 0;
  return { width: width + (back ? 34 : 0), height: bottom - top + 32 + back };
}
