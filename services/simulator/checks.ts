/**
 * What must hold after every event of a run.
 *
 * Zave's invariant is inductive: from a legal ring, steps that keep the model's assumptions (silence
 * means death; nobody dies whose death would break the invariant) lead to legal rings only. So the
 * checker follows which case applies:
 * - `legal`: any broken rule is a violation. While the ring never had r + 1 principals it is forming,
 *   and all rules but that one apply.
 * - `disturbed`: the world broke an assumption (a cut, a live peer taken for dead, a move between
 *   rings). Only order within each list is required, until the ring is legal again by itself: with
 *   r + 1 principals, or ideal while it is smaller.
 */
import { judge, type Judgement, type Violation } from '../peer/core/invariants.js';
import type { Neighbors } from '../peer/core/messages.js';
import { firstAt, isSameLife, type PeerRef, type RingId } from '../peer/core/ring-space.js';
import type { RingState } from '../peer/core/state.js';
import type { SimNode } from './sim-node.js';
import type { World } from './world.js';

/** Virtual time between two looks whether a disturbed ring has become legal. */
const LOOK_MS = 50;
const WHENS = ['now', 'after'] as const;

export type CheckerStats = {
  /** States judged: every one that differs from the one before in any pointer. */
  checks: number;
  /** Times that an assumption of the model was broken. */
  disturbances: number;
  /** States judged meanwhile. */
  disturbedChecks: number;
};

/** What is worked out once for each state of the ring. */
type Summary = { readonly isIdeal: boolean; readonly members: readonly PeerRef[] };

export class RingChecker {
  readonly #world: World;
  readonly #successorsMax: number;
  readonly #seen = new Map<SimNode, RingState>();
  readonly stats: CheckerStats = { checks: 0, disturbances: 0, disturbedChecks: 0 };
  #isBased = false;
  #isDisturbed = false;
  #isDirty = false;
  #isChangeOnItsWay = false;
  /** Certain ones, when the rules were looked at last. */
  #principals: readonly PeerRef[] = [];
  #nextLookMs = 0;
  #summary: Summary | undefined;

  constructor(world: World, successorsMax: number) {
    this.#world = world;
    this.#successorsMax = successorsMax;
  }

  get isDisturbed(): boolean {
    return this.#isDisturbed;
  }

  disturb(): void {
    this.stats.disturbances += this.#isDisturbed ? 0 : 1;
    this.#isDisturbed = true;
    this.#isBased = false;
    this.#isDirty = true;
    this.#principals = [];
  }

  /** Takes note that a node may have changed; remembers only what the rules look at. */
  touch(node: SimNode): void {
    const state = node.member?.state;
    const before = this.#seen.get(node);
    const isSame =
      before?.self === state?.self &&
      before?.stage === state?.stage &&
      before?.predecessor === state?.predecessor &&
      before?.successors === state?.successors;
    if (isSame) return;
    if (state === undefined) this.#seen.delete(node);
    else this.#seen.set(node, state);
    this.#isDirty = true;
    this.#summary = undefined;
  }

  /** Takes note that an answer on its way will change a node: to the model, it has done so. */
  expectChange(): void {
    this.#isChangeOnItsWay = true;
  }

