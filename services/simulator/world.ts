/**
 * A world of simulated nodes: the production `RingMember` in each, on virtual time and a network
 * with faults. The world lets them live and perform; it decides nothing about the ring.
 */
import { RingMember, type MemberEffect, type MemberLimits } from '../peer/core/member.js';
import { step } from '../peer/core/machine.js';
import type { Neighbors } from '../peer/core/messages.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import type { RingState } from '../peer/core/state.js';
import { below, type Chance } from '../system/chance.js';
import { Exchange } from './exchange.js';
import { Network } from './network.js';
import { simNode, type SimNode } from './sim-node.js';
import { Timeline } from './timeline.js';

export const TICK_MS = 100;
/** How long a node that has left goes on answering. */
export const LINGER_MS = 1_000;

/** Whether answers on their way are taken for arrived. */
export type When = 'now' | 'after';

/** What the checker wants to hear. */
export type WorldWatcher = {
  /** A live peer was taken for dead, or moved to another ring: the model's assumptions fail. */
  disturbed: (why: string) => void;
  /** The state of this node may have changed. */
  touched: (node: SimNode) => void;
  /** An answer that will change this node is on its way. */
  promised: (node: SimNode) => void;
  /** A node begins a life, and has ended it. */
  started: (node: SimNode, member: RingMember) => void;
  ended: (node: SimNode) => void;
  /** A node hears that a peer leaves by its own will. */
  departed: (node: SimNode, peer: PeerRef) => void;
};

export const NO_WATCHER: WorldWatcher = {
  disturbed: () => undefined,
  touched: () => undefined,
  promised: () => undefined,
  started: () => undefined,
  ended: () => undefined,
  departed: () => undefined,
};

export class World {
  readonly timeline = new Timeline();
  readonly network: Network;
  readonly nodes = new Map<string, SimNode>();
  readonly #limits: MemberLimits;
  readonly #chance: Chance;
  readonly exchange: Exchange;
  /** Virtual time that nodes have been up, all together, of those that are down again. */
  #endedUptimeMs = 0;
  watcher = NO_WATCHER;

  constructor(limits: MemberLimits, chance: Chance) {
    this.#limits = limits;
    this.#chance = chance;
    this.network = new Network(this.timeline, chance);
    this.exchange = new Exchange({
      timeline: this.timeline,
      network: this.network,
      nodes: this.nodes,
      reach: (node, member, act) => this.#reach(node, member, act),
      promised: (asker, member) => this.#onPromised(asker, member),
      disturbed: (why) => this.watcher.disturbed(why),
    });
  }

