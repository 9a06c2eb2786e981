/**
 * The verdict on a ring that is alive: what two looks in a row agree on.
 *
 * A look takes a while, and the ring moves meanwhile: a single one may show what never was. Only when
 * nothing has changed from one look to the next is what they show a state of the ring.
 */
import { judge, type Violation as BrokenRule } from '../../peer/core/invariants.js';
import { isSameLife, type PeerRef } from '../../peer/core/ring-space.js';
import { isSameRing, type Topology } from './topology.js';

export type RingCondition = 'forming' | 'ideal' | 'repairing' | 'broken';

export type RingViolation = {
  readonly rule: BrokenRule['rule'] | 'IDEAL_POINTERS';
  readonly peers: readonly PeerRef[];
  readonly text: string;
};

export type RingVerdict = {
  readonly condition: RingCondition;
  readonly memberCount: number;
  readonly principalCount: number;
  readonly violations: readonly RingViolation[];
  /** Whether both looks showed the same ring. */
  readonly isStable: boolean;
  readonly unreachable: readonly PeerRef[];
};

/** Of a ring that has had enough principals; with too few of them a ring is small, and no more. */
const SIZE_RULE = 'SUFFICIENT_PRINCIPALS';

export function verdictOn(first: Topology, second: Topology, successorsMax: number): RingVerdict {
  const isStable = isSameRing(first, second);
  const before = judge(first.views, successorsMax);
  const now = judge(second.views, successorsMax);
  const isSmall = now.memberCount <= successorsMax;
  const broken = now.violations
    .filter(({ rule }) => !(isSmall && rule === SIZE_RULE))
    .filter((it) => !isStable || before.violations.some((other) => isSameViolation(it, other)));
  const isBroken = isStable && broken.some(({ rule }) => rule !== SIZE_RULE);
  const pointers = isSmall ? [] : pointerErrors(second, now.imperfect);
  return {
    condition: conditionOf({ isBroken, isSmall, isIdeal: now.isIdeal }),
    memberCount: now.memberCount,
    principalCount: now.principals.length,
    violations: [...broken, ...pointers],
    isStable,
    unreachable: second.unreachable,
  };
}

function conditionOf(found: {
  readonly isBroken: boolean;
  readonly isSmall: boolean;
  readonly isIdeal: boolean;
}): RingCondition {
  if (found.isBroken) return 'broken';
  if (found.isSmall) return 'forming';
  return found.isIdeal ? 'ideal' : 'repairing';
}

function pointerErrors(
  { views }: Topology,
  imperfect: readonly PeerRef[],
): readonly RingViolation[] {
  return imperfect.map((peer) => {
    const view = views.find(({ self }) => self === peer);
    const known = view?.successors.map(({ ringId }) => ringId).join(', ') ?? '';
    const text = `${peer.ringId} knows the successors ${known || 'of nobody'} and the predecessor ${
      view?.predecessor?.ringId ?? 'of nobody'
    }, which are not all nearest`;
    return { rule: 'IDEAL_POINTERS', peers: [peer], text };
  });
}

function isSameViolation(one: BrokenRule, other: BrokenRule): boolean {
  const [lead] = one.peers;
  const [otherLead] = other.peers;
  const hasSameLead =
    lead === undefined || otherLead === undefined
      ? lead === otherLead
      : isSameLife(lead, otherLead);
  return one.rule === other.rule && hasSameLead;
}
