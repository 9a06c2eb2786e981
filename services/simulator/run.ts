/**
 * One run: a ring forms, suffers faults drawn from its seed, is left in peace, and must become ideal.
 *
 * Safety first: after every event the checker's rules hold. Then liveness: faults stop, cuts mend,
 * and within `settleMsMax` every pointer of every live node is what it should be.
 */
import type { Violation } from '../peer/core/invariants.js';
import { MEMBER_LIMITS, type MemberLimits, type RingMember } from '../peer/core/member.js';
import { isSameLife, type PeerRef } from '../peer/core/ring-space.js';
import { below, oneOf, seededChance, type Chance } from '../system/chance.js';
import { RingChecker, type CheckerStats } from './checks.js';
import { CALM } from './network.js';
import { World, type SimNode } from './world.js';

export type RunOptions = {
  readonly seed: number;
  /** Nodes at the start of the faults; drawn from the seed, 5 to 20, when absent. */
  readonly nodes?: number;
  /** Virtual time under faults. */
  readonly faultsMs: number;
  /** Virtual time allowed from the end of the faults to the ideal ring. */
  readonly settleMsMax: number;
};

export type RunVerdict = {
  readonly seed: number;
  readonly nodes: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly checker: CheckerStats;
  readonly faults: Readonly<Record<string, number>>;
  readonly lookups: { asked: number; answered: number; wrong: number; hops: number };
  /** Virtual time from the end of the faults to the ideal ring; undefined when it was not reached. */
  readonly settledMs: number | undefined;
  readonly violations: readonly Violation[];
  /** What happened last, for a run that failed. */
  readonly trace: readonly string[];
};

const RING_SIZE = 2 ** 16;
const TRACE_MAX = 60;
/** Contacts that a joiner is told of. */
const CONTACTS_TOLD = 4;

export function runSimulation(options: RunOptions): RunVerdict {
  return new Run(options).go();
}

