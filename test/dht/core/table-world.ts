/**
 * A little ring of table members whose views of the ring a test sets: tables in memory, messages that
 * arrive as soon as the queue is run, and time that passes when a test lets it.
 */
import { MemoryTable } from '../../../services/dht/core/memory-table.js';
import type { RingView, TableAnswer, TableQuestion } from '../../../services/dht/core/messages.js';
import type { ReadOutcome, ReadTarget } from '../../../services/dht/core/read.js';
import type { TableRecord } from '../../../services/dht/core/record.js';
import type { Table } from '../../../services/dht/core/table.js';
import {
  TableMember,
  type Rests,
  type TableEffect,
  type TableLimits,
  type Written,
} from '../../../services/dht/core/table-member.js';
import type { RequestId } from '../../../services/peer/core/messages.js';
import { firstAt, type PeerRef, type RingId } from '../../../services/peer/core/ring-space.js';
import { nameOf, peer } from '../../peer/ring-text.js';
import { keysWhere, nameOfRecord, textOf, valueId } from './sample-records.js';

export const RING_SIZE = 100;
export const TICK_MS = 100;
const SUCCESSORS_MAX = 4;
const EPOCH_MS = 1_750_000_000_000;

export const LIMITS: TableLimits = {
  copies: 3,
  readQuorum: 2,
  writeQuorum: 2,
  repairIntervalMs: 10_000,
  graceMs: 60 * 60 * 1_000,
};

export class TableNode {
  readonly self: PeerRef;
  readonly table: Table;
  readonly member: TableMember;
  readonly #world: TableWorld;
  view: RingView;
  /** Whether anybody can reach it. */
  isUp = true;
  /** How far its clock is ahead. */
  aheadMs = 0;
  readonly asked = new Map<RequestId, (answer: TableAnswer) => void>();

  constructor(world: TableWorld, self: PeerRef, table: Table, limits: TableLimits) {
    this.#world = world;
    this.self = self;
    this.table = table;
    this.view = { self, isMember: false, predecessor: undefined, successors: [] };
    this.member = new TableMember({
      ring: {
        ringSize: RING_SIZE,
        view: () => this.view,
        findOwner: (position, done) => world.later(() => done(world.ownerOf(position))),
      },
      limits,
      table,
      clock: { wallMs: () => this.wallMs, steadyMs: () => world.nowMs },
      perform: (effect) => this.#perform(effect),
    });
    let next = this.member.load(undefined);
    while (next !== undefined) next = this.member.load(next);
  }

  get wallMs(): number {
    return EPOCH_MS + this.#world.nowMs + this.aheadMs;
  }

  // Calls, from their beginning to their end

  put(key: string, text: string, wanted = LIMITS.writeQuorum): Written {
    const content = { kind: 'value', bytes: Buffer.from(text) } as const;
    return this.write(key, wanted, { key, address: undefined, content, expiresAtMs: undefined });
  }

  delete(key: string, wanted = LIMITS.writeQuorum): Written {
    const content = { kind: 'deleted' } as const;
    return this.write(key, wanted, { key, address: undefined, content, expiresAtMs: undefined });
  }

  announce(key: string, address: string): Written {
    const since = { wallMs: 1, counter: 0, writer: 1 };
    const content = { kind: 'holder', since } as const;
    return this.write(key, LIMITS.writeQuorum, { key, address, content, expiresAtMs: undefined });
  }

  write(key: string, wanted: number, record: Omit<TableRecord, 'version'>): Written {
    return this.#world.end((done) => {
      this.member.write(key, wanted, (version) => ({ ...record, version }), done);
    });
  }

  read(target: ReadTarget, wanted = LIMITS.readQuorum): Rests<ReadOutcome> {
    const key = target.kind === 'record' ? target.id.key : target.key;
    return this.#world.end((done) => this.member.read(key, wanted, target, done));
  }

  /** What is under a key: text, `deleted` or nothing. */
  get(key: string, wanted = LIMITS.readQuorum): string | undefined {
    return textOf(this.read({ kind: 'record', id: valueId(key) }, wanted).outcome?.records[0]);
  }

  handAllOver(): boolean {
    return this.#world.end((done) => this.member.handAllOver(done));
  }

  /** Asks it as another peer would. */
  ask(question: TableQuestion, from = peer(99)): TableAnswer {
    return this.#world.end((done) => this.#world.deliver(from, this, question, done));
  }

  /** What it has itself under a key. */
  own(key: string): string | undefined {
    return textOf(this.table.read(valueId(key)));
  }

  get names(): string {
    const { items } = this.table.list(0, RING_SIZE - 1, undefined, 1_000);
    const records = items.map((entry) => this.table.read(entry) as TableRecord);
    return records.map((record) => nameOfRecord(record).split('@')[0]).join(' ');
  }

  #perform(effect: TableEffect): void {
    if (effect.kind === 'answer') {
      const reply = this.asked.get(effect.requestId);
      this.asked.delete(effect.requestId);
      if (reply === undefined) throw new Error('answered twice');
      reply(effect.answer);
      return;
    }
    const { requestId, to, question } = effect;
    this.#world.send(this, to, question, (answer) => {
      if (answer === undefined) this.member.unanswered(requestId, 1);
      else this.member.answered(requestId, answer, 1);
    });
  }
}

