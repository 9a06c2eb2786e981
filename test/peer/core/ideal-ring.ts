/** An ideal ring without a network: every member answers from exact pointers, in no time. */
import { asksOf, type Ask, type Conversation } from '../../../services/peer/core/conversation.js';
import type { FindOptions } from '../../../services/peer/core/find-owner.js';
import { Fingers } from '../../../services/peer/core/fingers.js';
import { forwardLookup } from '../../../services/peer/core/forward.js';
import type { Answer } from '../../../services/peer/core/messages.js';
import type { PeerRef, RingId } from '../../../services/peer/core/ring-space.js';
import { route, waysFrom, type RouteStep } from '../../../services/peer/core/routing.js';
import { outsideState, type RingState } from '../../../services/peer/core/state.js';
import { nameOf, peer, questionText } from '../ring-text.js';

export const RING_SIZE = 1_024;
const SUCCESSORS_MAX = 3;

export class IdealRing {
  readonly members: readonly PeerRef[];
  /** Addresses that answer nothing. */
  readonly silent = new Set<string>();
  readonly asked: string[] = [];
  readonly #states = new Map<string, RingState>();
  readonly #fingers = new Map<string, Fingers>();

  constructor(ringIds: readonly RingId[]) {
    const ordered = [...new Set(ringIds)].sort((one, other) => one - other);
    this.members = ordered.map((ringId) => peer(ringId));
    for (const [index, self] of this.members.entries()) this.#add(index, self);
  }

  ownerOf(position: RingId): PeerRef {
    return this.members.find(({ ringId }) => ringId >= position) ?? this.members[0]!;
  }

  /** What a member needs for a lookup; with nothing remembered. */
  optionsOf(self: PeerRef, position: RingId): FindOptions {
    return {
      self,
      position,
      here: (avoided) => this.#step(self, position, avoided),
      predecessor: () => this.#states.get(self.address)?.predecessor,
      asksMax: 96,
    };
  }

  /** Runs a conversation; of several questions under way the silent ones end last. */
  run<Result>(conversation: Conversation<Result>): Result {
    let underWay: readonly Ask[] = [];
    let turn = conversation.next();
    while (turn.done !== true) {
      underWay = 'question' in turn.value ? [turn.value] : [...underWay, ...turn.value];
      for (const { to, question } of asksOf(turn.value)) {
        this.asked.push(`${nameOf(to)} ${questionText(question)}`);
      }
      const ask = underWay.find((it) => !this.silent.has(it.to.address)) ?? underWay[0];
      if (ask === undefined) throw new Error('this conversation waits for nothing');
      underWay = underWay.filter((it) => it !== ask);
      const answer = this.#answer(ask);
      turn = conversation.next(
        answer === undefined
          ? { kind: 'unanswered', elapsedMs: 100, ask }
          : { kind: 'answered', answer, elapsedMs: 1, ask },
      );
    }
    return turn.value;
  }

  #answer({ to, question }: Ask): Answer | undefined {
    const state = this.#states.get(to.address);
    if (state === undefined || this.silent.has(to.address)) return undefined;
    const { self, predecessor } = state;
    if (to.incarnation !== 0 && to.incarnation !== self.incarnation) return { kind: 'stale' };
    if (question.kind === 'ping') return { kind: 'alive', self, predecessor, stage: 'member' };
    if (question.kind === 'forward-lookup') {
      const options = { ...this.optionsOf(self, question.position), ...question };
      const { owner, hops } = this.run(forwardLookup(options));
      return owner === undefined ? { kind: 'not-found' } : { kind: 'found', owner, hops };
    }
    if (question.kind !== 'find-successor') return { kind: 'busy' };
    const { position, avoided, alternatesMax = 0 } = question;
    const step = (out: readonly PeerRef[]): RouteStep => this.#step(self, position, out);
    if (step(avoided).kind === 'self') return { kind: 'owner', peer: self };
    const [best, ...others] = waysFrom(step, avoided, alternatesMax);
    if (best === undefined) return { kind: 'busy' };
    return { ...best, alternates: others.map((way) => way.peer) };
  }

  #step(self: PeerRef, position: RingId, avoided: readonly PeerRef[]): RouteStep {
    const state = this.#states.get(self.address) ?? outsideState(self);
    return route(state, this.#fingers.get(self.address)?.peers() ?? [], position, avoided);
  }

  #add(index: number, self: PeerRef): void {
    const count = this.members.length;
    const at = (place: number): PeerRef => this.members[(place + count) % count]!;
    const length = Math.min(SUCCESSORS_MAX, count - 1);
    const successors = Array.from({ length }, (_, place) => at(index + 1 + place));
    const predecessor = count === 1 ? undefined : at(index - 1);
    const stage = 'member' as const;
    this.#states.set(self.address, { ...outsideState(self), stage, predecessor, successors });
    const fingers = new Fingers(self, RING_SIZE);
    for (let at = fingers.next(successors); at !== undefined; at = fingers.next(successors)) {
      fingers.store(this.ownerOf(at));
    }
    this.#fingers.set(self.address, fingers);
  }
}
