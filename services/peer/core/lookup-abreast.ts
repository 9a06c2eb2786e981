/**
 * The iterative lookup with several questions under way at once.
 *
 * It asks the best candidates it knows, up to `parallelism` of them, and goes on with the first useful
 * answer; a silent peer is passed while the others answer. Hops are peers on the way, the closest
 * first. Claimants are peers named as the owner, the nearest behind the position first.
 *
 * Claimants are asked whether they live. One that names a predecessor before the position has proven
 * that it is the owner, and ends the walk. One that proves nothing is the owner once no nearer
 * claimant is left. A remembered claimant (the route cache) counts only when it proves it.
 */
import { askForProof, judgeClaim } from './cached-owner.js';
import type { Ask, Conversation, Heard } from './conversation.js';
import { AVOIDED_MAX, type LookupOptions, type LookupResult } from './lookup.js';
import type { Answer, Hop } from './messages.js';
import { isAvoided, isBetween, isOwnedBy, type PeerRef } from './ring-space.js';
import { waysFrom } from './routing.js';

export type AbreastOptions = Omit<LookupOptions, 'accept' | 'avoided'> & {
  /** Most questions under way at once, from 1. */
  readonly parallelism: number;
  /** A member that is remembered as the owner. */
  readonly claimant?: PeerRef | undefined;
};

/** Looks a position up. Asks at most `asksMax` questions; the hops are the way to the owner. */
export function* lookupAbreast(options: AbreastOptions): Conversation<LookupResult> {
  const walk = new WalkAbreast(options);
  while (!walk.isOver) {
    const asks = walk.nextAsks();
    if (asks.length === 0 && !walk.isWaiting) break;
    walk.take(yield asks);
  }
  return walk.result();
}

type Candidate = {
  readonly role: 'hop' | 'claimant';
  readonly namedBy: Candidate | undefined;
  peer: PeerRef;
  state: 'fresh' | 'asked' | 'answered' | 'failed';
  elapsedMs: number;
  /** How many peers were avoided when it was asked last. */
  avoidedCount: number;
};

class WalkAbreast {
  readonly #options: AbreastOptions;
  readonly #avoided: PeerRef[] = [];
  readonly #candidates: Candidate[] = [];
  readonly #underWay = new Map<Ask, Candidate>();
  /** The remembered claimant, and the one that it named instead; each is asked once. */
  readonly #remembered: PeerRef[];
  #rememberedAsk: Ask | undefined;
  #correctionsLeft = 1;
  /** The hop nearest to the position that has answered. */
  #closest: PeerRef | undefined;
  #owner: Candidate | undefined;
  #asked = 0;
  #timeouts = 0;

  constructor(options: AbreastOptions) {
    this.#options = options;
    this.#startFromHere();
    const isOpen = this.#owner === undefined && this.#candidatesOf('claimant').length === 0;
    this.#remembered = isOpen && options.claimant !== undefined ? [options.claimant] : [];
  }

  get isOver(): boolean {
    return this.#owner !== undefined || this.#avoided.length > AVOIDED_MAX;
  }

  get isWaiting(): boolean {
    return this.#underWay.size > 0 || this.#rememberedAsk !== undefined;
  }

