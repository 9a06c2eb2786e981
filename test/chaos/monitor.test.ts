/** The verdict on a ring that never rests: members come and are killed, and nothing is ever broken. */
import { describe, expect, it } from 'vitest';
import type { RingVerdict } from '../../clients/sdk/index.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';

const SIZE = 8;
const CHURN_MS = Number(process.env['RINGBINDER_CHURN_MS'] ?? 30_000);

describe('CheckRing under joins and kills', () => {
  it(
    'never calls the ring broken',
    async () => {
      await using net = new TestNet();
      const ring = [...(await net.ring(SIZE))];
      await untilIdeal(ring, 30_000);
      // The one that is asked holds the directory, and stays.
      const founder = ring.shift()!;
      const verdicts: RingVerdict[] = [];
      const end = performance.now() + CHURN_MS;
      const checking = (async () => {
        while (performance.now() < end) verdicts.push(await founder.sdk.monitor.check());
      })();
      let kills = 0;
      while (performance.now() < end) {
        const comer: TestNode = await net.start({ join: [founder.address] });
        ring.push(comer);
        await ring.shift()!.end('SIGKILL');
        kills += 1;
      }
      await checking;
      const countOf = (state: RingVerdict['state']): number =>
        verdicts.filter((verdict) => verdict.state === state).length;
      const states = (['ideal', 'repairing', 'forming', 'broken'] as const)
        .map((state) => `${countOf(state)} ${state}`)
        .join(', ');
      console.log(`${kills} joins and kills; ${verdicts.length} verdicts: ${states}`);
      expect(verdicts.length).toBeGreaterThan(CHURN_MS / 2_000);
      expect(countOf('broken')).toBe(0);
      await untilIdeal([founder, ...ring], 30_000);
      expect(await founder.sdk.monitor.check()).toMatchObject({ state: 'ideal', stable: true });
    },
    CHURN_MS + 120_000,
  );
});
