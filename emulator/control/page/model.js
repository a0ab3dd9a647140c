// What the page knows: the topology, and the counts of the traffic, joined cell by cell.

const EVERYBODY = new Set(['public', 'iam_check_disabled']);

function callerKey(email) {
  return email || 'anonymous';
}

// Who is not of the topology may still have called.
function strangers(callers, cells) {
  const known = new Set(callers.map((c) => c.key));
  const more = [...new Set(cells.map((c) => callerKey(c.caller)))].filter((key) => !known.has(key));
  return more.map((key) => ({ key, name: key, email: key, runs: [], cells: [],
    kind: key === 'unverified' ? 'whose token proves nothing' : 'not of the topology' }));
}

function countsOf(traffic) {
  const counts = new Map();
  for (const c of traffic.cells) {
    const key = `${callerKey(c.caller)}\n${c.service}`;
    const sum = counts.get(key) || { passed: 0, refused: 0, reasons: {}, last: '' };
    // What audit mode let through is a refusal here.
    sum[c.allowed ? 'passed' : 'refused'] += c.count;
    sum.reasons[c.reason] = (sum.reasons[c.reason] || 0) + c.count;
    if (c.last > sum.last) sum.last = c.last;
    counts.set(key, sum);
  }
  return counts;
}

export function buildModel(topology, traffic) {
  const counts = countsOf(traffic);
  const services = topology.services;
  const byName = new Map(services.map((s) => [s.name, s]));
  const callers = topology.callers.map((c) => ({ ...c, key: callerKey(c.email) }));
  callers.push(...strangers(callers, traffic.cells.filter((c) => byName.has(c.service))));
  const cells = [];
  for (const caller of callers) {
    const judged = new Map(caller.cells.map((c) => [c.service, c]));
    caller.row = services.map((service) => {
      const cell = judged.get(service.name) || { allowed: false, reason: 'no_grant', unknown: true };
      const n = counts.get(`${caller.key}\n${service.name}`) || { passed: 0, refused: 0, reasons: {} };
      const everybody = EVERYBODY.has(cell.reason);
      const one = { ...cell, ...n, caller, service, everybody, calls: n.passed + n.refused,
        unused: cell.allowed && !everybody && !n.passed };
      cells.push(one);
      return one;
    });
  }
  const sum = (of) => traffic.cells.reduce((total, c) => total + (of(c) ? c.count : 0), 0);
  return {
    topology, services, callers, cells,
    totals: {
      requests: sum(() => true),
      refused: sum((c) => !c.allowed),
      unused: cells.filter((c) => c.unused).length,
      granted: cells.filter((c) => c.allowed && !c.everybody).length,
    },
  };
}
