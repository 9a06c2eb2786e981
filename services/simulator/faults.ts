/** Lets the faults of a plan happen to a world, when their time has come. */
import { seededChance, type Chance } from '../system/chance.js';
import type { RingChecker } from './checks.js';
import type { Fault, FaultKind } from './plan.js';
import { setClockRate, type SimNode } from './sim-node.js';
import type { TableRun } from './table/table-run.js';
import type { World } from './world.js';

export type FaultDeps = {
  readonly world: World;
  readonly checker: RingChecker;
  readonly table: TableRun | undefined;
  /** A node that has not been there before, by its name or by the next free number. */
  readonly newNode: (address?: string) => SimNode | undefined;
  /** Starts a node that seeks its way into the ring. */
  readonly startJoining: (node: SimNode) => void;
  readonly note: (text: string) => void;
};

/** A joiner that may not join yet asks again after this time. */
const JOIN_RETRY_MS = 500;

type FaultOf<Kind extends FaultKind['kind']> = Extract<Fault, { kind: Kind }>;

export class FaultInjector {
  readonly #deps: FaultDeps;
  /** What happened, by kind, how often. */
  readonly done: Record<string, number> = {};
  readonly #hits = new Map<Fault, string[]>();
  #isOver = false;

  constructor(deps: FaultDeps) {
    this.#deps = deps;
  }

