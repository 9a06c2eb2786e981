/**
 * Tells of values that others put. The public contract has no stream of all writes, so the keys that the
 * node itself stores are looked through every two seconds: one call for each 1,000 of them, four calls at
 * most, and one for each value that is new, 64 at most; the rest of those follow in the next look.
 */
import type { Client } from '@grpc/grpc-js';
import { DhtServiceService, type StoredKey } from '../../proto/gen/ringbinder/v1/dht_service.js';
import { callUnary } from '../rpc/channel.js';
import { timestampFromWire } from '../rpc/wire-time.js';
import { pause, type Clock } from '../system/clock.js';
import type { NodeLink } from './link.js';

/** Shorter than a session takes what it hears of for its own write coming back. */
const LOOK_EVERY_MS = 2_000;
const PAGE_SIZE = 1_000;
const PAGES_MAX = 4;
const VALUES_PER_LOOK_MAX = 64;
const CALL_OPTIONS = { timeoutMs: 4_000 };

type Told = (key: string, value: Uint8Array, lifeMs: number) => void;

export type ValueFollowerDeps = {
  readonly link: NodeLink;
  readonly clock: Clock;
  readonly isWanted: (key: string) => boolean;
  readonly put: Told;
};

export class ValueFollower {
  readonly #deps: ValueFollowerDeps;
  /** Versions that were told, by key: those of the last look. */
  #told: ReadonlyMap<string, string> = new Map();

  constructor(deps: ValueFollowerDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { link, clock } = this.#deps;
    void link.whileServed(link.closed, async (client, signal) => {
      while (!signal.aborted) {
        await this.#look(client, signal);
        await pause(clock, LOOK_EVERY_MS, signal);
      }
    });
  }

  async #look(client: Client, signal: AbortSignal): Promise<void> {
    const stored = await this.#wantedKeys(client, signal);
    const isNews = ({ key, version }: StoredKey): boolean => this.#told.get(key) !== version;
    const later = new Set(stored.filter(isNews).slice(VALUES_PER_LOOK_MAX));
    for (const each of stored) {
      if (isNews(each) && !later.has(each)) await this.#tell(client, each.key, signal);
    }
    const told = stored.filter((each) => !later.has(each));
    this.#told = new Map(told.map(({ key, version }) => [key, version]));
  }

  async #wantedKeys(client: Client, signal: AbortSignal): Promise<readonly StoredKey[]> {
    const wanted: StoredKey[] = [];
    let pageToken = '';
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const request = { pageSize: PAGE_SIZE, pageToken, prefix: '' };
      const options = { ...CALL_OPTIONS, signal };
      const answer = await callUnary(client, DhtServiceService.listKeys, request, options);
      wanted.push(...answer.keys.filter(({ key }) => this.#deps.isWanted(key)));
      pageToken = answer.nextPageToken;
      if (pageToken === '') break;
    }
    return wanted;
  }

  /** A value that has gone meanwhile is passed over. */
  async #tell(client: Client, key: string, signal: AbortSignal): Promise<void> {
    const request = { key, readQuorum: 0 };
    const found = await callUnary(client, DhtServiceService.get, request, {
      ...CALL_OPTIONS,
      signal,
    }).catch(() => undefined);
    if (found === undefined) return;
    const { value, expireTime } = found;
    const endMs = expireTime === undefined ? Infinity : timestampFromWire(expireTime);
    this.#deps.put(key, value, endMs - this.#deps.clock.now());
  }
}
