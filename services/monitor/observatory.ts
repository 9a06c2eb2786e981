/**
 * Looks at the whole ring, for all who ask: one look at a time, which those share who asked before it
 * began; and one every second while anybody watches.
 */
import { HEARTBEAT_MS } from '../limits.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import type { PeerView } from '../peer/core/routing-table.js';
import { WatchQueue, type WatchItem } from '../rpc/watch-queue.js';
import { pause, type Cancel, type Clock } from '../system/clock.js';
import { Crawl, type CrawlLimits } from './core/crawl.js';
import { changesBetween, type Topology } from './core/topology.js';
import { verdictOn, type RingVerdict } from './core/verdict.js';
import type { TopologyEvent } from './wire.js';

const CRAWL_LIMITS: CrawlLimits = { asksMax: 32, peersMax: 10_000 };
/** Between the two looks of a verdict: some ticks of the ring. */
const VERDICT_GAP_MS = 300;
const WATCH_EVERY_MS = 1_000;
const WATCHER_EVENTS_MAX = 10_000;

export type ObservatoryDeps = {
  /** All peers that this node has heard of, itself included. */
  readonly known: () => readonly PeerRef[];
  readonly show: (peer: PeerRef) => Promise<PeerView | 'not a member' | 'unreachable'>;
  readonly clock: Clock;
};

export class Observatory {
  readonly #deps: ObservatoryDeps;
  readonly #closing = new AbortController();
  readonly #watchers = new Set<WatchQueue<TopologyEvent>>();
  /** The look under way, and the one that follows it. */
  #looking: Promise<Topology> | undefined;
  #next: Promise<Topology> | undefined;
  #shown: Topology | undefined;
  #stopWatching: Cancel | undefined;

  constructor(deps: ObservatoryDeps) {
    this.#deps = deps;
  }

  /** A look that begins when or after this is called. */
  async look(): Promise<Topology> {
    if (this.#looking === undefined) return this.#begin();
    this.#next ??= this.#looking.then(async () => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  async verdict(successorsMax: number): Promise<RingVerdict> {
    const first = await this.look();
    await pause(this.#deps.clock, VERDICT_GAP_MS, this.#closing.signal);
    return verdictOn(first, await this.look(), successorsMax);
  }

  /** A snapshot, then every change; ends by the signal. */
  async *watch(signal: AbortSignal): AsyncGenerator<WatchItem<TopologyEvent>, void, void> {
    const { clock } = this.#deps;
    const limits = { heartbeatMs: HEARTBEAT_MS, eventsMax: WATCHER_EVENTS_MAX };
    const queue = new WatchQueue<TopologyEvent>({ clock, signal, ...limits });
    const topology = this.#shown ?? (await this.look());
    this.#shown ??= topology;
    queue.push({ kind: 'snapshot', topology: this.#shown });
    this.#watchers.add(queue);
    this.#stopWatching ??= clock.every(WATCH_EVERY_MS, () => void this.#lookForWatchers());
    try {
      yield* queue.items();
    } finally {
      this.#watchers.delete(queue);
      if (this.#watchers.size === 0) this.#endWatching();
    }
  }

  close(): void {
    this.#closing.abort();
    this.#endWatching();
  }

  async #begin(): Promise<Topology> {
    const looking = this.#crawl();
    this.#looking = looking;
    try {
      return await looking;
    } finally {
      this.#looking = undefined;
    }
  }

  async #crawl(): Promise<Topology> {
    const { known, show } = this.#deps;
    const crawl = new Crawl(known(), CRAWL_LIMITS);
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        if (crawl.isDone) return resolve();
        for (const peer of crawl.next()) {
          void show(peer).then((view) => {
            if (view === 'unreachable') crawl.unanswered(peer);
            else if (view === 'not a member') crawl.notMember();
            else crawl.answered(view);
            goOn();
          });
        }
      };
      goOn();
    });
    return crawl.topology;
  }

  /** Looks that take longer than the interval are not piled up. */
  async #lookForWatchers(): Promise<void> {
    if (this.#looking !== undefined) return;
    const topology = await this.look();
    const changes = changesBetween(this.#shown ?? topology, topology);
    this.#shown = topology;
    for (const watcher of this.#watchers) for (const change of changes) watcher.push(change);
  }

  #endWatching(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#shown = undefined;
  }
}
