/**
 * The hash table on a simulated ring: the production `TableMember` beside each node's `RingMember`, a
 * disk that keeps what was durable when the node crashed, and the questions between them.
 */
import { MemoryTable } from '../../dht/core/memory-table.js';
import type { TableAnswer } from '../../dht/core/messages.js';
import { ringViews } from '../../dht/core/ring-view.js';
import { TableMember, type TableEffect } from '../../dht/core/table-member.js';
import type { RingMember } from '../../peer/core/member.js';
import type { RequestId } from '../../peer/core/messages.js';
import type { PeerRef, RingId } from '../../peer/core/ring-space.js';
import { below, type Chance } from '../../system/chance.js';
import { wallMsOf, type SimNode } from '../sim-node.js';
import { TICK_MS, type World } from '../world.js';
import type { TablePlan } from './table-plan.js';

/** A question is given up after this time by the asker's clock; until then it is sent again. */
const ANSWER_MS = 2_000;
const RESEND_MS = 500;
const REPAIR_INTERVAL_MS = 5_000;
const ROOM = { recordsMax: 100_000, bytesMax: 2 ** 30 };
/** How long a leaving node may take to hand everything over. */
const FAREWELL_MS = 20_000;

export type TablesDeps = {
  readonly world: World;
  readonly plan: TablePlan;
  readonly ringSize: number;
  readonly chance: Chance;
  /** A question to a live peer was not answered in time. */
  readonly onFalseSilence: () => void;
};

/** One life of a node, as far as the table goes. */
export type TableLife = {
  readonly node: SimNode;
  readonly member: TableMember;
  readonly ring: RingMember;
};

type Disk = {
  readonly table: MemoryTable;
  /** When what was written last is durable. */
  durableAtMs: number;
  /** What the node kept of itself: members counted, and when it was in touch last. */
  counted: readonly RingId[];
  inTouchAtMs: number | undefined;
};

type OpenAsk = { isDone: boolean };

export class Tables {
  readonly #deps: TablesDeps;
  readonly #disks = new Map<SimNode, Disk>();
  readonly #lives = new Map<SimNode, TableLife>();
  readonly #inbound = new Map<RequestId, (answer: TableAnswer) => void>();
  #nextInboundId = 1;
  /** Nodes that have left and handed everything over. */
  readonly #left = new Set<SimNode>();

  constructor(deps: TablesDeps) {
    this.#deps = deps;
  }

