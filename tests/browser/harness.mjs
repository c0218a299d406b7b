// Starts the real host on a fresh data folder for each story, and Debian's Chromium, in which every error on the console,
// every broken page policy and every page error fails the story. It knows no page: what is on one stands in the stories.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const failures = join(root, 'tests/browser/failures');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const PATIENCE_MS = 15_000;

/** Starts a browser before a file's stories and stops it after; `address` is that of the running story's host. */
export function startDesk() {
  const desk = { address: '' };
  let browser;

  before(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  });
  after(() => browser?.close());

  /** A story on a host of its own: `act` gets `open`, which gives a page of its own person, with their own storage. */
  desk.story = (name, act) =>
    test(name, async () => {
      const contexts = [];
      const complaints = [];
      const open = async (path, settings = {}) => {
        const context = await browser.newContext({ baseURL: desk.address, locale: 'en-US', ...settings });
        contexts.push(context);
        context.setDefaultTimeout(PATIENCE_MS);
        const page = await context.newPage();
        page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error}`));
        page.on('console', (message) => {
          if (message.type() === 'error') complaints.push(`${page.url()}: ${message.text()} ${message.location().url}`);
        });
        await page.goto(path);
        return page;
      };
      const data = mkdtempSync(join(tmpdir(), 'colloquy-browser-'));
      const host = launch(data);
      try {
        desk.address = await host.address;
        await answers(`${desk.address}/healthz`, 'the host is not healthy');
        await answers(`${desk.address}/widget/widget.js`, 'the widget is not built');
        await act({ open, tolerate: (pattern) => forget(complaints, pattern) });
        assert.deepEqual(complaints, [], 'the browser complained');
      } catch (thrown) {
        await picture(name, contexts);
        throw complaints.length > 0 ? new Error(`the browser complained:\n${complaints.join('\n')}`, { cause: thrown }) : thrown;
      } finally {
        await Promise.all(contexts.map((context) => context.close()));
        await host.stop();
        rmSync(data, { recursive: true, force: true });
      }
    });

  const post = async (path, body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${desk.address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${path} answered ${answer.status}: ${await answer.text()}`);
  };

  /** Writes as a customer on a channel, rightly signed. */
  desk.write = (message) => post('/channels/send', message);

  /** Makes the next calls to a channel's API fail. */
  desk.fail = (fault) => post('/sandbox/faults', fault);

  /** What a channel's API was sent, once something there satisfies `wanted`. */
  desk.received = (channel, wanted) =>
    until(`${channel} was not sent what was expected`, async () => {
      const answer = await fetch(`${desk.address}/sandbox/calls?channel=${channel}`);
      const { items } = await answer.json();
      return items.some(wanted) ? items : undefined;
    });

  return desk;
}

/** What axe finds on the page as it stands now that keeps people with a disability from using it. */
export async function barriers(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'] }),
  );
  const place = page.url().replace(/^http:..[^/]*/, '');
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${place} ${id}: ${node.html.slice(0, 160)}`));
}

/** By how much the page is wider than its window, if it is. */
export async function overflow(page) {
  const [content, window_] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  return content > window_ ? [`${page.url()} is ${content} pixels wide in a window of ${window_}`] : [];
}

/** Asks again until there is an answer. */
export async function until(otherwise, ask) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && answer !== false) return answer;
    assert.ok(Date.now() < end, otherwise);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function launch(data) {
  const binary = process.env.COLLOQUY ?? join(root, 'target/debug/colloquy');
  assert.ok(existsSync(binary), `${binary} is not there: cargo build`);
  const child = spawn(binary, ['--port', '0', '--data', data], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const address = new Promise((resolve, reject) => {
    const read = (chunk) => {
      said += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (found) resolve(found[0]);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    void ended.then((code) => reject(new Error(`the host ended with ${code}:\n${said}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  };
  return { address, stop };
}

function answers(address, otherwise) {
  return until(otherwise, async () => (await fetch(address)).ok);
}

function forget(complaints, pattern) {
  const kept = complaints.filter((complaint) => !pattern.test(complaint));
  complaints.splice(0, complaints.length, ...kept);
}

async function picture(name, contexts) {
  mkdirSync(failures, { recursive: true });
  const pages = contexts.flatMap((context) => context.pages());
  for (const [at, page] of pages.entries()) {
    const path = join(failures, `${name.replace(/\W+/g, '-').slice(0, 80)}-${at + 1}.png`);
    await page.screenshot({ path }).catch(() => undefined);
    console.error(`${page.url()} as it was: ${path}`);
  }
}
