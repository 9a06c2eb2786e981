/** Who watches which service, and what they see of each change. */
import { HEARTBEAT_MS } from '../limits.js';
import { WatchQueue, type WatchItem } from '../rpc/watch-queue.js';
import type { Clock } from '../system/clock.js';
import { isLive, type Endpoint } from './core/endpoint.js';
import type { Change } from './core/ledger.js';

/** A watcher with more events waiting than this is cut off. */
const WATCHER_EVENTS_MAX = 10_000;

export type ServiceEvent =
  | { readonly kind: 'snapshot'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'added' | 'removed' | 'changed'; readonly endpoint: Endpoint };

export class ServiceWatches {
  readonly #clock: Clock;
  readonly #watchers = new Map<string, Set<WatchQueue<ServiceEvent>>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    let count = 0;
    for (const queues of this.#watchers.values()) count += queues.size;
    return count;
  }

  tell(change: Change): void {
    const { service } = change.endpoint.registration;
    const queues = this.#watchers.get(service);
    if (queues === undefined) return;
    const kind = kindOf(change);
    if (kind === undefined) return;
    const event = { kind, endpoint: change.endpoint };
    for (const queue of queues) queue.push(event);
  }

  /**
   * Yields a snapshot of these, then every change as it happens, with quiet items between; ends when
   * the signal says so. Throws `WATCHER_TOO_SLOW` behind 10,000 events that wait.
   */
  async *watch(
    service: string,
    endpoints: readonly Endpoint[],
    signal: AbortSignal,
  ): AsyncGenerator<WatchItem<ServiceEvent>, void, void> {
    const limits = { heartbeatMs: HEARTBEAT_MS, eventsMax: WATCHER_EVENTS_MAX };
    const queue = new WatchQueue<ServiceEvent>({ clock: this.#clock, signal, ...limits });
    queue.push({ kind: 'snapshot', endpoints });
    const queues = this.#watchers.get(service) ?? new Set();
    this.#watchers.set(service, queues.add(queue));
    try {
      yield* queue.items();
    } finally {
      queues.delete(queue);
      if (queues.size === 0) this.#watchers.delete(service);
    }
  }
}

/** Undefined: nothing that a watcher sees. */
function kindOf({ endpoint, previous }: Change): 'added' | 'removed' | 'changed' | undefined {
  if (!isLive(previous)) return isLive(endpoint) ? 'added' : undefined;
  if (!isLive(endpoint)) return 'removed';
  if (endpoint.endpointId !== previous.endpointId) return 'changed';
  const isSame =
    endpoint.health === previous.health &&
    JSON.stringify(endpoint.registration) === JSON.stringify(previous.registration) &&
    (endpoint.held === undefined) === (previous.held === undefined);
  return isSame ? undefined : 'changed';
}
