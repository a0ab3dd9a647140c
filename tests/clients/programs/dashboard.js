// dashboard.js OPTIONS: uses the dashboard in Debian's Chromium as a person would, scene by scene,
// and prints what each scene saw as JSON. OPTIONS is a JSON object:
//   browser, home  the executable, and its HOME
//   info           what `invoker up --json` told
//   topology       the topology's file, which is edited on the way
//   pictures       the folder for screenshots
//   only           one scene's name: that one alone, after the overview
//   height         of the window (900)
//   small          screenshots take their time and little room
'use strict';

const fs = require('fs');
const http = require('http');
const path = require('path');
const axe = require('axe-core');
const { chromium } = require('playwright-core');
const palettePng = require('./palette_png.js');

const options = JSON.parse(process.argv[2]);
const { info } = options;
const URL_OF = info.control.startsWith('http') ? info.control : `http://${info.control}`;
const SETTLE_MS = 60;
const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>';

/* ---- calls of the services ---- */

function call(url, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers }, (answer) => {
      let body = '';
      answer.on('data', (piece) => { body += piece; });
      answer.on('end', () => resolve({ status: answer.statusCode, body }));
    });
    request.on('error', reject);
  });
}

function urlOf(service) {
  return info.services[service].url;
}

async function tokenOf(service, audience) {
  const { body } = await call(`http://${info.services[service].metadata}/computeMetadata/v1/instance/`
    + `service-accounts/default/identity?audience=${encodeURIComponent(audience)}`,
  { 'Metadata-Flavor': 'Google' });
  return body;
}

async function callAs(service, to, where) {
  const token = await tokenOf(service, urlOf(to));
  return call(urlOf(to) + where, { Authorization: `Bearer ${token}` });
}

