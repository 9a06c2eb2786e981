import { describe, expect, it } from 'vitest';
import { followMembers, learnFromDirectory } from '../../../services/node/member-feed.js';
import { RouteCache } from '../../../services/peer/core/route-cache.js';
import type { MembershipEvent } from '../../../services/welcome/keeper.js';
import { captureLog } from '../../support/capture-log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settle } from '../lone-driver.js';
import { namesOf, peer, peers } from '../ring-text.js';

/** A feed from a directory that tells these events each time it is watched, and then breaks off. */
function feed(events: readonly MembershipEvent[]) {
  const clock = new FakeClock();
  const routes = new RouteCache({ self: peer(20), ringSize: 64, routesMax: 8 });
  const leaving = new AbortController();
  const watched = { count: 0 };
  const directory = {
    watch: async function* () {
      watched.count += 1;
      yield* events;
      throw new Error('the stream broke');
    },
  };
  const { log } = captureLog();
  const told = (event: MembershipEvent): void => learnFromDirectory(routes, event);
  const done = followMembers({ directory, told, clock, log, signal: leaving.signal });
  return { clock, routes, leaving, watched, done };
}

describe('followMembers', () => {
  it('learns who is in, who comes and who goes', async () => {
    const { routes } = feed([
      { kind: 'snapshot', peers: peers(10, 20, 30, 40) },
      { kind: 'joined', peer: peer(50) },
      { kind: 'left', peer: peer(10) },
      { kind: 'expired', peer: peer(30) },
      { kind: 'joined', peer: peer(30) },
    ]);
    await settle();
    expect(namesOf(routes.peers())).toBe('[p30 p40 p50]');
  });

  it('watches again after pauses that grow, and start small once something came', async () => {
    const { clock, watched } = feed([]);
    const counts: number[] = [];
    for (const ms of [0, 999, 1, 1_999, 1, 4_000]) {
      clock.advance(ms);
      await settle();
      counts.push(watched.count);
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 4]);
  });

  it('ends when it is told to', async () => {
    const { leaving, done, watched } = feed([]);
    await settle();
    leaving.abort();
    await done;
    expect(watched.count).toBe(1);
  });
});
