/**
 * One run: a ring forms, suffers the faults of a plan, is left in peace, and must become ideal.
 *
 * Safety first: after every event the checker's rules hold. Then liveness: the faults stop, what is
 * cut mends, and within `settleMsMax` every pointer of every live node is what it should be.
 */
import type { Violation } from '../peer/core/invariants.js';
import { MEMBER_LIMITS, type RingMember } from '../peer/core/member.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import { below, seededChance, type Chance } from '../system/chance.js';
import { RingChecker, type CheckerStats } from './checks.js';
import { FaultInjector } from './faults.js';
import { LookupProbe, type LookupStats } from './lookups.js';
import { CALM, type Plan } from './plan.js';
import type { SimNode } from './sim-node.js';
import type { TableStats, TableViolation } from './table/history.js';
import { TableRun } from './table/table-run.js';
import { LINGER_MS, NO_WATCHER, World } from './world.js';

export type RunOptions = {
  readonly seed: number;
  readonly plan: Plan;
  /** Virtual time allowed from the end of the faults to the ideal ring. */
  readonly settleMsMax: number;
};

export type RunViolation = Violation | TableViolation;

export type RunPhase = 'forming' | 'faults' | 'peace' | 'over';

export type RunVerdict = {
  readonly seed: number;
  /** Where the run stood: over, unless it was stopped. */
  readonly phase: RunPhase;
  readonly nodes: number;
  /** r: length of the successor lists. */
  readonly successors: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly checker: CheckerStats;
  readonly faults: Readonly<Record<string, number>>;
  readonly lookups: LookupStats;
  readonly traffic: {
    readonly messages: number;
    readonly bytes: number;
    /** Sent by one peer in one virtual second, on average. */
    readonly messagesPerPeerSecond: number;
    readonly bytesPerPeerSecond: number;
  };
  /** Virtual time from the end of the faults to the ideal ring; undefined when it was not reached. */
  readonly settledMs: number | undefined;
  readonly violations: readonly RunViolation[];
  /** Of a run with a table. */
  readonly table: TableStats | undefined;
  /** What happened last, for a run that failed. */
  readonly trace: readonly string[];
};

const RING_SIZE = 2 ** 31;
const TRACE_MAX = 60;
/** Contacts that a joiner is told of. */
const CONTACTS_TOLD = 4;
/** Events between two rests. */
const SLICE_EVENTS = 5_000;
const LOOK_MS = 100;
const REMIND_MS = 5_000;
/** After everything has settled: within it, wants have read their keys once more. */
const LAST_LOOK_MS = 6_000;

export function runSimulation(options: RunOptions): RunVerdict {
  return runToEnd(options).verdict();
}

export function runToEnd(options: RunOptions): Run {
  const run = new Run(options);
  while (run.slice());
  return run;
}

export class Run {
  readonly #options: RunOptions;
  readonly #chance: Chance;
  readonly #world: World;
  readonly #checker: RingChecker;
  readonly #faults: FaultInjector;
  readonly #lookups: LookupProbe;
  readonly #table: TableRun | undefined;
  readonly #trace: string[] = [];
  readonly #steps: Generator<undefined, void>;
  #phase: RunPhase = 'forming';
  #violations: readonly RunViolation[] = [];
  #events = 0;
  #settledMs: number | undefined;
  #faultsEndMs = 0;