  result(): LookupResult {
    const hops: Hop[] = [];
    for (let at = this.#owner; at !== undefined; at = at.namedBy) {
      const { peer, elapsedMs } = at;
      if (peer.ringId !== this.#options.self.ringId) hops.unshift({ peer, elapsedMs });
    }
    const owner = this.#owner?.peer;
    return { owner, predecessor: undefined, hops, timeouts: this.#timeouts };
  }

  /** What to ask now: nothing when enough is under way, or nothing is left. */
  nextAsks(): readonly Ask[] {
    const { parallelism, asksMax } = this.#options;
    const busy = this.#underWay.size + (this.#rememberedAsk === undefined ? 0 : 1);
    const free = Math.min(parallelism - busy, asksMax - this.#asked);
    if (free <= 0) return [];
    const first = this.#askRemembered();
    const chosen = this.#choose(free - first.length);
    this.#asked += first.length + chosen.length;
    return [...first, ...chosen.map((candidate) => this.#ask(candidate))];
  }

  take(reply: Heard): void {
    this.#judge(reply);
    const [nearest] = this.#candidatesOf('claimant');
    if (nearest?.state === 'answered') this.#owner ??= nearest;
  }

  #judge(reply: Heard): void {
    if (reply.kind === 'unanswered') this.#timeouts += 1;
    if (reply.ask === this.#rememberedAsk) return this.#takeClaim(reply);
    const candidate = this.#underWay.get(reply.ask);
    this.#underWay.delete(reply.ask);
    if (candidate === undefined) return;
    if (reply.kind === 'unanswered') return this.#fail(candidate);
    candidate.elapsedMs = reply.elapsedMs;
    candidate.state = 'answered';
    if (candidate.role === 'hop') this.#follow(candidate, reply.answer);
    else this.#confirm(candidate, reply.answer);
  }

  // Asking

  #askRemembered(): readonly Ask[] {
    const peer = this.#remembered[0];
    if (peer === undefined || this.#rememberedAsk !== undefined) return [];
    this.#rememberedAsk = askForProof(peer);
    return [this.#rememberedAsk];
  }

  #ask(candidate: Candidate): Ask {
    const { position, parallelism } = this.#options;
    const avoided = [...this.#avoided];
    const ask: Ask = {
      to: candidate.peer,
      question:
        candidate.role === 'claimant'
          ? { kind: 'ping' }
          : { kind: 'find-successor', position, avoided, alternatesMax: parallelism - 1 },
    };
    candidate.state = 'asked';
    candidate.avoidedCount = avoided.length;
    this.#underWay.set(ask, candidate);
    return ask;
  }

  #choose(max: number): readonly Candidate[] {
    const isFresh = ({ state }: Candidate): boolean => state === 'fresh';
    const claimants = this.#candidatesOf('claimant');
    if (claimants.length > 0) return claimants.filter(isFresh).slice(0, max);
    const fresh = this.#candidatesOf('hop').filter((it) => isFresh(it) && this.#isCloser(it));
    if (fresh.length > 0 || this.#underWay.size > 0) return fresh.slice(0, max);
    return this.#goBack().slice(0, max);
  }

  /** All that was named is dead: the closest hop names another way, or it starts anew from here. */
  #goBack(): readonly Candidate[] {
    const again = this.#candidatesOf('hop').find(
      ({ state, avoidedCount }) => state === 'answered' && avoidedCount < this.#avoided.length,
    );
    if (again !== undefined) return [again];
    this.#closest = undefined;
    this.#startFromHere();
    const named = [...this.#candidatesOf('claimant'), ...this.#candidatesOf('hop')];
    return named.filter(({ state }) => state === 'fresh');
  }

  #startFromHere(): void {
    const { here, self, parallelism } = this.#options;
    if (here(this.#avoided).kind === 'self') {
      this.#owner = this.#add(self, 'claimant', undefined);
    }
    for (const { kind, peer } of waysFrom(here, this.#avoided, parallelism - 1)) {
      this.#add(peer, kind === 'owner' ? 'claimant' : 'hop', undefined);
    }
  }

  // Answers

  #takeClaim(reply: Heard): void {
    this.#rememberedAsk = undefined;
    const claimant = this.#remembered.shift();
    if (claimant === undefined) return;
    const { position, self } = this.#options;
    const verdict = judgeClaim(claimant, position, reply);
    if (verdict.kind === 'proven') {
      this.#owner = this.#add(verdict.owner, 'claimant', undefined);
      this.#owner.elapsedMs = reply.elapsedMs;
    }
    const isOther = verdict.kind === 'corrected' && verdict.peer.ringId !== self.ringId;
    if (isOther && this.#correctionsLeft > 0) this.#remembered.push(verdict.peer);
    this.#correctionsLeft -= 1;
  }

  #follow(from: Candidate, answer: Answer): void {
    if (answer.kind !== 'owner' && answer.kind !== 'next-hop') return this.#fail(from);
    if (answer.peer.ringId === from.peer.ringId) {
      this.#owner = from;
      return;
    }
    const role = answer.kind === 'owner' ? 'claimant' : 'hop';
    const named = [answer.peer, ...(answer.alternates ?? [])];
    const useful = named.filter((peer) => this.#isUseful(peer, role, from));
    if (useful.length === 0) return this.#fail(from);
    for (const peer of useful) this.#add(peer, role, from);
    if (this.#isCloser(from)) this.#closest = from.peer;
  }

  /** A claimant lives; is there a nearer one? */
  #confirm(claimant: Candidate, answer: Answer): void {
    if (answer.kind === 'busy') return;
    if (answer.kind !== 'alive' || answer.stage !== 'member') return this.#fail(claimant);
    claimant.peer = answer.self;
    this.#weigh(claimant, answer.predecessor);
  }

  #weigh(claimant: Candidate, predecessor: PeerRef | undefined): void {
    if (predecessor === undefined || isAvoided(predecessor, this.#avoided)) return;
    const { position } = this.#options;
    const isProven = isOwnedBy(predecessor.ringId, position, claimant.peer.ringId);
    if (isProven) this.#owner = claimant;
    else this.#add(predecessor, 'claimant', claimant);
  }

  #fail(candidate: Candidate): void {
    candidate.state = 'failed';
    this.#avoided.push(candidate.peer);
  }

  // Candidates

  #isUseful(peer: PeerRef, role: Candidate['role'], from: Candidate): boolean {
    if (isAvoided(peer, this.#avoided)) return false;
    const { self, position } = this.#options;
    if (role === 'claimant') return true;
    return peer.ringId !== self.ringId && isBetween(from.peer.ringId, peer.ringId, position);
  }

  #add(peer: PeerRef, role: Candidate['role'], namedBy: Candidate | undefined): Candidate {
    const known = this.#candidatesOf(role).find((it) => it.peer.ringId === peer.ringId);
    if (known !== undefined) return known;
    const state = 'fresh' as const;
    const added: Candidate = { peer, role, namedBy, state, elapsedMs: 0, avoidedCount: 0 };
    this.#candidates.push(added);
    if (peer.ringId === this.#options.self.ringId) {
      added.state = 'answered';
      if (this.#owner === undefined) this.#weigh(added, this.#options.predecessor());
    }
    return added;
  }

  /** Those that have not failed, the best first. */
  #candidatesOf(role: Candidate['role']): readonly Candidate[] {
    const { position } = this.#options;
    const isBefore = ({ ringId: one }: PeerRef, { ringId: other }: PeerRef): boolean => {
      if (role === 'hop') return isBetween(other, one, position);
      return one === position || (other !== position && isBetween(position, one, other));
    };
    return this.#candidates
      .filter((it) => it.role === role && it.state !== 'failed')
      .sort((one, other) => (isBefore(one.peer, other.peer) ? -1 : 1));
  }

  #isCloser({ peer }: Candidate): boolean {
    if (this.#closest === undefined) return true;
    return isBetween(this.#closest.ringId, peer.ringId, this.#options.position);
  }
}
