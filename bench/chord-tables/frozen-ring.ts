/**
 * A ring at one moment: stabilization is stopped, so nothing changes while peers are asked.
 *
 * Lookups are the production walk over the production routes, from the pointers and fingers that each
 * peer had at that moment. The dead do not answer.
 */
import { asksOf, type Ask, type Heard } from '../../services/peer/core/conversation.js';
import { lookup, type LookupResult } from '../../services/peer/core/lookup.js';
import { MEMBER_LIMITS, type RingMember } from '../../services/peer/core/member.js';
import type { Answer, Question } from '../../services/peer/core/messages.js';
import { route, type RouteStep } from '../../services/peer/core/routing.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';

export class FrozenRing {
  readonly #living: ReadonlyMap<number, RingMember>;

  /** Whoever is not among the living is dead. */
  constructor(living: readonly RingMember[]) {
    this.#living = new Map(living.map((member) => [member.state.self.ringId, member]));
  }

  lookup(asker: RingMember, position: number): LookupResult {
    const { self, predecessor } = asker.state;
    const walk = lookup({
      self,
      position,
      here: (avoided) => routeFrom(asker, position, avoided),
      predecessor: () => predecessor,
      asksMax: MEMBER_LIMITS.asksMax,
    });
    let turn = walk.next();
    while (turn.done !== true) {
      const [ask] = asksOf(turn.value);
      if (ask === undefined) throw new Error('this walk asks one question at a time');
      turn = walk.next(this.#reply(ask));
    }
    return turn.value;
  }

  #reply(ask: Ask): Heard {
    const member = this.#living.get(ask.to.ringId);
    if (member === undefined) return { kind: 'unanswered', elapsedMs: 0, ask };
    return { kind: 'answered', answer: answerOf(member, ask.question), elapsedMs: 0, ask };
  }
}

function routeFrom(
  { state, fingers }: RingMember,
  position: number,
  avoided: readonly PeerRef[],
): RouteStep {
  return route(state, fingers.peers(), position, avoided);
}

function answerOf(member: RingMember, question: Question): Answer {
  const { self, predecessor, stage } = member.state;
  if (question.kind !== 'find-successor') return { kind: 'alive', self, predecessor, stage };
  const next = routeFrom(member, question.position, question.avoided);
  if (next.kind === 'self') return { kind: 'owner', peer: self };
  return next.kind === 'nowhere' ? { kind: 'busy' } : next;
}
