// What the control listener is asked. All of it is of this origin.

async function ask(path, options) {
  const answer = await fetch(path, { cache: 'no-store', ...options });
  const text = await answer.text();
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Error(`${path}: ${answer.status}, no JSON`);
  }
  if (!answer.ok) throw new Error(body.error ? body.error.message : `${path}: ${answer.status}`);
  return body;
}

export function get(path) {
  return ask(path);
}

export function post(path, body) {
  return ask(path, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
}

// Decisions as they are made. Where the stream cannot be had, the list is asked for again and again.
export function follow({ onDecision, onState }) {
  const seen = new Set();
  const remember = (d) => {
    const key = d.id || `${d.timestamp} ${d.trace}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (seen.size > 5000) seen.delete(seen.values().next().value);
    onDecision(d);
  };
  let polling = 0;
  const poll = async () => {
    try {
      const { decisions } = await get('/invoker/v1/decisions?limit=200');
      onState(true);
      decisions.reverse().forEach(remember);
    } catch {
      onState(false);
    }
  };
  const open = () => {
    const source = new EventSource('/invoker/v1/decisions/stream?backlog=200');
    source.addEventListener('open', () => {
      clearInterval(polling);
      polling = 0;
      onState(true);
    });
    source.addEventListener('decision', (event) => remember(JSON.parse(event.data)));
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) {
        onState(false);
        return;
      }
      if (!polling) polling = setInterval(poll, 1000);
      setTimeout(open, 10000);
    });
  };
  open();
}
