/** The dashboard's page in a real browser, at eight real nodes and a guest. */
import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, openBrowser, openPage } from '../support/browser.js';
import { legacyFlags } from '../support/legacy-flags.js';
import { LegacyPeer } from '../support/legacy-peer.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const SCREENSHOTS = new URL('./screenshots/', import.meta.url).pathname;
const HOST = '127.0.2.1';
const PLACE = `${HOST}:0`;
/** What the browser says while the node is away. */
const AWAY = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/;

const executable = findChromium();
const complaints: string[] = [];
let net: TestNet;
let founder: TestNode;
let others: readonly TestNode[];
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (executable === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  net = new TestNet();
  const ring = { 'ring-hash': PLACE, 'ring-welcome': PLACE, 'ring-peer': PLACE };
  const flags = ['--dashboard', '127.0.0.1:0', ...legacyFlags(ring)];
  founder = await net.start({ listen: PLACE, flags });
  others = Array.from({ length: 7 }, () => net.launch({ join: [founder.address] }));
  await Promise.all(others.map(async (node) => node.ready(60_000)));
  await untilIdeal([founder, ...others], 60_000);
  browser = await openBrowser(executable);
  page = await openPage(browser, urlOf(founder), complaints);
}, 120_000);

afterAll(async () => {
  if (executable === undefined) return;
  await browser.close();
  await net[Symbol.asyncDispose]();
});

const urlOf = (node: TestNode): string =>
  `http://${String(node.record('ringbinder ready')?.['dashboard'])}/`;
const spots = () => page.locator('.spot:not(.is-gone)');
const spotOf = (node: TestNode) => page.locator(`.spot[data-ring-id="${node.ringId}"]`);
const untilSpots = async (count: number): Promise<void> => {
  await until(
    async () => ((await spots().count()) === count ? true : undefined),
    15_000,
    () => `never ${count} peers`,
  );
};
const shoot = async (name: string, from = page): Promise<void> => {
  await from.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage: true });
};

