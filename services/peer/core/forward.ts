/**
 * The recursive lookup: each peer on the way passes the question on, and the answer comes back along
 * the path.
 *
 * Bounded in hops, in time and in tries. Each peer gets a part of the time that the one before it has
 * left, so that it reports a failure before nobody waits for it any more. The last peer on the way
 * makes sure that the owner lives, as in the iterative lookup. A peer that reports a failure has
 * tried what it could, so whoever asked it reports it as well.
 */
import type { Conversation } from './conversation.js';
import { AVOIDED_MAX, lookup, type LookupOptions, type LookupResult } from './lookup.js';
import type { Hop, Question } from './messages.js';
import type { PeerRef } from './ring-space.js';

/** How often a lookup may be passed on: far more than a ring of any size needs with its fingers. */
export const FORWARD_HOPS_MAX = 32;
/** How long a recursive lookup may take, unless its caller has less time. */
export const FORWARD_MS_MAX = 6_000;
/** How long a path an answer may carry: what the last peer asks is on it as well. */
export const PATH_HOPS_MAX = 64;
/** How many peers one peer tries to pass a lookup on to. */
const TRIES_MAX = 3;
/** Part of the time left that is given along. */
const TIME_SHARE = 0.75;
/** With less time left it is not worth asking. */
const BUDGET_MS_MIN = 50;
/** Most questions of the last peer on the way: the owner, and some that are found instead. */
const LAST_ASKS_MAX = 4;

export type ForwardOptions = Omit<LookupOptions, 'accept' | 'avoided' | 'asksMax'> & {
  readonly avoided: readonly PeerRef[];
  readonly hopsMax: number;
  readonly budgetMs: number;
};

export type Forwarded = LookupResult & { readonly elapsedMs: number };

/** Finds the owner through the next peer on the way; without an owner when that failed. */
export function* forwardLookup(options: ForwardOptions): Conversation<Forwarded> {
  const avoided = [...options.avoided];
  let elapsedMs = 0;
  let timeouts = 0;
  const end = (owner: PeerRef | undefined, hops: readonly Hop[]): Forwarded => {
    return { owner, predecessor: undefined, hops, timeouts, elapsedMs };
  };
  for (let tries = 0; tries < TRIES_MAX && avoided.length < AVOIDED_MAX; tries += 1) {
    const step = options.here(avoided);
    if (step.kind === 'nowhere') break;
    if (step.kind !== 'next-hop') return yield* lastStep(options, avoided, end(undefined, []));
    const question = passedOn(options, avoided, elapsedMs);
    if (question === undefined) break;
    const reply = yield { to: step.peer, question };
    elapsedMs += reply.elapsedMs;
    if (reply.kind === 'answered' && reply.answer.kind === 'found') {
      const { owner, hops } = reply.answer;
      return end(owner, [{ peer: step.peer, elapsedMs: reply.elapsedMs }, ...hops]);
    }
    if (reply.kind === 'answered' && reply.answer.kind === 'not-found') break;
    if (reply.kind === 'unanswered') timeouts += 1;
    avoided.push(step.peer);
  }
  return end(undefined, []);
}

/** The question for the next peer; undefined when it may not be passed on any more. */
function passedOn(
  { position, hopsMax, budgetMs }: ForwardOptions,
  avoided: readonly PeerRef[],
  elapsedMs: number,
): Question | undefined {
  const share = Math.floor((budgetMs - elapsedMs) * TIME_SHARE);
  if (hopsMax <= 0 || share < BUDGET_MS_MIN) return undefined;
  return {
    kind: 'forward-lookup',
    position,
    avoided: [...avoided],
    hopsMax: hopsMax - 1,
    budgetMs: share,
  };
}

/** This peer owns the position, or knows who should. */
function* lastStep(
  options: ForwardOptions,
  avoided: readonly PeerRef[],
  before: Forwarded,
): Conversation<Forwarded> {
  const found = yield* lookup({ ...options, avoided, asksMax: LAST_ASKS_MAX });
  const timeouts = before.timeouts + found.timeouts;
  return { ...found, timeouts, elapsedMs: before.elapsedMs };
}