  /** Virtual time that nodes have been up, all together. */
  get uptimeMs(): number {
    const { now } = this.timeline;
    return this.up.reduce((sum, { startedAtMs }) => sum + now - startedAtMs, this.#endedUptimeMs);
  }

  get up(): readonly SimNode[] {
    return [...this.nodes.values()].filter((node) => node.member !== undefined);
  }

  get members(): readonly SimNode[] {
    return this.up.filter((node) => node.member?.state.stage === 'member');
  }

  addNode(address: string, ringId: number): SimNode {
    const node = simNode(address, ringId);
    this.nodes.set(address, node);
    return node;
  }

  /** Starts a node with nothing but what it remembers; the caller makes it found or join. */
  start(node: SimNode): RingMember {
    node.incarnation += 1_000;
    const self = { ringId: node.ringId, address: node.address, incarnation: node.incarnation };
    const member: RingMember = new RingMember({
      self,
      limits: this.#limits,
      perform: (effect) => this.#perform(node, member, effect),
      deliver: () => 'delivered',
    });
    node.member = member;
    node.inFlight = undefined;
    node.startedAtMs = this.timeline.now;
    this.watcher.touched(node);
    this.watcher.started(node, member);
    this.timeline.after(below(this.#chance, TICK_MS), () => this.#tick(node, member));
    return member;
  }

  /** Kill -9: nothing is said to anyone, and only what was remembered stays. */
  crash(node: SimNode): void {
    if (node.member !== undefined) {
      node.remembered = node.member.acquaintances;
      this.#endedUptimeMs += this.timeline.now - node.startedAtMs;
    }
    node.member = undefined;
    node.isPaused = false;
    node.backlog.length = 0;
    node.inFlight = undefined;
    this.watcher.touched(node);
    this.watcher.ended(node);
  }

  /** SIGTERM: the node says that it goes, and answers for a while before it is gone. */
  leave(node: SimNode): void {
    const { member } = node;
    if (member === undefined) return;
    this.#touch(node, () => member.leave());
    this.timeline.after(LINGER_MS, () => {
      if (node.member === member) this.crash(node);
    });
  }

  /** SIGSTOP: what reaches the node waits until it goes on. */
  pause(node: SimNode): void {
    node.isPaused = true;
  }

  resume(node: SimNode): void {
    node.isPaused = false;
    for (const act of node.backlog.splice(0)) act();
  }

  /**
   * Views of all members: as they stand, or as the model counts them. There a step takes effect when
   * the asked peer answers, so that an answer on its way has already changed its asker.
   */
  views(when: When, without?: SimNode): readonly Neighbors[] {
    return this.up.flatMap((node) => {
      if (node === without || node.member === undefined) return [];
      const state = this.#stateWhen(when, node, node.member);
      return state.stage === 'member' ? [state] : [];
    });
  }

  #stateWhen(when: When, { inFlight }: SimNode, { state }: RingMember): RingState {
    if (when === 'now' || inFlight?.requestId !== state.pending?.requestId) return state;
    if (inFlight === undefined) return state;
    return step(state, { kind: 'answered', ...inFlight }, this.#limits).state;
  }

  #onPromised(asker: SimNode, member: RingMember): void {
    const { predecessor, successors } = this.#stateWhen('after', asker, member);
    const { state } = member;
    const isChange = predecessor !== state.predecessor || successors !== state.successors;
    if (isChange) this.watcher.promised(asker);
  }

  #tick(node: SimNode, member: RingMember): void {
    if (node.member !== member) return;
    this.timeline.after(TICK_MS / node.clockRate, () => this.#tick(node, member));
    if (!node.isPaused) this.#touch(node, () => member.tick());
  }

  /** Lets something happen to a node now, or when it goes on. */
  #reach(node: SimNode, member: RingMember, act: () => void): void {
    if (node.member !== member) return;
    if (node.isPaused) node.backlog.push(() => this.#reach(node, member, act));
    else this.#touch(node, act);
  }

  #touch(node: SimNode, act: () => void): void {
    act();
    this.watcher.touched(node);
  }

  #perform(node: SimNode, member: RingMember, effect: MemberEffect): void {
    switch (effect.kind) {
      case 'ask':
        return this.exchange.ask(node, member, effect);
      case 'answer':
        return this.exchange.answer(effect.requestId, effect.answer);
      case 'rejoining':
        node.incarnation = member.state.self.incarnation;
        return this.watcher.disturbed(`${node.address} moves to another ring`);
      case 'founded':
        return this.watcher.disturbed(`${node.address} is a ring of its own`);
      case 'departed':
        return this.watcher.departed(node, effect.peer);
      case 'lost':
      case 'joined':
      case 'join-failed':
        return undefined;
    }
  }

  /** One line for each node, in ring order. */
  describe(): readonly string[] {
    const ordered = [...this.up].sort((one, other) => one.ringId - other.ringId);
    return ordered.map(({ address, ringId, incarnation, member }) => {
      const { stage, predecessor, successors, pending } = member?.state ?? {};
      const list = successors?.map((peer) => peer.address).join(' ') ?? '';
      const name = `${address} at ${ringId}, life ${incarnation}: ${stage ?? 'down'}`;
      const waits = pending === undefined ? '' : `, ${pending.purpose} of ${pending.to.address}`;
      return `${name}, after ${predecessor?.address ?? 'nobody'}, before [${list}]${waits}`;
    });
  }
}