describe.skipIf(executable === undefined)('the page', () => {
  it('draws every peer with an arrow to its successor, and the verdict', async () => {
    await untilSpots(8);
    await page.locator('.successors path').nth(7).waitFor({ state: 'attached' });
    expect(await page.locator('.successors path').count()).toBe(8);
    await page.locator('.state.is-ideal').waitFor();
    await shoot('ring-of-8');
  });

  it('shows a guest with its dialect, in another shape', async () => {
    const places = founder.record('ringbinder ready')!['legacy'] as Record<string, string>;
    const guest = await LegacyPeer.listen('127.0.2.11', Number(places['ring peer']!.split(':')[1]));
    await guest.enter(places['ring hash']!, places['ring welcome']!);
    const spot = page.locator('.spot.is-guest');
    await spot.waitFor();
    expect(await spot.locator('path.shape').count()).toBe(1);
    expect(await spot.getAttribute('aria-label')).toContain('Guest of dialect ring');
    expect(await spot.locator('text').textContent()).toContain('ring guest');
    await shoot('guest');
  }, 30_000);

  it('goes round by keyboard, and chooses', async () => {
    await page.locator('.spot[tabindex="0"]').focus();
    const focused = async (): Promise<string | null> =>
      page.locator('.spot:focus').getAttribute('data-ring-id');
    const count = await spots().count();
    const start = await focused();
    const visited = new Set([start]);
    for (let step = 1; step < count; step += 1) {
      await page.keyboard.press('ArrowRight');
      visited.add(await focused());
    }
    expect(visited.size).toBe(count);
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe(start);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    const chosen = await focused();
    expect(await page.locator('.spot.is-selected').getAttribute('data-ring-id')).toBe(chosen);
    await page.getByText('Members known').waitFor();
    expect(await page.locator('.fingers path').count()).toBeGreaterThan(0);
    await shoot('selected');
    await page.keyboard.press('Escape');
    await page.locator('.spot.is-selected').waitFor({ state: 'detached' });
  });

  it('draws the way of a lookup hop by hop, and lists it', async () => {
    const key = await keyOfAnother();
    await founder.sdk.dht.put(key, 'a value');
    await page.getByLabel(/Look up a key/).fill(key);
    await page.getByRole('button', { name: 'Look up' }).click();
    const hops = page.locator('.hops li');
    await hops.first().waitFor();
    const listed = await hops.allTextContents();
    expect(listed.at(-1)).toMatch(/127\.0\.\d\.1:\d+ [\d.]+ ms/);
    expect(await page.locator('.trace path').count()).toBe(listed.length);
    const offset = async () => page.locator('.trace path').last().getAttribute('stroke-dashoffset');
    expect(Number(await offset())).toBeGreaterThan(0);
    await until(async () => (Number(await offset()) === 0 ? true : undefined), 10_000);
    await page.getByText('7 B; ').waitFor();
    await shoot('lookup');
  });

  it('shows the evidence behind the health of an endpoint', async () => {
    await founder.sdk.binder.register('mail', '127.0.0.1:9', { ttlMs: 60_000 });
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.locator('summary', { hasText: 'mail' }).click();
    await page.getByRole('button', { name: 'Why?' }).click();
    await page.locator('.evidence li', { hasText: 'REGISTRATION' }).waitFor();
    await shoot('services');
  });

  it('shows the ring as a table', async () => {
    await page.getByRole('button', { name: 'Table' }).click();
    expect(await page.locator('.ring-table tbody tr').count()).toBe(9);
    await page.getByRole('button', { name: 'Picture' }).click();
    await untilSpots(9);
  });

  it('fits a narrow page, light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const viewport = { width: 360, height: 740 };
      const narrow = await openPage(browser, urlOf(founder), complaints, { viewport, colorScheme });
      await narrow.locator('.spot').first().waitFor();
      const width = await narrow.evaluate<number>('document.documentElement.scrollWidth');
      expect(width).toBeLessThanOrEqual(360);
      await shoot(`narrow-${colorScheme}`, narrow);
      await narrow.close();
    }
  });

  it('shows within two seconds that a peer died, and says so', async () => {
    const victim = others[3]!;
    await victim.end('SIGKILL');
    const start = performance.now();
    await until(async () => {
      const classes =
        (await spotOf(victim)
          .first()
          .getAttribute('class')
          .catch(() => null)) ?? '';
      return /is-silent|is-gone|^$/.test(classes) ? true : undefined;
    }, 5_000);
    expect(performance.now() - start).toBeLessThan(2_000);
    await page.locator('.news', { hasText: victim.address }).waitFor();
    await shoot('death');
    await page.getByText('8 members').waitFor({ timeout: 20_000 });
    await page.locator('.state.is-ideal').waitFor({ timeout: 20_000 });
  }, 30_000);

  it('has complained of nothing', () => {
    expect(complaints).toEqual([]);
  });

  it('says that its node is away, and goes on when it is back', async () => {
    const places = ['--dashboard', '127.0.0.1:0'];
    const dataDir = net.dataDir('restarted');
    const node = await net.start({ join: [founder.address], flags: places, dataDir });
    const { listen, dashboard } = node.record('ringbinder ready') as Record<string, string>;
    const watching = await openPage(browser, urlOf(node), complaints);
    await watching.locator('.spot').first().waitFor();
    await node.end('SIGTERM');
    await watching.locator('.lost').waitFor();
    await shoot('lost', watching);
    const flags = ['--dashboard', dashboard!];
    await net.start({ join: [founder.address], listen: listen!, flags, dataDir });
    await watching.locator('.lost').waitFor({ state: 'detached' });
    await watching.locator('.news', { hasText: 'The node answers again.' }).waitFor();
    expect(complaints.filter((text) => !AWAY.test(text))).toEqual([]);
  }, 60_000);
});

/** A key that the founder has to ask another peer for. */
async function keyOfAnother(): Promise<string> {
  for (let number = 0; ; number += 1) {
    const key = `key ${number}`;
    const { owner } = await founder.sdk.peer.lookupKey(key);
    if (owner.ringId !== founder.ringId && !owner.address.startsWith('ring:')) return key;
  }
}
