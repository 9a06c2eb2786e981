import { HashKeeper } from '../../services/hash/keeper.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';
import { MemoryStore } from '../../services/storage/memory-store.js';
import type { Store, StoreCommit } from '../../services/storage/store.js';
import type { Admission } from '../../services/welcome/admission-queue.js';
import { WelcomeKeeper, type MembershipEvent } from '../../services/welcome/keeper.js';
import { captureLog } from '../support/capture-log.js';
import { FakeClock } from '../support/fake-clock.js';

export const TTL_MS = 15_000;

/** Lets a test step in before and after a commit, once each, or fail it. */
export class SteppedStore extends MemoryStore {
  beforeCommit: (() => Promise<unknown>) | undefined;
  afterCommit: (() => Promise<unknown>) | undefined;
  commitCount = 0;

  override async commit(commit: StoreCommit): Promise<boolean> {
    const [before, after] = [this.beforeCommit, this.afterCommit];
    this.beforeCommit = undefined;
    await before?.();
    this.commitCount += 1;
    const isDone = await super.commit(commit);
    this.afterCommit = undefined;
    await after?.();
    return isDone;
  }
}

export type WorldOptions = {
  readonly store?: Store;
  readonly clock?: FakeClock;
  readonly ringSize?: number;
  readonly admission?: Admission;
  readonly askedBelow?: number;
};

/** A directory with both its keepers, in which every ring is open unless a test says otherwise. */
export async function createWorld(options: WorldOptions = {}) {
  const { ringSize = 2 ** 31, clock = new FakeClock(), askedBelow = 5 } = options;
  const { store = new SteppedStore({ clock }), admission = async () => ({ kind: 'open' }) } =
    options;
  const { log, lines } = captureLog();
  const deps = { store, clock, log, ringSize, ttlMs: TTL_MS, admission, askedBelow };
  const keeper = await WelcomeKeeper.open(deps);
  const isMember = async (ringId: number) => keeper.isMember(ringId);
  const hash = new HashKeeper({ store, ringSize, isMember });
  return { keeper, hash, store, clock, lines };
}

export const peerAt = (ringId: number, incarnation = 1): PeerRef => ({
  ringId,
  address: `10.0.${ringId >> 8}.${ringId & 255}:7400`,
  incarnation,
});

export const idsOf = (peers: readonly PeerRef[]) => peers.map(({ ringId }) => ringId);

/** Lets everything happen that waits for nothing but other promises. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Watches, and collects what is seen: `['snapshot', 1, 2]`, `['joined', 3]`, `['quiet']`. */
export function watch(keeper: WelcomeKeeper) {
  const stop = new AbortController();
  const events: MembershipEvent[] = [];
  const seen: (string | number)[][] = [];
  const read = async (): Promise<void> => {
    for await (const { event } of keeper.watch(stop.signal)) {
      if (event !== undefined) events.push(event);
      seen.push(linesOf(event));
    }
  };
  return { events, seen, ended: read(), stop: () => stop.abort() };
}

function linesOf(event: MembershipEvent | undefined): (string | number)[] {
  if (event === undefined) return ['quiet'];
  if (event.kind === 'snapshot') return [event.kind, ...idsOf(event.peers)];
  return [event.kind, event.peer.ringId];
}
