/**
 * Peers with tables in memory that answer each other through `Replica`, without a ring: everybody is
 * whole unless a test says otherwise, and all that is to come later comes when `run` is called.
 */
import { HybridClock } from '../../../services/dht/core/version.js';
import { Interests } from '../../../services/dht/core/interests.js';
import { MemoryTable } from '../../../services/dht/core/memory-table.js';
import { MerkleTree } from '../../../services/dht/core/merkle.js';
import type { TableAnswer, TableQuestion, TableTalk } from '../../../services/dht/core/messages.js';
import type { TableRecord } from '../../../services/dht/core/record.js';
import { Replica, type ReplicaQuestion } from '../../../services/dht/core/replica.js';
import { TableStats } from '../../../services/dht/core/stats.js';
import type { Entry, Table } from '../../../services/dht/core/table.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { Talks } from '../../../services/peer/core/talks.js';
import { nameOf, namesOf, peer } from '../../peer/ring-text.js';
import { nameOfRecord, NOW_MS } from './sample-records.js';
import { tableQuestionText } from './scripted-peers.js';

const GRACE_MS = 1_000_000_000;

export class ReplicaPeer {
  readonly self: PeerRef;
  readonly table: Table;
  readonly tree: MerkleTree;
  readonly stats = new TableStats();
  readonly interests = new Interests();
  readonly replica: Replica;
  readonly talks: Talks<TableQuestion, TableAnswer>;
  /** Whom it has told of what: `a@5 to [p30]`. */
  readonly told: string[] = [];
  isWhole = true;
  wallMs = NOW_MS;
  steadyMs = 0;

  constructor(self: PeerRef, table: Table, world: Replicas) {
    this.self = self;
    this.table = table;
    this.tree = new MerkleTree(world.ringSize);
    this.replica = new Replica({
      ringSize: world.ringSize,
      table,
      tree: this.tree,
      versions: new HybridClock(),
      interests: this.interests,
      stats: this.stats,
      clock: { wallMs: () => this.wallMs, steadyMs: () => this.steadyMs },
      isWhole: () => this.isWhole,
      isWholeAt: () => this.isWhole,
      tell: (record, peers) => this.told.push(`${nameOfRecord(record)} to ${namesOf(peers)}`),
    });
    this.talks = new Talks({
      self: () => self,
      ask: (to, question) => world.ask(this, to, question),
      askMyself: (question, reply) => {
        this.replica.answer(self, question as ReplicaQuestion, reply);
      },
    });
  }

  get entries(): readonly Entry[] {
    const top = Number.MAX_SAFE_INTEGER;
    return this.table.list(0, top, undefined, Number.MAX_SAFE_INTEGER).items;
  }

  get records(): readonly TableRecord[] {
    return this.entries.flatMap((entry) => {
      const record = this.table.read(entry);
      return record === undefined || record === 'damaged' ? [] : [record];
    });
  }

  /** What it has, as `a@5 b@7`, in order of the names. */
  get names(): string {
    return this.records.map(nameOfRecord).sort().join(' ');
  }
}

export class Replicas {
  readonly ringSize: number;
  readonly #peers = new Map<string, ReplicaPeer>();
  readonly #acts: (() => void)[] = [];
  #nextRequestId = 1;
  /** Questions to others, since the last `take`. */
  #asked: string[] = [];
  /** Called with each question before it arrives; false loses it. */
  arrives: (to: string, question: TableQuestion) => boolean = () => true;

  constructor(ringSize = 2 ** 31) {
    this.ringSize = ringSize;
  }

  readonly later = (act: () => void): void => {
    this.#acts.push(act);
  };

  /** Lets everything happen that is to come later. */
  run(): void {
    for (let act = this.#acts.shift(); act !== undefined; act = this.#acts.shift()) act();
  }

  /** A peer with these records, and room for so many. */
  add(ringId: number, records: readonly TableRecord[] = [], recordsMax = 1_000_000): ReplicaPeer {
    const table = new MemoryTable({
      ringSize: this.ringSize,
      graceMs: GRACE_MS,
      recordsMax,
      bytesMax: 2 ** 30,
      later: this.later,
    });
    return this.addWith(ringId, table, records);
  }

  addWith(ringId: number, table: Table, records: readonly TableRecord[] = []): ReplicaPeer {
    const added = new ReplicaPeer(peer(ringId), table, this);
    this.#peers.set(nameOf(added.self), added);
    if (records.length > 0) this.store(added, ...records);
    return added;
  }

  /** Asks a peer about its copies; returns the answer. */
  answer(of: ReplicaPeer, question: ReplicaQuestion, from = peer(99)): TableAnswer {
    let answer: TableAnswer | undefined;
    of.replica.answer(from, question, (it) => {
      if (answer !== undefined) throw new Error('answered twice');
      answer = it;
    });
    this.run();
    if (answer === undefined) throw new Error('not answered');
    return answer;
  }

  store(at: ReplicaPeer, ...records: readonly TableRecord[]): TableAnswer {
    return this.answer(at, { kind: 'store', records, purpose: 'write' });
  }

  /** Has a talk from its beginning to its end. */
  have<Result>(from: ReplicaPeer, talk: TableTalk<Result>): Result {
    const results: Result[] = [];
    from.talks.start(talk, (result) => results.push(result));
    this.run();
    const [result] = results;
    if (results.length !== 1) throw new Error('this talk does not end');
    return result as Result;
  }

  /** What was asked since the last call. */
  take(): readonly string[] {
    return this.#asked.splice(0);
  }

  ask(from: ReplicaPeer, to: PeerRef, question: TableQuestion): number {
    const requestId = this.#nextRequestId;
    this.#nextRequestId += 1;
    this.#asked.push(`${nameOf(to)} ${tableQuestionText(question)}`);
    this.later(() => {
      const asked = this.#peers.get(nameOf(to));
      if (!this.arrives(nameOf(to), question) || asked === undefined) {
        from.talks.resume(requestId, { kind: 'unanswered', elapsedMs: 1 });
        return;
      }
      asked.replica.answer(from.self, question as ReplicaQuestion, (answer) => {
        from.talks.resume(requestId, { kind: 'answered', answer, elapsedMs: 1 });
      });
    });
    return requestId;
  }
}

/** The same table, but for the records of one key, which are damaged. */
export function withDamaged(table: Table, key: string): Table {
  return {
    read: (id) => (id.key === key ? 'damaged' : table.read(id)),
    entry: (id) => table.entry(id),
    list: (...args) => table.list(...args),
    holders: (...args) => table.holders(...args),
    values: (...args) => table.values(...args),
    write: (...args) => table.write(...args),
    get size() {
      return table.size;
    },
  };
}

/** A table whose disk has failed: nothing is written any more. */
export function withFailedDisk(table: Table, later: (act: () => void) => void): Table {
  return {
    ...withDamaged(table, ''),
    write: (_writes, done) => later(() => done(new Error('the disk has failed'))),
  };
}