function part(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function hostileToken() {
  const now = Math.floor(Date.now() / 1000);
  return [part({ alg: 'RS256', kid: HOSTILE, typ: 'JWT' }),
    part({ iss: HOSTILE, sub: HOSTILE, aud: HOSTILE, email: `${HOSTILE}@example.com`, iat: now,
      exp: now + 3600, [HOSTILE]: HOSTILE }), Buffer.alloc(256, 7).toString('base64url')].join('.');
}

// What the tutorial does, with its mistakes.
async function traffic() {
  for (let i = 0; i < 6; i++) {
    await call(`${urlOf('frontend')}/`);
    await call(`${urlOf('frontend')}/api/data`);
  }
  for (let i = 0; i < 3; i++) {
    await callAs('frontend', 'backend-api', '/api/items');
    await callAs('backend-api', 'db-service', '/items');
  }
  await call(`${urlOf('backend-api')}/api/items`);
  const wrong = await tokenOf('frontend', urlOf('backend-api'));
  await call(`${urlOf('db-service')}/items`, { Authorization: `Bearer ${wrong}` });
  await callAs('auth-service', 'backend-api', '/api/items');
  await callAs('frontend', 'db-service', '/items');
  await callAs('frontend', 'db-service', '/items');
}

/* ---- looking ---- */

async function texts(locator) {
  return (await locator.allInnerTexts()).map((t) => t.replace(/\s+/g, ' ').trim());
}

async function open(page, tab) {
  await page.getByRole('tab', { name: tab }).click();
}

// The scheme's picture of the whole page, without what changes from run to run.
async function picture(page, name, scheme) {
  await page.emulateMedia({ colorScheme: scheme });
  const shot = await page.screenshot({ fullPage: true });
  const png = options.small ? await palettePng(page, shot) : shot;
  fs.writeFileSync(path.join(options.pictures, `${name}-${scheme}.png`), png);
  return png.length;
}

async function accessibility(page, scheme) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${
    n.failureSummary.replace(/\s+/g, ' ')}`));
}

// Does it, and waits for what it asks for; then for the page to show it.
async function answered(page, end, act) {
  const answer = page.waitForResponse((r) => r.url().endsWith(end));
  await act();
  await (await answer).finished();
  await page.waitForTimeout(SETTLE_MS);
}

const explanation = (page) => page.locator('#explanation');

/* ---- scenes ---- */

const scenes = {
  async overview(page) {
    await page.locator('#list .decision').nth(20).waitFor();
    await page.getByText('12 passed').first().waitFor();
    return {
      title: await page.title(), about: await page.locator('#about').innerText(),
      state: await page.locator('#state').innerText(),
      connection: await page.locator('#connection').innerText(),
      tiles: await texts(page.locator('#tiles .tile')),
      headers: await texts(page.locator('#matrix thead th')),
      callers: await texts(page.locator('#matrix tbody th')),
      cells: await page.locator('#matrix .cell').evaluateAll((all) => all.map(
        (c) => `${c.textContent.replace(/\s+/g, ' ').trim()} | ${c.title}`.trim())),
      words: await page.locator('#graph-words li').evaluateAll((all) => all.map((l) => l.textContent)),
      edges: await page.locator('#graph .way path.edge').evaluateAll((all) => all.map(
        (e) => [e.getAttribute('class'), getComputedStyle(e).strokeDasharray])),
      audit: await page.locator('#audit').isVisible(),
    };
  },

  async cell(page) {
    await page.getByRole('button', { name: /^frontend-sa to db-service/ }).click();
    await explanation(page).getByText('no_grant').waitFor();
    const seen = {
      text: await explanation(page).innerText(),
      focus: await page.evaluate(() => document.activeElement.id),
      caller: await page.locator('#f-caller').inputValue(),
      service: await page.locator('#f-service').inputValue(),
      rows: await texts(page.locator('#list .decision')),
    };
    await page.getByRole('button', { name: 'Clear' }).first().click();
    seen.all = await page.locator('#list .decision').count();
    return seen;
  },

  async decision(page) {
    await page.locator('#list .decision.no', { hasText: 'wrong_audience' }).first().click();
    await explanation(page).getByText('wrong_audience').waitFor();
    const pictures = [await picture(page, 'traffic', 'light'), await picture(page, 'traffic', 'dark')];
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await explanation(page).getByRole('button', { name: 'Copy In production' }).click();
    await explanation(page).getByText('Copied').waitFor();
    return {
      text: await explanation(page).innerText(),
      checks: await texts(explanation(page).locator('.checks tbody tr')),
      failed: await texts(explanation(page).locator('.checks tr.fail')),
      copied: await page.evaluate(() => navigator.clipboard.readText()),
      link: await explanation(page).getByRole('link').getAttribute('href'),
      pictures,
    };
  },

  async live(page) {
    await page.getByRole('button', { name: 'Pause' }).click();
    const before = await page.locator('#list .decision').count();
    await callAs('auth-service', 'db-service', '/paused');
    await page.getByText('1 more since the pause').waitFor();
    const paused = await page.locator('#list .decision').count();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('#list .decision', { hasText: '/paused' }).waitFor();
    await page.locator('#f-refused').check();
    const refused = await texts(page.locator('#list .decision .reason'));
    await page.locator('#f-refused').uncheck();
    await page.locator('#f-text').fill('/api/data');
    const found = await texts(page.locator('#list .decision .request'));
    await page.locator('#f-text').fill('nothing has this text');
    const none = await page.locator('#list-empty').innerText();
    await page.locator('#f-clear').click();
    const cell = page.getByRole('button', { name: /^auth-sa to db-service.*1 refused/ });
    await cell.waitFor();
    return { before, paused, refused, found, none };
  },

  async whatif(page) {
    await open(page, 'What if');
    const judge = async (fill) => {
      await page.locator('#whatif-form').evaluate((form) => form.reset());
      await fill();
      await answered(page, '/invoker/v1/why',
        () => page.getByRole('button', { name: 'Judge' }).click());
      return page.locator('#verdict').innerText();
    };
    const caller = (who, service) => async () => {
      await page.locator('#w-as').fill(who);
      await page.locator('#w-to').selectOption(service);
    };
    const seen = { allowed: await judge(caller('frontend-sa', 'backend-api')) };
    seen.anonymous = await judge(caller('', 'backend-api'));
    seen.expired = await judge(async () => {
      await caller('frontend-sa', 'backend-api')();
      await page.locator('#w-fault').selectOption('expired');
    });
    seen.audience = await judge(async () => {
      await caller('frontend-sa', 'backend-api')();
      await page.locator('#w-audience').fill(`${urlOf('backend-api')}/?q=1`);
      await page.locator('#w-path').fill('/api/items');
    });
    seen.unknown = await judge(caller('nobody-sa', 'backend-api'));
    seen.pictures = [await picture(page, 'whatif', 'light'), await picture(page, 'whatif', 'dark')];
    return seen;
  },

  async token(page) {
    await open(page, 'Token');
    const inspect = async (text) => {
      await page.getByLabel('Token, or a whole').fill(text);
      await answered(page, '/invoker/v1/inspect',
        () => page.getByRole('button', { name: 'Inspect' }).click());
      return page.locator('#inspected').innerText();
    };
    const good = await tokenOf('frontend', urlOf('backend-api'));
    const seen = { good: await inspect(`Authorization: Bearer ${good}`),
      services: await texts(page.locator('#inspected .services li')) };
    seen.pictures = [await picture(page, 'token', 'light'), await picture(page, 'token', 'dark')];
    seen.tampered = await inspect(`${good.slice(0, -8)}AAAAAAAA`);
    seen.nonsense = await inspect('abc');
    await page.locator('#token-clear').click();
    seen.cleared = [await page.getByLabel('Token, or a whole').inputValue(),
      await page.locator('#inspected').innerText()];
    seen.kept = await page.evaluate((t) => JSON.stringify([location.href, { ...localStorage },
      { ...sessionStorage }, document.cookie, document.documentElement.outerHTML]).includes(t), good);
    return seen;
  },

  async hostile(page) {
    const dialogs = [];
    page.on('dialog', (dialog) => { dialogs.push(dialog.message()); dialog.dismiss(); });
    const token = hostileToken();
    await call(`${urlOf('backend-api')}/<script>document.title=3</script>/hostile`, {
      Authorization: `Bearer ${token}`, 'User-Agent': HOSTILE });
    await open(page, 'Traffic');
    await page.locator('#list .decision', { hasText: 'hostile' }).first().click();
    await explanation(page).getByText('the token says').waitFor();
    const decision = await explanation(page).innerText();
    await open(page, 'Token');
    await page.getByLabel('Token, or a whole').fill(token);
    await page.getByRole('button', { name: 'Inspect' }).click();
    await page.locator('#inspected .claims').first().waitFor();
    const inspected = await page.locator('#inspected').innerText();
    await open(page, 'What if');
    await page.locator('#w-as').fill(HOSTILE);
    await page.getByRole('button', { name: 'Judge' }).click();
    await page.locator('#verdict .verdict', { hasText: '<img' }).waitFor();
    return { decision, inspected, title: await page.title(), dialogs,
      elements: await page.locator('main img, main script').count() };
  },

  // From the first Tab on, without a mouse.
  async keyboard(page) {
    await open(page, 'Traffic');
    await page.reload();
    await page.locator('#matrix .cell').first().waitFor();
    await page.locator('#list .decision').first().waitFor();
    const here = () => page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      return { id: e.id, name: e.ariaLabel || e.textContent.trim().replace(/\s+/g, ' '),
        outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
    });
    const stops = [];
    for (let i = 0; i < 16; i++) {
      await page.keyboard.press('Tab');
      stops.push(await here());
    }
    await page.locator('#matrix [tabindex="0"]').focus();
    for (const key of ['Home', 'ArrowRight', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    const cell = (await here()).name;
    await page.keyboard.press('Enter');
    await explanation(page).getByText('no_grant').waitFor();
    await page.waitForFunction(() => document.activeElement.id === 'explanation-title');
    await page.keyboard.press('Escape');
    const back = (await here()).name;
    await page.locator('#tab-traffic').focus();
    const tabs = [];
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'End', 'Home']) {
      await page.keyboard.press(key);
      tabs.push(`${(await here()).id} ${new URL(page.url()).hash}`.trim());
    }
    await page.locator('#f-clear').click();
    return { stops, cell, back, tabs };
  },

  async theme(page) {
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    await page.emulateMedia({ colorScheme: 'light' });
    const seen = [[await page.locator('#theme').innerText(), await background()]];
    for (let i = 0; i < 3; i++) {
      await page.locator('#theme').click();
      seen.push([await page.locator('#theme').innerText(), await background()]);
    }
    return seen;
  },

  async narrow(page) {
    await page.setViewportSize({ width: 360, height: 740 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    const size = await picture(page, 'narrow', 'light');
    await page.setViewportSize({ width: 1280, height: 900 });
    return { wide, size };
  },

  async access(page) {
    const seen = {};
    await page.locator('#f-refused').check(); // what is one row's fault is every row's
    for (const tab of ['Traffic', 'What if', 'Token', 'Propagation']) {
      await open(page, tab);
      for (const scheme of ['light', 'dark']) seen[`${tab} ${scheme}`] = await accessibility(page, scheme);
    }
    await open(page, 'Traffic');
    await page.locator('#f-refused').uncheck();
    seen.positive = await page.locator('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])').count();
    return seen;
  },

  async propagation(page) {
    await open(page, 'Propagation');
    const nothing = await page.locator('#propagation').innerText();
    const text = fs.readFileSync(options.topology, 'utf8');
    fs.writeFileSync(options.topology, text.replace('backend-sa:  [db-service]',
      'backend-sa:  [db-service]\n  auth-sa:     [db-service]').replace(', auth-service]', ']'));
    await page.locator('#pending tbody tr').nth(1).waitFor();
    const rows = await texts(page.locator('#pending tbody tr'));
    const badge = await page.locator('#pending-count').innerText();
    const sizes = [await picture(page, 'propagation', 'light'), await picture(page, 'propagation', 'dark')];
    const access = [await accessibility(page, 'dark'), await accessibility(page, 'light')].flat();
    const before = (await callAs('auth-service', 'db-service', '/items')).status;
    await page.getByRole('button', { name: 'Let everything' }).click();
    await page.getByText('Nothing is on its way.').waitFor();
    const toast = await page.locator('#toast').innerText();
    const after = (await callAs('auth-service', 'db-service', '/items')).status;
    fs.writeFileSync(options.topology, text);
    return { nothing, rows, badge, sizes, access, before, toast, after };
  },

  async audit(page) {
    await open(page, 'Traffic');
    const text = fs.readFileSync(options.topology, 'utf8');
    fs.writeFileSync(options.topology, text.replace('emulation: {', 'emulation: { mode: audit,'));
    await page.locator('#audit').waitFor();
    const status = (await call(`${urlOf('backend-api')}/api/items?audited`)).status;
    await page.locator('#list .decision.audited').first().click();
    await explanation(page).getByText('Would be refused').waitFor();
    const seen = { status, banner: await page.locator('#audit').innerText(),
      text: await explanation(page).innerText(), size: await picture(page, 'audit', 'light'),
      access: [await accessibility(page, 'light'), await accessibility(page, 'dark')].flat() };
    fs.writeFileSync(options.topology, text);
    await page.locator('#audit').waitFor({ state: 'hidden' });
    return seen;
  },

  async lost(page) {
    await page.context().setOffline(true);
    await page.getByText('connection lost').waitFor();
    await page.context().setOffline(false);
    await page.locator('#connection', { hasText: 'live' }).waitFor();
    return { toast: await page.locator('#toast').innerText() };
  },

  async reset(page) {
    await page.getByRole('button', { name: 'Reset…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    const access = await accessibility(page, 'light');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    const kept = await page.locator('#list .decision').count();
    await page.getByRole('button', { name: 'Reset…' }).click();
    await dialog.getByRole('button', { name: 'Reset' }).click();
    await page.getByText('Nobody has called yet.').waitFor();
    await page.locator('.tile dd', { hasText: /^0$/ }).first().waitFor();
    return { access, kept, tiles: await texts(page.locator('#tiles .tile')) };
  },
};

/* ---- the browser ---- */

async function main() {
  await traffic();
  const browser = await chromium.launchPersistentContext(path.join(options.home, 'profile'), {
    executablePath: options.browser, headless: true, chromiumSandbox: false,
    args: ['--disable-gpu', '--disable-lcd-text', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
    env: { ...process.env, HOME: options.home }, viewport: { width: 1280, height: options.height || 900 },
    timezoneId: 'UTC', locale: 'en-US', colorScheme: 'light', reducedMotion: 'reduce',
  });
  const seen = { errors: [], foreign: [] };
  let offline = false;
  try {
    const page = browser.pages()[0] || await browser.newPage();
    page.setDefaultTimeout(30000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !offline) seen.errors.push(message.text());
    });
    page.on('pageerror', (error) => seen.errors.push(error.stack));
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(URL_OF).origin) seen.foreign.push(request.url());
    });
    await page.goto(`${URL_OF}/`);
    for (const [name, play] of Object.entries(scenes)) {
      if (options.only && options.only !== name && name !== 'overview') continue;
      offline = name === 'lost' || offline;
      // A refused question is an answer of 400, which Chromium logs: what the page shows counts.
      const errors = seen.errors.length;
      try {
        seen[name] = await play(page);
      } catch (error) {
        seen[name] = { broken: error.stack };
      }
      if (['whatif', 'hostile', 'lost'].includes(name)) {
        seen.errors = [...seen.errors.slice(0, errors), ...seen.errors.slice(errors).filter(
          (text) => !/^Failed to load resource: .*(400|INTERNET_DISCONNECTED)/.test(text))];
      }
      offline = false;
    }
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error.stack);
  process.exitCode = 1;
});
