// A person at a real browser. `authorize URL` signs in as `alice`, agrees, and follows to the loopback
// callback; `device URI CODE` types a user code on the verification page. `--deny` says no instead.
// Prints the last page as a line of JSON: `{"url","status","title","text"}`; a failure is one line on
// standard error. CHROMIUM is the program, /usr/bin/chromium unless set. It resolves no name but loopback.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const PATIENCE = 20_000;
const MOST_PAGES = 8;

const { values: { deny }, positionals: [mode, address, code] } = parseArgs({
  allowPositionals: true,
  options: { deny: { type: 'boolean', default: false } },
});

const profile = mkdtempSync(join(tmpdir(), 'keepfresh-browser-'));
let context;
try {
  if (!['authorize', 'device'].includes(mode) || !address || (mode === 'device' && !code)) {
    throw new Error('usage: browser.mjs authorize URL | device URI CODE [--deny]');
  }
  context = await open();
  console.log(JSON.stringify(await walk(await context.newPage())));
} catch (error) {
  console.error(String(error.message ?? error).split('\n')[0]);
  process.exitCode = 1;
} finally {
  await context?.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}

function open() {
  return chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    timeout: PATIENCE,
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--no-first-run',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]',
    ],
  });
}

// Does what each page asks for, until one asks for nothing.
async function walk(page) {
  page.setDefaultTimeout(PATIENCE);
  let response = await page.goto(address);
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const button = await prepare(page);
    if (!button) return last(page, response);
    [response] = await Promise.all([page.waitForNavigation(), button.click()]);
  }
  throw new Error(`after ${MOST_PAGES} pages there is still one with a question: ${page.url()}`);
}

// Fills in the page, and finds the button that goes on.
async function prepare(page) {
  const has = async (selector) => (await page.locator(selector).count()) > 0;
  if (await has('input[name=login]')) {
    await page.fill('input[name=login]', 'alice');
    await page.fill('input[name=password]', 'any password is accepted');
    return page.locator('button[type=submit]');
  }
  if (await has('input[name=prompt][value=consent]')) {
    return deny ? page.locator('a[href$="/abort"]') : page.locator('button[type=submit]');
  }
  if (await has('input[name=confirm]')) {
    return page.locator(deny ? 'button[name=abort]' : 'button[autofocus]');
  }
  // Shown once more, empty, after a code was refused.
  if (await has('input[name=user_code]') && !(await has('p.red'))) {
    await page.fill('input[name=user_code]', code);
    return page.locator('button[type=submit]');
  }
  return undefined;
}

async function last(page, response) {
  const text = (await page.locator('body').innerText()).trim();
  const done = mode === 'device'
    ? /successful|interrupted/.test(text)
    : new URL(page.url()).origin !== new URL(address).origin;
  if (!done) throw new Error(`the provider ended at ${page.url()}: ${text.replace(/\s+/g, ' ')}`);
  return { url: page.url(), status: response?.status(), title: await page.title(), text };
}
