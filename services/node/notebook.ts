/**
 * What a node remembers of itself across restarts: its ring, its place, whether it holds the
 * directory, and whom it knew. Kept in a store of its own, as one JSON value.
 */
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import type { Store } from '../storage/store.js';

export type NodeMemory = {
  readonly ringName: string;
  readonly ringSize: number;
  readonly successorsMax: number;
  readonly copies: number;
  /** The address it had; at another address it is another peer, with another ring ID. */
  readonly address: string;
  readonly ringId: RingId;
  /** The latest life it has been in. */
  readonly incarnation: number;
  readonly holdsDirectory: boolean;
  /** Where the directory is, `host:port`. */
  readonly directoryAddress: string;
  /** Peers to come back through, the nearest first. */
  readonly acquaintances: readonly PeerRef[];
};

const KEY = 'node';
/** Enough to find a ring again; keeps the record far below the store's bound. */
const ACQUAINTANCES_MAX = 64;
const RECORD_BYTES_MAX = 48 * 1024;

export class Notebook {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async read(): Promise<NodeMemory | undefined> {
    const entry = await this.#store.get(KEY);
    if (entry === undefined) return undefined;
    return JSON.parse(Buffer.from(entry.value).toString('utf8')) as NodeMemory;
  }

  /** When it resolves, the memory is on disk. */
  async write(memory: NodeMemory): Promise<void> {
    const value = encode(memory, ACQUAINTANCES_MAX);
    await this.#store.commit({ conditions: [], writes: [{ kind: 'put', key: KEY, value }] });
  }
}

/** Leaves out the acquaintances furthest away where the record would not fit otherwise. */
function encode(memory: NodeMemory, count: number): Uint8Array {
  const acquaintances = memory.acquaintances.slice(0, count);
  const value = Buffer.from(JSON.stringify({ ...memory, acquaintances }), 'utf8');
  if (value.length <= RECORD_BYTES_MAX || count === 0) return value;
  return encode(memory, Math.floor(count / 2));
}
