/**
 * The ring of a directory that several nodes share, as the store has it: the first node founds it, the
 * others find it there.
 */
import type { Logger } from 'pino';
import type { Store } from '../storage/store.js';
import type { Ring } from './ring-finder.js';

const KEY = 'ring';

/** What all nodes of a ring must know alike. */
export type RingTerms = Omit<Ring, 'directoryAddress'>;

/** Returns the ring in the store; with a candidate, that one becomes it where there is none. */
export async function ringIn(
  store: Store,
  candidate: RingTerms | undefined,
): Promise<RingTerms | undefined> {
  for (;;) {
    const entry = await store.get(KEY);
    if (entry !== undefined) return termsOf(entry.value);
    if (candidate === undefined) return undefined;
    const { name, size, successorsMax, copies } = candidate;
    const value = Buffer.from(JSON.stringify({ name, size, successorsMax, copies }), 'utf8');
    const conditions = [{ kind: 'absent', key: KEY } as const];
    if (await store.commit({ conditions, writes: [{ kind: 'put', key: KEY, value }] })) {
      return candidate;
    }
  }
}

/** Puts the ring back into a store that has lost it; ends by the signal, or with the store. */
export async function keepRingIn(
  store: Store,
  ring: RingTerms,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  for await (const { kind } of store.watch({ prefix: KEY }, signal)) {
    try {
      const found = await ringIn(store, ring);
      if (found?.name === ring.name) continue;
      log.error({ ring: ring.name, found: found?.name }, 'the store has another ring now');
    } catch (err) {
      log.warn({ err, kind }, 'could not see to the ring in the store');
    }
  }
}

function termsOf(value: Uint8Array): RingTerms {
  return JSON.parse(Buffer.from(value).toString('utf8')) as RingTerms;
}