  get lives(): readonly TableLife[] {
    return [...this.#lives.values()];
  }

  diskOf(node: SimNode): MemoryTable | undefined {
    return this.#disks.get(node)?.table;
  }

  get disks(): ReadonlyMap<SimNode, { readonly table: MemoryTable }> {
    return this.#disks;
  }

  /** A node has started: its table goes on with what is on its disk. */
  started(node: SimNode, ring: RingMember): void {
    const { world, plan, ringSize } = this.#deps;
    const disk = this.#diskFor(node);
    const wallMs = (): number => wallMsOf(node, world.timeline.now);
    const member: TableMember = new TableMember({
      ring: {
        ringSize,
        view: ringViews(() => ring.state),
        findOwner: (position, done) => {
          if (ring.state.stage !== 'member') return done(undefined);
          ring.lookup(position, ({ owner }) => done(owner));
        },
      },
      limits: { ...plan, graceMs: plan.grace, repairIntervalMs: REPAIR_INTERVAL_MS },
      table: disk.table,
      clock: { wallMs, steadyMs: wallMs },
      perform: (effect) => this.#perform(life, effect),
    });
    const life: TableLife = { node, member, ring };
    this.#left.delete(node);
    this.#lives.set(node, life);
    member.headcount.remember(disk.counted, wallMs());
    if (disk.inTouchAtMs !== undefined) member.wasInTouchAt(disk.inTouchAtMs);
    for (let next = member.load(undefined); next !== undefined;) next = member.load(next);
    world.timeline.after(below(this.#deps.chance, TICK_MS), () => this.#tick(life));
  }

  /** A node is down; what had not reached its disk is gone. */
  ended(node: SimNode): void {
    const life = this.#lives.get(node);
    const disk = this.#disks.get(node);
    if (life !== undefined && disk !== undefined) {
      disk.counted = life.member.headcount.ringIds;
      disk.inTouchAtMs = life.member.inTouchAtMs;
    }
    this.#lives.delete(node);
  }

  /** A node hears that a peer leaves by its own will. */
  departed(node: SimNode, peer: PeerRef): void {
    this.#lives.get(node)?.member.departed(peer);
  }

  hasLeft(node: SimNode): boolean {
    return this.#left.has(node);
  }

  /** The disk of a node that is down is lost. */
  wipe(node: SimNode): void {
    this.#disks.delete(node);
  }

  /** Lets a node hand its records over before it leaves; `go` is called in any case, once. */
  farewell(node: SimNode, go: () => void): void {
    const life = this.#lives.get(node);
    if (life === undefined) return go();
    let isGone = false;
    const leave = (): void => {
      if (isGone || this.#lives.get(node) !== life) return;
      isGone = true;
      go();
    };
    life.member.handAllOver((isDone) => {
      if (isDone && !isGone) this.#left.add(node);
      leave();
    });
    this.#deps.world.timeline.after(FAREWELL_MS, leave);
  }

  /** A node that wanted to leave stays. */
  stay(node: SimNode): void {
    this.#left.delete(node);
    this.#lives.get(node)?.member.stay();
  }

  #diskFor(node: SimNode): Disk {
    const known = this.#disks.get(node);
    if (known !== undefined) return known;
    const { plan, ringSize } = this.#deps;
    const table = new MemoryTable({
      ...ROOM,
      ringSize,
      graceMs: plan.grace,
      later: (act) => this.#write(node, disk, act),
    });
    const disk: Disk = { table, durableAtMs: 0, counted: [], inTouchAtMs: undefined };
    this.#disks.set(node, disk);
    return disk;
  }

  /** Writes become durable one after the other, unless the node crashes before. */
  #write(node: SimNode, disk: Disk, act: () => void): void {
    const { world, plan, chance } = this.#deps;
    const { timeline } = world;
    const life = this.#lives.get(node);
    const delayMs = 1 + below(chance, plan.disk);
    disk.durableAtMs = Math.max(disk.durableAtMs, timeline.now + delayMs);
    timeline.after(disk.durableAtMs - timeline.now, () => {
      if (life !== undefined && this.#lives.get(node) === life) act();
    });
  }

  #tick(life: TableLife): void {
    const { world } = this.#deps;
    const { node, member } = life;
    if (this.#lives.get(node) !== life) return;
    world.timeline.after(TICK_MS / node.clockRate, () => this.#tick(life));
    if (!node.isPaused) member.tick();
  }

  // Questions

  #perform(life: TableLife, effect: TableEffect): void {
    if (effect.kind === 'ask') return this.#ask(life, effect);
    const reply = this.#inbound.get(effect.requestId);
    this.#inbound.delete(effect.requestId);
    reply?.(effect.answer);
  }

  #ask(life: TableLife, asking: Extract<TableEffect, { kind: 'ask' }>): void {
    const { world } = this.#deps;
    const { node, member, ring } = life;
    const from = ring.state.self;
    const since = world.timeline.now;
    const ask: OpenAsk = { isDone: false };
    const elapsedMs = (): number => world.timeline.now - since;
    const answered = (answer: TableAnswer): void => {
      if (ask.isDone) return;
      ask.isDone = true;
      this.#reach(life, () => member.answered(asking.requestId, answer, elapsedMs()));
    };
    const route = { from: node.address, to: asking.to.address, isQuestion: true, isLastTry: false };
    const send = (): void => {
      if (ask.isDone) return;
      world.network.send(route, () => this.#arrive(from, asking, answered));
      world.timeline.after(RESEND_MS, send);
    };
    send();
    world.timeline.after(ANSWER_MS / node.clockRate, () => {
      if (ask.isDone) return;
      ask.isDone = true;
      if (this.#lifeAt(asking.to) !== undefined) this.#deps.onFalseSilence();
      this.#reach(life, () => member.unanswered(asking.requestId, elapsedMs()));
    });
  }

  #arrive(
    from: PeerRef,
    { to, question }: Extract<TableEffect, { kind: 'ask' }>,
    answered: (answer: TableAnswer) => void,
  ): void {
    const asked = this.#lifeAt(to);
    if (asked === undefined) return;
    const inboundId = this.#nextInboundId;
    this.#nextInboundId += 1;
    const route = { from: to.address, to: from.address, isQuestion: false, isLastTry: false };
    this.#inbound.set(inboundId, (answer) => {
      this.#deps.world.network.send(route, () => answered(answer));
    });
    this.#reach(asked, () => asked.member.asked(inboundId, from, question));
  }

  /** Lets something happen to a node now, or when it goes on. */
  #reach(life: TableLife, act: () => void): void {
    if (this.#lives.get(life.node) !== life) return;
    if (life.node.isPaused) life.node.backlog.push(() => this.#reach(life, act));
    else act();
  }

  #lifeAt({ address }: PeerRef): TableLife | undefined {
    const node = this.#deps.world.nodes.get(address);
    return node && this.#lives.get(node);
  }
}