  /** Sets the times of all faults, from now on. */
  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) this.#later(fault.at, () => this.#apply(fault));
  }

  /** The faults that have done anything, with the nodes they hit by name. */
  get happened(): readonly Fault[] {
    return [...this.#hits].map(([fault, nodes]) =>
      nodes.length === 0
        ? fault
        : ({ ...fault, nodes, count: undefined, share: undefined } as Fault),
    );
  }

  /** Nothing happens any more, and what is broken is mended. */
  end(): void {
    this.#isOver = true;
    const { world } = this.#deps;
    world.network.mend();
    for (const node of world.nodes.values()) {
      world.network.slow(node.address, 0);
      setClockRate(node, 1, world.timeline.now);
      world.resume(node);
    }
  }

  #later(ms: number | undefined, act: () => void): void {
    if (ms === undefined) return;
    this.#deps.world.timeline.after(ms, () => {
      if (!this.#isOver) act();
    });
  }

  #apply(fault: Fault): void {
    const { world } = this.#deps;
    switch (fault.kind) {
      case 'join':
        return this.#joinNew(fault);
      case 'partition':
        return this.#cut(fault);
      case 'mend':
        world.network.mend();
        return this.#count(fault);
      case 'network':
        world.network.faults = fault.network;
        return this.#count(fault);
      default:
        for (const node of this.#targets(fault)) this.#applyTo(node, fault);
    }
  }

  #applyTo(
    node: SimNode,
    fault: FaultOf<'crash' | 'wipe' | 'leave' | 'restart' | 'pause' | 'slow' | 'clock'>,
  ): void {
    switch (fault.kind) {
      case 'crash':
      case 'wipe':
        return this.#endNode(node, fault);
      case 'leave':
        return this.#leave(node, fault);
      case 'restart':
        return this.#join(node, fault);
      case 'pause':
        return this.#pause(node, fault);
      case 'slow':
        return this.#slow(node, fault);
      case 'clock':
        return this.#setClock(node, fault);
    }
  }

  #leave(node: SimNode, fault: FaultOf<'leave'>): void {
    const { table } = this.#deps;
    if (table === undefined || node.member?.state.stage !== 'member')
      return this.#endNode(node, fault);
    table.farewell(node, () => {
      if (!this.#isOver) this.#endNode(node, fault);
      if (node.member !== undefined && node.member.state.stage !== 'left') table.stay(node);
    });
  }

  /** The last member is spared: without it there is no ring to look at. */
  #endNode(node: SimNode, fault: FaultOf<'crash' | 'wipe' | 'leave'>): void {
    const { world, checker, table } = this.#deps;
    const isLast = world.members.every((member) => member === node);
    if (node.member?.state.stage === 'left') return;
    const isLegal = checker.mayDie(node);
    if (isLast || (fault.onlyIfLegal && !isLegal)) return;
    if (fault.kind === 'wipe' && table?.mayLose(node) === false) return;
    if (!isLegal) checker.disturb();
    if (fault.kind === 'leave') {
      world.leave(node);
    } else {
      world.crash(node);
      if (fault.kind === 'wipe') table?.wipe(node);
      this.#later(fault.for, () => this.#join(node, fault));
    }
    this.#count(fault, [node], isLegal ? fault.kind : `${fault.kind} against the model`);
  }

  #joinNew(fault: FaultOf<'join'>): void {
    const { nodes, count = 1 } = fault;
    const names = nodes ?? Array.from({ length: count }, () => undefined);
    for (const name of names) {
      const node = this.#deps.newNode(name);
      if (node !== undefined) this.#join(node, fault);
    }
  }

  /** Once the directory would take it in. */
  #join(node: SimNode, fault: FaultOf<'join' | 'restart' | 'crash' | 'wipe'>): void {
    const { checker, startJoining } = this.#deps;
    if (node.member !== undefined) return;
    if (!checker.mayJoin()) return this.#later(JOIN_RETRY_MS, () => this.#join(node, fault));
    startJoining(node);
    this.#count(fault, [node], fault.kind === 'join' ? 'join' : 'restart');
  }

  #pause(node: SimNode, fault: FaultOf<'pause'>): void {
    const { world } = this.#deps;
    world.pause(node);
    this.#later(fault.for, () => world.resume(node));
    this.#count(fault, [node]);
  }

  #slow(node: SimNode, fault: FaultOf<'slow'>): void {
    const { network } = this.#deps.world;
    network.slow(node.address, fault.delay);
    this.#later(fault.for, () => network.slow(node.address, 0));
    this.#count(fault, [node]);
  }

  #setClock(node: SimNode, fault: FaultOf<'clock'>): void {
    const { timeline } = this.#deps.world;
    setClockRate(node, fault.rate, timeline.now);
    this.#later(fault.for, () => setClockRate(node, 1, timeline.now));
    this.#count(fault, [node]);
  }

  #cut(fault: FaultOf<'partition'>): void {
    const { world, checker } = this.#deps;
    const part = this.#targets(fault);
    if (part.length === 0) return;
    checker.disturb();
    const addresses = part.map(({ address }) => address);
    this.#later(fault.for, world.network.cut(addresses, fault.direction));
    this.#count(fault, part, `partition ${fault.direction}`);
  }

  #targets(fault: FaultOf<Exclude<FaultKind['kind'], 'join' | 'mend' | 'network'>>) {
    const { world } = this.#deps;
    const { kind, draw, nodes, share, count = 1 } = fault;
    const down = [...world.nodes.values()].filter(({ member }) => member === undefined);
    const fitting = kind === 'restart' ? down : world.up;
    if (nodes !== undefined) return fitting.filter(({ address }) => nodes.includes(address));
    const wanted = share === undefined ? count : Math.max(1, Math.round(share * fitting.length));
    return shuffled(fitting, seededChance(draw)).slice(0, wanted);
  }

  #count(fault: Fault, nodes: readonly SimNode[] = [], kind: string = fault.kind): void {
    const names = nodes.map(({ address }) => address);
    this.done[kind] = (this.done[kind] ?? 0) + 1;
    this.#deps.table?.disturb();
    this.#hits.set(fault, [...new Set([...(this.#hits.get(fault) ?? []), ...names])]);
    this.#deps.note([kind, ...names].join(' '));
  }
}

function shuffled<Item>(items: readonly Item[], chance: Chance): readonly Item[] {
  return items
    .map((item) => ({ item, order: chance.unit() }))
    .sort((one, other) => one.order - other.order)
    .map(({ item }) => item);
}
