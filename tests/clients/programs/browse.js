// browse.js OPTIONS: opens a page in Debian's Chromium, driven by the npm package playwright-core,
// and prints what it saw as JSON. OPTIONS is a JSON object:
//   browser    the executable        home   its HOME, in which the trusted authorities are
//   url        what is opened        proxy  the proxy's URL
//   click      a button's name, and wait for: a text that then must appear
//   screenshot a file to make
'use strict';

const path = require('path');
const { chromium } = require('playwright-core');

const options = JSON.parse(process.argv[2]);

const ARGUMENTS = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

async function visit(page) {
  const answer = await page.goto(options.url, { waitUntil: 'load' });
  if (options.click) {
    await page.getByRole('button', { name: options.click }).click();
    await page.getByText(options.wait).first().waitFor();
  }
  const navigation = await page.evaluate(() => {
    const [entry] = performance.getEntriesByType('navigation');
    const resources = performance.getEntriesByType('resource').map((r) => r.nextHopProtocol);
    return { protocol: entry.nextHopProtocol, resources };
  });
  const security = await answer.securityDetails();
  return {
    status: answer.status(), title: await page.title(), text: await page.innerText('body'),
    html: await answer.text(), ...navigation, issuer: security && security.issuer,
    secure: await page.evaluate(() => window.isSecureContext),
  };
}

async function main() {
  const context = await chromium.launchPersistentContext(path.join(options.home, 'profile'), {
    executablePath: options.browser, headless: true, chromiumSandbox: false, args: ARGUMENTS,
    env: { ...process.env, HOME: options.home },
    proxy: options.proxy && { server: options.proxy },
    viewport: { width: 900, height: 900 },
  });
  const errors = [];
  try {
    const page = context.pages()[0] || await context.newPage();
    page.setDefaultTimeout(30000);
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.message));
    let seen;
    try {
      seen = await visit(page);
    } catch (error) {
      seen = { failed: error.message };
    }
    if (options.screenshot) await page.screenshot({ path: options.screenshot, fullPage: true });
    console.log(JSON.stringify({ ...seen, errors }));
  } finally {
    await context.close();
  }
}

main().catch((error) => {
  console.error(error.stack);
  process.exitCode = 1;
});