export class TableWorld {
  readonly nodes: TableNode[] = [];
  readonly #limits: TableLimits;
  readonly #acts: (() => void)[] = [];
  #members: readonly PeerRef[] = [];
  #nextRequestId = 1;
  nowMs = 0;
  /** Questions between nodes since the last `take`, as `p30 fetch`. */
  #sent: string[] = [];
  /** Called with each question between nodes; false loses it. */
  arrives: (to: string, question: TableQuestion) => boolean = () => true;

  /** All are members at once, and nothing has been compared yet. */
  constructor(ringIds: readonly RingId[], limits: Partial<TableLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
    for (const ringId of ringIds) this.add(ringId);
    this.setMembers(ringIds);
  }

  /** A node that nobody knows of yet. */
  add(ringId: RingId, table = this.#newTable(), incarnation = 1): TableNode {
    const node = new TableNode(this, peer(ringId, incarnation), table, this.#limits);
    this.nodes.push(node);
    return node;
  }

  /** A node is gone; another one begins with its table. */
  restart(node: TableNode): TableNode {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    const { ringId, incarnation } = node.self;
    return this.add(ringId, node.table, incarnation + 1);
  }

  at(ringId: RingId): TableNode {
    const node = this.nodes.find(({ self }) => self.ringId === ringId);
    if (node === undefined) throw new Error(`there is no p${ringId}`);
    return node;
  }

  /** From now on all see the ring like this. */
  setMembers(ringIds: readonly RingId[]): void {
    this.#members = [...ringIds].sort((one, other) => one - other).map((it) => this.at(it).self);
    for (const node of this.nodes) this.#setView(node);
  }

  ownerOf(position: RingId): PeerRef | undefined {
    return firstAt(this.#members, position);
  }

  /** Keys that one node owns while the ring is as it is. */
  keysOf(owner: RingId, count: number): readonly string[] {
    return keysWhere(RING_SIZE, count, (position) => this.ownerOf(position)?.ringId === owner);
  }

  /** Lets time pass, and everything happen in it. */
  pass(ms: number, stepMs = TICK_MS): void {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.nowMs += stepMs;
      for (const node of this.nodes) node.member.tick();
      this.run();
    }
  }

  /** Until all copies are where they belong. */
  settle(): this {
    const isSettled = () =>
      this.nodes.every(({ member, view }) => !view.isMember || member.isSettled);
    for (let tries = 0; tries < 100 || !isSettled(); tries += 1) {
      if (tries === 1_000) throw new Error('this ring does not settle');
      this.pass(TICK_MS);
    }
    this.take();
    return this;
  }

  readonly later = (act: () => void): void => {
    this.#acts.push(act);
  };

  run(): void {
    for (let act = this.#acts.shift(); act !== undefined; act = this.#acts.shift()) act();
  }

  /** Begins something and lets everything happen until nothing is left; returns how it ended. */
  end<Result>(begin: (done: (result: Result) => void) => void): Result {
    const results: Result[] = [];
    begin((result) => results.push(result));
    this.run();
    if (results.length !== 1) throw new Error(`ended ${results.length} times`);
    return results[0] as Result;
  }

  take(): readonly string[] {
    return this.#sent.splice(0);
  }

  /** Answers with undefined where nobody is. */
  send(
    from: TableNode,
    to: PeerRef,
    question: TableQuestion,
    reply: (answer: TableAnswer | undefined) => void,
  ): void {
    this.#sent.push(`${nameOf(to)} ${question.kind}`);
    this.later(() => {
      const node = this.nodes.find(({ self }) => self.ringId === to.ringId);
      const isLost = node === undefined || !node.isUp || !from.isUp;
      if (isLost || !this.arrives(nameOf(to), question)) reply(undefined);
      else this.deliver(from.self, node, question, (answer) => this.later(() => reply(answer)));
    });
  }

  deliver(
    from: PeerRef,
    to: TableNode,
    question: TableQuestion,
    reply: (answer: TableAnswer) => void,
  ): void {
    const requestId = this.#nextRequestId;
    this.#nextRequestId += 1;
    to.asked.set(requestId, reply);
    to.member.asked(requestId, from, question);
  }

  #setView(node: TableNode): void {
    const members = this.#members;
    const index = members.findIndex(({ ringId }) => ringId === node.self.ringId);
    const others = [...members.slice(index + 1), ...members.slice(0, Math.max(index, 0))];
    node.view = {
      self: node.self,
      isMember: index >= 0,
      predecessor: index < 0 ? undefined : others.at(-1),
      successors: index < 0 ? [] : others.slice(0, SUCCESSORS_MAX),
    };
  }

  #newTable(): Table {
    const { graceMs } = this.#limits;
    const { later } = this;
    const room = { recordsMax: 10_000, bytesMax: 2 ** 30 };
    return new MemoryTable({ ringSize: RING_SIZE, graceMs, later, ...room });
  }
}
