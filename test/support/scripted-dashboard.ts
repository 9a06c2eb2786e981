/** A dashboard whose node says what the test wants. */
import type { ApiDeps } from '../../services/dashboard/api.js';
import type { Asset } from '../../services/dashboard/assets.js';
import type { StatsJson, VerdictJson, ViewJson } from '../../services/dashboard/messages.js';
import {
  DASHBOARD_LIMITS,
  DashboardServer,
  type DashboardLimits,
} from '../../services/dashboard/server.js';
import { systemClock } from '../../services/system/clock.js';

export const RING_SIZE = 2 ** 31;
const FINGERS = 31;

const STATS: StatsJson = {
  ...{ peerCount: 1, keyCount: 2, holderCount: 3, serviceCount: 4, endpointCount: 5 },
  ...{ guestCounts: {}, lookupCount: 6, storedBytes: 7, receivedBytes: 8, sentBytes: 9 },
  startedAtMs: 0,
};

export const VERDICT: VerdictJson = {
  ...{ state: 'ideal', memberCount: 1, principalCount: 1, successorsMax: 4, isStable: true },
  ...{ violations: [], unreachable: [], observedAtMs: 0 },
};

/** Opens one on a free port of loopback. */
export async function openDashboard(
  link: Partial<ApiDeps['link']>,
  limits: Partial<DashboardLimits> = {},
  assets: ReadonlyMap<string, Asset> = new Map(),
): Promise<DashboardServer> {
  const nothing = async (): Promise<never> => Promise.reject(new Error('not in this test'));
  const whole: ApiDeps['link'] = {
    ...{ topology: nothing, trace: nothing, key: nothing, services: nothing },
    ...{ endpoints: nothing, evidence: nothing, verdict: async () => VERDICT },
    stats: async () => STATS,
    watch: async function* () {
      // Tells nothing.
    },
    ...link,
  };
  const place = { host: '127.0.0.1', port: 0 };
  return DashboardServer.open(place, {
    link: whole,
    assets,
    clock: systemClock,
    limits: { ...DASHBOARD_LIMITS, ...limits },
    verdict: async () => whole.verdict(),
    failed: (error) => process.stderr.write(`${error.message}\n`),
    node: () => ({ ringId: 0, address: '10.0.0.1:1', ringName: 'ring-1', ringSize: RING_SIZE }),
  });
}

/** The views of an ideal ring with so many peers, evenly spread. */
export function evenRing(count: number): readonly ViewJson[] {
  const peers = Array.from({ length: count }, (_, index) => ({
    ringId: Math.floor((index * RING_SIZE) / count),
    address: `10.0.0.${index % 250}:${7_000 + index}`,
  }));
  const after = (index: number) => peers[index % count]!;
  return peers.map((peer, index) => ({
    peer,
    predecessor: after(index + count - 1),
    successors: [1, 2, 3, 4].map((step) => after(index + step)),
    fingers: Array.from({ length: FINGERS }, (_, power) => {
      const start = (peer.ringId + 2 ** power) % RING_SIZE;
      return { start, to: after(Math.ceil((start * count) / RING_SIZE)).ringId };
    }),
    incarnation: 1,
  }));
}
