// A browser that a test drives: one line of JSON in, one out. `{"do": NAME, ...}` is answered by `{"ok": VALUE}` or
// `{"error": TEXT}`. It resolves no name but loopback, and remembers what a page should not do: messages on the
// console, errors, and requests to elsewhere.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const PATIENCE = 20_000;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const noJs = process.argv.includes('--no-js');
const profile = mkdtempSync(join(tmpdir(), 'keepfresh-pilot-'));
const noise = [];

const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  timeout: PATIENCE,
  javaScriptEnabled: !noJs,
  ignoreHTTPSErrors: true,
  reducedMotion: 'reduce',
  viewport: { width: 1280, height: 800 },
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]',
  ],
});
context.setDefaultTimeout(PATIENCE);
const page = context.pages()[0] ?? await context.newPage();
page.on('console', (message) => {
  if (['error', 'warning'].includes(message.type())) noise.push(`console: ${message.text()}`);
});
page.on('pageerror', (error) => noise.push(`error: ${error.message}`));
page.on('request', (request) => {
  const host = new URL(request.url()).hostname;
  if (!['127.0.0.1', 'localhost', ''].includes(host)) noise.push(`elsewhere: ${request.url()}`);
});

const steps = {
  go: async ({ url }) => { const answer = await page.goto(url); return answer?.status() ?? 0; },
  click: async ({ at }) => { await page.locator(at).first().click(); },
  fill: async ({ at, text }) => { await page.locator(at).first().fill(text); },
  choose: async ({ at, text }) => { await page.locator(at).first().selectOption(text); },
  press: async ({ key }) => { await page.keyboard.press(key); },
  text: async ({ at }) => page.locator(at).first().innerText(),
  count: async ({ at }) => page.locator(at).count(),
  url: async () => page.url(),
  ask: async ({ script }) => page.evaluate(script),
  // Asked from outside: within the page, its policy forbids it.
  until: async ({ script }) => {
    const end = Date.now() + PATIENCE;
    while (!(await page.evaluate(script).catch(() => false))) {
      if (Date.now() > end) throw new Error(`in vain: ${await page.locator('main').innerText()}`);
      await page.waitForTimeout(50);
    }
  },
  size: async ({ width, height }) => { await page.setViewportSize({ width, height }); },
  dark: async ({ dark }) => { await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' }); },
  shot: async ({ path }) => { await page.screenshot({ path, fullPage: true }); },
  noise: async () => noise.splice(0),
  hover: async ({ at }) => { await page.locator(at).first().hover(); },
  axe: async () => {
    // By the debugger, which no policy of the page holds back.
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    return found.violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
  },
};

process.stdout.write('{"ok":"ready"}\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { do: step, ...given } = JSON.parse(line);
  let said;
  try {
    said = { ok: (await steps[step](given)) ?? null };
  } catch (error) {
    said = { error: String(error.message ?? error).slice(0, 500) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
await context.close();
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
