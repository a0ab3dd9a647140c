// Building the page: elements and text, never markup, so that whatever callers write is shown as it
// is.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

export function svg(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

export function byId(id) {
  return document.getElementById(id);
}

const PATHS = {
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  dash: 'M4 8h8',
  clock: 'M8 2.5a5.5 5.5 0 1 0 .01 0M8 5v3.2l2 1.3',
  open: 'M8 2.5a5.5 5.5 0 1 0 .01 0M2.8 8h10.4M8 2.5c-4 4-4 7 0 11 4-4 4-7 0-11',
};

export function icon(name) {
  return svg('svg', { class: `icon ${name}`, viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    svg('path', { d: PATHS[name] }));
}

const toast = { timer: 0 };

export function say(text) {
  const box = byId('toast');
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; }, 6000);
}

export function announce(text) {
  byId('announcer').textContent = text;
}

export function copyButton(text, what) {
  return h('button', {
    type: 'button', class: 'copy', 'aria-label': `Copy ${what}`,
    onclick: async (event) => {
      const button = event.currentTarget;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = 'Copied';
        announce(`Copied ${what}`);
      } catch {
        button.textContent = 'Select and copy';
      }
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    },
  }, 'Copy');
}

// One text with a heading and a button that copies it; nothing where there is no text.
export function snippet(title, text) {
  if (!text) return null;
  return h('div', { class: 'snippet' },
    h('div', { class: 'snippet-head' }, h('h3', {}, title), copyButton(text, title)),
    h('pre', { tabindex: '0', role: 'group', 'aria-label': title }, h('code', {}, text)));
}

// Whose call it was, as the counts name callers: who was proved, else whether there was a token.
export function callerOf(d) {
  return d.caller || (d.header ? 'unverified' : 'anonymous');
}

export function shortCaller(email) {
  if (!email || email === 'anonymous') return 'anonymous';
  const [name, domain] = email.split('@');
  return domain && domain.endsWith('.iam.gserviceaccount.com') ? name : email;
}

export function seconds(s) {
  if (s <= 0) return 'now';
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ''}`;
  return `${Math.floor(s / 3600)} h${Math.floor((s % 3600) / 60) ? ` ${Math.floor((s % 3600) / 60)} min` : ''}`;
}

export function plural(n, one, many = `${one}s`) {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}