  constructor(options: RunOptions) {
    const { seed, plan } = options;
    this.#options = options;
    this.#chance = seededChance(seed);
    const limits = { ...MEMBER_LIMITS, ringSize: RING_SIZE, successorsMax: plan.successors };
    const world = new World(limits, this.#chance);
    const checker = new RingChecker(world, plan.successors);
    this.#world = world;
    this.#checker = checker;
    const table = this.#tableOf(world, checker);
    this.#table = table;
    world.watcher = {
      ...NO_WATCHER,
      disturbed: (why) => {
        this.#note(why);
        checker.disturb();
        table?.disturb();
      },
      touched: (node) => checker.touch(node),
      promised: () => checker.expectChange(),
      started: (node, member) => table?.started(node, member),
      ended: (node) => table?.ended(node),
      departed: (node, peer) => table?.departed(node, peer),
    };
    this.#faults = new FaultInjector({
      world,
      checker,
      table,
      newNode: (address) => {
        return address === undefined ? this.#nextNode() : this.#newNode(Number(address.slice(1)));
      },
      startJoining: (node) => this.#startJoining(node),
      note: (text) => this.#note(text),
    });
    this.#lookups = new LookupProbe({ world, checker, chance: this.#chance, ringSize: RING_SIZE });
    this.#steps = this.#phases();
  }

  /** Goes on for some thousand events; false when the run is over. */
  slice(): boolean {
    return this.#steps.next().done !== true;
  }

  /** The plan with every random choice written out, and without what did nothing. */
  get happened(): Plan {
    return { ...this.#options.plan, faults: this.#faults.happened };
  }

  /** Share of the virtual time that is behind, without the peace at the end; from 0 to 1. */
  get progress(): number {
    const { nodes, time } = this.#options.plan;
    if (this.#phase === 'forming') return (0.2 * this.#world.nodes.size) / nodes;
    if (this.#phase !== 'faults') return 1;
    const left = this.#faultsEndMs - this.#world.timeline.now;
    return 1 - (0.8 * Math.max(0, left)) / Math.max(1, time);
  }

  verdict(): RunVerdict {
    const { seed, plan } = this.#options;
    const { uptimeMs, timeline } = this.#world;
    const { traffic } = this.#world.exchange;
    const isFailed = this.#phase === 'over' && this.#settledMs === undefined;
    const perPeerSecond = (count: number): number =>
      Math.round((count * 10_000) / Math.max(1, uptimeMs)) / 10;
    return {
      seed,
      phase: this.#phase,
      nodes: plan.nodes,
      successors: plan.successors,
      events: this.#events,
      virtualMs: Math.round(timeline.now),
      checker: this.#checker.stats,
      faults: this.#faults.done,
      lookups: this.#lookups.stats,
      traffic: {
        ...traffic,
        messagesPerPeerSecond: perPeerSecond(traffic.messages),
        bytesPerPeerSecond: perPeerSecond(traffic.bytes),
      },
      settledMs: this.#settledMs,
      violations: this.#violations,
      table: this.#table?.stats,
      trace: isFailed ? [...this.#trace, ...this.#world.describe()] : [],
    };
  }

  *#phases(): Generator<undefined, void> {
    yield* this.#form();
    if (this.#violations.length === 0) yield* this.#suffer();
    if (this.#violations.length === 0) yield* this.#settle();
    this.#phase = 'over';
  }

  /** One by one to r + 1 nodes; then as many at once as there are, up to all of them. */
  *#form(): Generator<undefined, void> {
    const { nodes, successors } = this.#options.plan;
    this.#world.start(this.#nextNode()).found();
    while (this.#world.nodes.size < nodes && this.#violations.length === 0) {
      const { size } = this.#world.nodes;
      const count = size > successors ? Math.min(size, nodes - size) : 1;
      for (let index = 0; index < count; index += 1) this.#startJoining(this.#nextNode());
      yield* this.#runUntil(() => this.#checker.isIdeal(), this.#options.settleMsMax);
    }
  }

  *#suffer(): Generator<undefined, void> {
    const { network, faults, time } = this.#options.plan;
    const { timeline } = this.#world;
    this.#phase = 'faults';
    this.#faultsEndMs = timeline.now + time;
    this.#world.network.faults = network;
    this.#faults.schedule(faults);
    this.#lookups.start();
    this.#table?.startCalls();
    yield* this.#runUntil(() => timeline.now >= this.#faultsEndMs, time);
  }

  *#settle(): Generator<undefined, void> {
    const { timeline, network } = this.#world;
    this.#phase = 'peace';
    const start = timeline.now;
    network.faults = CALM;
    this.#lookups.end();
    this.#faults.end();
    this.#note('in peace');
    if (this.#table !== undefined) yield* this.#runUntil(() => false, LINGER_MS);
    for (const node of this.#table?.endCalls() ?? []) this.#startJoining(node);
    const isSettled = (): boolean => this.#checker.isIdeal() && this.#table?.isSettled() !== false;
    yield* this.#runUntil(isSettled, this.#options.settleMsMax);
    if (this.#violations.length === 0 && this.#checker.isIdeal()) {
      this.#settledMs = Math.round(timeline.now - start);
    }
    if (this.#table === undefined || this.#violations.length > 0) return;
    yield* this.#runUntil(() => false, LAST_LOOK_MS);
    this.#table.judge();
    if (this.#violations.length === 0) this.#violations = this.#table.violations;
  }

  /** Runs until the condition holds (looked at every 100 ms), a rule breaks, or time is up. */
  *#runUntil(isDone: () => boolean, msMax: number): Generator<undefined, void> {
    const { timeline } = this.#world;
    const end = timeline.now + msMax;
    let nextLook = timeline.now;
    while (timeline.now <= end) {
      if (timeline.now >= nextLook) {
        if (isDone()) return;
        nextLook = timeline.now + LOOK_MS;
      }
      if (!timeline.runNext()) return;
      this.#events += 1;
      this.#violations = this.#broken();
      if (this.#violations.length > 0) return;
      if (this.#events % SLICE_EVENTS === 0) yield;
    }
  }

  #broken(): readonly RunViolation[] {
    const ofRing = this.#checker.check();
    const ofTable = this.#table?.violations ?? [];
    return ofTable.length === 0 ? ofRing : [...ofRing, ...ofTable];
  }

  /** With chance of its own, so that the ring's does not depend on it. */
  #tableOf(world: World, checker: RingChecker): TableRun | undefined {
    const { seed, plan } = this.#options;
    if (plan.table === undefined) return undefined;
    const chance = seededChance(Math.imul(seed, 0x85ebca6b) ^ 0x7ab1e);
    return new TableRun({ world, checker, plan: plan.table, ringSize: RING_SIZE, chance });
  }

  // Nodes

  /** Its place depends on the seed and its number alone. Undefined when that node is there. */
  #newNode(number: number): SimNode | undefined {
    const address = `p${number}`;
    if (this.#world.nodes.has(address)) return undefined;
    const taken = new Set([...this.#world.nodes.values()].map(({ ringId }) => ringId));
    let ringId = below(seededChance(Math.imul(this.#options.seed, 0x9e3779b1) ^ number), RING_SIZE);
    while (taken.has(ringId)) ringId = (ringId + 1) % RING_SIZE;
    return this.#world.addNode(address, ringId);
  }

  #nextNode(): SimNode {
    for (let number = this.#world.nodes.size + 1; ; number += 1) {
      const node = this.#newNode(number);
      if (node !== undefined) return node;
    }
  }

  /** Starts a node that joins through members it remembers or is told of. */
  #startJoining(node: SimNode): void {
    this.#joinThroughSomeone(node, this.#world.start(node));
  }

  /** While it is outside, it is told of another member every few seconds, as by a directory. */
  #joinThroughSomeone(node: SimNode, member: RingMember): void {
    if (node.member !== member || member.state.stage === 'member') return;
    if (member.state.stage === 'outside') {
      member.join([...this.#someMembers(), ...node.remembered]);
    }
    this.#world.timeline.after(REMIND_MS, () => this.#joinThroughSomeone(node, member));
  }

  /** Whom the directory would name: some members, the first one at random. */
  #someMembers(): readonly PeerRef[] {
    const peers = this.#world.members.flatMap(({ member }) => member?.state.self ?? []);
    const first = below(this.#chance, peers.length);
    return [...peers.slice(first), ...peers.slice(0, first)].slice(0, CONTACTS_TOLD);
  }

  #note(text: string): void {
    this.#trace.push(`${Math.round(this.#world.timeline.now)} ms: ${text}`);
    if (this.#trace.length > TRACE_MAX) this.#trace.shift();
  }
}
