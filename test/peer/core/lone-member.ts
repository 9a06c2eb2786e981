/** One ring member without a network: what it wants done comes out as lines, replies go in by hand. */
import {
  MEMBER_LIMITS,
  RingMember,
  type MemberEffect,
  type MemberLimits,
} from '../../../services/peer/core/member.js';
import type { Answer, Letter, RequestId } from '../../../services/peer/core/messages.js';
import { askText, effectText, peer, peers } from '../ring-text.js';
import { alive, neighbors } from './lone-machine.js';

const ELAPSED_MS = 3;

export class LoneMember {
  readonly member: RingMember;
  readonly letters: Letter[] = [];
  inboxSays: 'delivered' | 'inbox-full' = 'delivered';
  readonly #used = new Set<RequestId>();
  #wanted: string[] = [];
  readonly #open: { readonly line: string; readonly requestId: RequestId }[] = [];

  /** p20 on a ring of 64, that does by itself only what a test asks for. */
  constructor(limits: Partial<MemberLimits> = {}) {
    const never = 1_000_000;
    this.member = new RingMember({
      self: peer(20),
      limits: {
        ...MEMBER_LIMITS,
        ringSize: 64,
        successorsMax: 2,
        stabilizeTicks: never,
        fingerTicks: never,
        seekLostTicks: never,
        seekMetTicks: never,
        routesMax: 0,
        ...limits,
      },
      perform: (effect) => this.#perform(effect),
      deliver: (letter) => {
        this.letters.push(letter);
        return this.inboxSays;
      },
    });
  }

  /** What it has wanted done since the last call. */
  take(): readonly string[] {
    return this.#wanted.splice(0);
  }

  /** What it wants done in these ticks. */
  ticks(count: number): readonly string[] {
    for (let tick = 0; tick < count; tick += 1) this.member.tick();
    return this.take();
  }

  /** Answers its oldest open question of this line; returns what it then wants done. */
  answer(line: string, answer: Answer): readonly string[] {
    this.member.answered(this.#close(line), answer, ELAPSED_MS);
    return this.take();
  }

  silence(line: string): readonly string[] {
    this.member.unanswered(this.#close(line), ELAPSED_MS);
    return this.take();
  }

  #close(line: string): RequestId {
    const index = this.#open.findIndex((it) => it.line === line);
    const [ask] = index < 0 ? [] : this.#open.splice(index, 1);
    if (ask === undefined) {
      throw new Error(`not asked: ${line}; but: ${this.#open.map((it) => it.line).join(', ')}`);
    }
    return ask.requestId;
  }

  #perform(effect: MemberEffect): void {
    this.#wanted.push(effectText(effect));
    if (effect.kind !== 'ask') return;
    const { requestId } = effect;
    if (this.#used.has(requestId)) throw new Error(`number used again: ${askText(effect)}`);
    this.#used.add(requestId);
    this.#open.push({ line: askText(effect), requestId });
  }
}

/** p20 that has joined a ring of p10 p20 p30 p40, and has its finger p60 (of 36 and 52). */
export function joinedMember(limits: Partial<MemberLimits> = {}): LoneMember {
  const lone = new LoneMember(limits);
  lone.member.join([peer(10, 9)]);
  lone.answer('asks p10.any find-successor 20 without [p20]', { kind: 'owner', peer: peer(30) });
  lone.answer('asks p30 ping', alive(peer(30), peer(10)));
  lone.answer('asks p10.any neighbors', neighbors(peer(10), peer(40), ...peers(30, 40)));
  lone.answer('asks p30 neighbors', neighbors(peer(30), peer(20), ...peers(40, 10)));
  return lone;
}