  /** The rules broken by what has happened since the last call. */
  check(): readonly Violation[] {
    if (this.#isDisturbed) this.#lookWhetherLegal();
    if (!this.#isDirty) return this.#isChangeOnItsWay ? this.#checkPrincipals() : [];
    this.#isDirty = false;
    this.stats.checks += 1;
    this.stats.disturbedChecks += this.#isDisturbed ? 1 : 0;
    const { violations, principals } = this.#judge(this.#world.views('now'));
    this.#isBased ||=
      !this.#isDisturbed && this.#isBase(principals) && this.#isBase(this.#promised());
    const broken = violations.filter(({ rule }) => this.#applies(rule));
    return broken.length > 0 ? broken : this.#checkPrincipals();
  }

  /**
   * Principals are lost by their own end alone (a theorem of the model, stronger than its invariant:
   * it also shows steps that only happened to do no harm). The model's state is the one with all
   * answers on their way.
   */
  #checkPrincipals(): readonly Violation[] {
    this.#isChangeOnItsWay = false;
    if (this.#isDisturbed || !this.#isBased) return [];
    const principals = this.#promised();
    const lost = this.#principals.filter((peer) => this.#isMember(peer) && !isIn(principals, peer));
    this.#principals = principals;
    if (lost.length === 0) return [];
    return [{ rule: 'PRINCIPALS_ARE_KEPT', peers: lost, text: 'lives, and is skipped now' }];
  }

  #isBase(principals: readonly PeerRef[]): boolean {
    return principals.length > this.#successorsMax;
  }

  /** The principals, once all answers on their way have arrived. */
  #promised(): readonly PeerRef[] {
    return this.#judge(this.#world.views('after')).principals;
  }

  #isMember(peer: PeerRef): boolean {
    const state = this.#world.nodes.get(peer.address)?.member?.state;
    return state?.stage === 'member' && isSameLife(state.self, peer);
  }

  /** From time to time: what is on its way between peers counts as well. */
  #lookWhetherLegal(): void {
    const { now } = this.#world.timeline;
    if (now < this.#nextLookMs || this.#world.network.isCut) return;
    this.#nextLookMs = now + LOOK_MS;
    if (!this.#isLegalAgain()) return;
    this.#isDisturbed = false;
    this.#isDirty = true;
  }

  /** Whether another node may join now: a forming ring takes them in one at a time. */
  mayJoin(): boolean {
    return this.#isBased || this.#isDisturbed || this.isIdeal();
  }

  /**
   * Whether the model lets this node die now, by what is and by what answers on their way make. A
   * forming ring lets one die when everyone in it knows everyone.
   */
  mayDie(node: SimNode): boolean {
    if (!this.#isBased && !this.#isDisturbed && !this.isIdeal()) return false;
    return WHENS.every((when) => {
      const views = this.#world.views(when, node);
      if (views.length === 0) return false;
      const { violations } = this.#judge(views);
      return violations.every(({ rule }) => !this.#isBased && isFormingRule(rule));
    });
  }

  /** Whether every pointer of every node that is up is what it should be. */
  isIdeal(): boolean {
    return this.#summarize().isIdeal;
  }

  /** The owner of a position, while the ring is ideal and there is no doubt. */
  ownerOf(position: RingId): PeerRef | undefined {
    if (this.#isDisturbed || !this.isIdeal()) return undefined;
    const { members } = this.#summarize();
    return firstAt(members, position);
  }

  #summarize(): Summary {
    this.#summary ??= this.#newSummary();
    return this.#summary;
  }

  #newSummary(): Summary {
    const { members, up } = this.#world;
    const views = this.#world.views('now');
    return {
      isIdeal: members.length === up.length && this.#judge(views).isIdeal,
      members: views.map(({ self }) => self).sort((one, other) => one.ringId - other.ringId),
    };
  }

  /** Legal as it stands and with the answers on their way; or ideal, while it is small. */
  #isLegalAgain(): boolean {
    return WHENS.every((when) => {
      const judgement = this.#judge(this.#world.views(when));
      return judgement.violations.length === 0 || judgement.isIdeal;
    });
  }

  #judge(views: readonly Neighbors[]): Judgement {
    return judge(views, this.#successorsMax);
  }

  #applies(rule: Violation['rule']): boolean {
    if (rule === 'ORDERED_SUCCESSOR_LISTS') return true;
    if (this.#isDisturbed) return false;
    return this.#isBased || !isFormingRule(rule);
  }
}

function isIn(peers: readonly PeerRef[], peer: PeerRef): boolean {
  return peers.some((it) => isSameLife(it, peer));
}

/** A forming ring may lack principals; nothing else. */
function isFormingRule(rule: Violation['rule']): boolean {
  return rule === 'SUFFICIENT_PRINCIPALS';
}