class Run {
  readonly #options: RunOptions;
  readonly #chance: Chance;
  readonly #limits: MemberLimits;
  readonly #world: World;
  readonly #checker: RingChecker;
  readonly #faults: Record<string, number> = {};
  readonly #trace: string[] = [];
  readonly #lookups = { asked: 0, answered: 0, wrong: 0, hops: 0 };
  /** Only faults that keep the model's assumptions. */
  readonly #isStrict: boolean;
  #violations: readonly Violation[] = [];
  #events = 0;
  #areFaultsOn = true;
  #nodeCount = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#chance = seededChance(options.seed);
    this.#limits = {
      ...MEMBER_LIMITS,
      ringSize: RING_SIZE,
      successorsMax: 2 + below(this.#chance, 3),
    };
    this.#isStrict = this.#chance.unit() < 0.6;
    this.#world = new World(this.#limits, this.#chance);
    this.#checker = new RingChecker(this.#world, this.#limits.successorsMax);
    this.#world.watcher = {
      disturbed: (why) => {
        this.#note(why);
        this.#checker.disturb();
      },
      touched: (node) => this.#checker.touch(node),
    };
  }

  go(): RunVerdict {
    const size = this.#options.nodes ?? 5 + below(this.#chance, 16);
    this.#form(size);
    if (this.#violations.length === 0) this.#sufferFaults();
    const settledMs = this.#violations.length === 0 ? this.#settle() : undefined;
    if (settledMs === undefined) this.#trace.push(...this.#world.describe());
    return {
      seed: this.#options.seed,
      nodes: size,
      events: this.#events,
      virtualMs: this.#world.timeline.now,
      checker: this.#checker.stats,
      faults: this.#faults,
      lookups: this.#lookups,
      settledMs,
      violations: this.#violations,
      trace: this.#trace,
    };
  }

  /** Takes nodes in one by one, each once the one before has settled. */
  #form(size: number): void {
    this.#world.start(this.#newNode()).found();
    for (let count = 1; count < size; count += 1) {
      this.#join(this.#newNode());
      this.#runUntil(() => this.#checker.isIdeal(), this.#options.settleMsMax);
    }
  }

  #sufferFaults(): void {
    const end = this.#world.timeline.now + this.#options.faultsMs;
    const unit = (): number => this.#chance.unit();
    this.#world.network.faults = {
      loss: unit() * 0.2,
      duplication: unit() * 0.1,
      delayMsMin: 1,
      delayMsMax: 5 + below(this.#chance, 200),
    };
    this.#scheduleFault();
    this.#scheduleLookup();
    this.#runUntil(() => this.#world.timeline.now >= end, this.#options.faultsMs);
    this.#areFaultsOn = false;
  }

  #settle(): number | undefined {
    const { timeline, network } = this.#world;
    const start = timeline.now;
    network.faults = CALM;
    network.mend();
    for (const node of this.#world.nodes.values()) this.#world.resume(node);
    this.#note('in peace');
    const isSettled = this.#runUntil(() => this.#checker.isIdeal(), this.#options.settleMsMax);
    return isSettled ? timeline.now - start : undefined;
  }

  /** Runs until the condition holds (looked at every 100 ms), a rule breaks, or time is up. */
  #runUntil(isDone: () => boolean, msMax: number): boolean {
    const { timeline } = this.#world;
    const end = timeline.now + msMax;
    let nextLook = timeline.now;
    while (timeline.now <= end) {
      if (timeline.now >= nextLook) {
        if (isDone()) return true;
        nextLook = timeline.now + 100;
      }
      if (!timeline.runNext()) return isDone();
      this.#events += 1;
      this.#violations = this.#checker.check();
      if (this.#violations.length > 0) return false;
    }
    return isDone();
  }

  // Nodes

  #newNode(): SimNode {
    const taken = new Set([...this.#world.nodes.values()].map(({ ringId }) => ringId));
    let ringId = below(this.#chance, RING_SIZE);
    while (taken.has(ringId)) ringId = (ringId + 1) % RING_SIZE;
    this.#nodeCount += 1;
    return this.#world.addNode(`p${this.#nodeCount}`, ringId);
  }

  /** Starts a node that joins through members it remembers or is told of. */
  #join(node: SimNode): void {
    const member = this.#world.start(node);
    this.#joinThroughSomeone(node, member);
  }

  /** While it is outside, it is told of another member every few seconds, as by a directory. */
  #joinThroughSomeone(node: SimNode, member: RingMember): void {
    if (node.member !== member || member.state.stage === 'member') return;
    if (member.state.stage === 'outside') {
      member.join([...this.#someMembers(), ...node.remembered]);
    }
    this.#world.timeline.after(5_000, () => this.#joinThroughSomeone(node, member));
  }

  /** Whom the directory would name: some members, the first one at random. */
  #someMembers(): readonly PeerRef[] {
    const peers = this.#world.members.flatMap(({ member }) => member?.state.self ?? []);
    const first = below(this.#chance, peers.length);
    return [...peers.slice(first), ...peers.slice(0, first)].slice(0, CONTACTS_TOLD);
  }

  // Faults

  #scheduleFault(): void {
    if (!this.#areFaultsOn) return;
    this.#world.timeline.after(100 + below(this.#chance, 1_500), () => {
      if (!this.#areFaultsOn) return;
      this.#doFault(this.#drawFault());
      this.#scheduleFault();
    });
  }

  #drawFault(): string {
    const gentle = ['crash', 'crash', 'crash', 'restart', 'restart', 'join', 'join', 'leave'];
    const rough = [...gentle, 'cut', 'mend', 'mend', 'pause', 'crash-any'];
    return oneOf(this.#chance, this.#isStrict ? gentle : rough) ?? 'crash';
  }

  #doFault(fault: string): void {
    const node = this.#drawNode(fault);
    const isDone = this.#apply(fault, node);
    if (!isDone) return;
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
    this.#note(`${fault} ${node?.address ?? ''}`);
  }

  #drawNode(fault: string): SimNode | undefined {
    const { up, nodes } = this.#world;
    if (fault === 'restart') {
      return oneOf(
        this.#chance,
        [...nodes.values()].filter(({ member }) => member === undefined),
      );
    }
    return fault === 'join' ? this.#newNode() : oneOf(this.#chance, up);
  }

  #apply(fault: string, node: SimNode | undefined): boolean {
    if (fault === 'cut') return this.#cut();
    if (fault === 'mend') return this.#mend();
    if (node === undefined) return false;
    switch (fault) {
      case 'crash':
        return this.#checker.mayDie(node) && this.#end(() => this.#world.crash(node));
      case 'leave':
        return this.#checker.mayDie(node) && this.#end(() => this.#world.leave(node));
      case 'crash-any':
        if (this.#world.members.length < 4) return false;
        this.#checker.disturb();
        return this.#end(() => this.#world.crash(node));
      case 'restart':
      case 'join':
        if (!this.#checker.mayJoin()) return false;
        this.#join(node);
        return true;
      case 'pause':
        this.#world.pause(node);
        this.#world.timeline.after(200 + below(this.#chance, 4_000), () =>
          this.#world.resume(node),
        );
        return true;
      default:
        return false;
    }
  }

  #end(act: () => void): boolean {
    act();
    return true;
  }

  #cut(): boolean {
    if (this.#world.network.isCut) return false;
    const part = this.#world.up.filter(() => this.#chance.unit() < 0.4);
    if (part.length === 0) return false;
    this.#checker.disturb();
    this.#world.network.cut(part.map(({ address }) => address));
    return true;
  }

  #mend(): boolean {
    if (!this.#world.network.isCut) return false;
    this.#world.network.mend();
    return true;
  }

  // Lookups

  #scheduleLookup(): void {
    this.#world.timeline.after(20 + below(this.#chance, 200), () => {
      if (!this.#areFaultsOn) return;
      const asker = oneOf(this.#chance, this.#world.members);
      if (asker?.member !== undefined && !asker.isPaused) this.#lookup(asker);
      this.#scheduleLookup();
    });
  }

  #lookup(asker: SimNode): void {
    const position = below(this.#chance, RING_SIZE);
    this.#lookups.asked += 1;
    const before = this.#settledOwner(position);
    const { falseSilences } = this.#world;
    asker.member?.lookup(position, ({ owner, hops }) => {
      if (owner === undefined) return;
      this.#lookups.answered += 1;
      this.#lookups.hops += hops.length;
      const after = this.#settledOwner(position);
      if (before === undefined || after === undefined || !isSameLife(before, after)) return;
      if (falseSilences < this.#world.falseSilences) return;
      if (!isSameLife(owner, before)) this.#lookups.wrong += 1;
    });
  }

  /** The owner of a position, when the ring is ideal and there is no doubt. */
  #settledOwner(position: number): PeerRef | undefined {
    if (this.#checker.isDisturbed || !this.#checker.isIdeal()) return undefined;
    const peers = this.#world.members.flatMap(({ member }) => member?.state.self ?? []);
    const ordered = peers.sort((one, other) => one.ringId - other.ringId);
    return ordered.find(({ ringId }) => ringId >= position) ?? ordered[0];
  }

  #note(text: string): void {
    this.#trace.push(`${this.#world.timeline.now} ms: ${text}`);
    if (this.#trace.length > TRACE_MAX) this.#trace.shift();
  }
}
