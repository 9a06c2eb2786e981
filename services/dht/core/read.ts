/**
 * One read: what the peers of a set have, the newest of it, and the repair of those that lag behind.
 *
 * Only a peer that has all of its part of the ring counts towards R: what another one lacks may exist.
 * Before the read ends, the peers that answered and lack the newest version are given it. While the set
 * stays, a read sees every write that was acknowledged before it (R + W > N), and nothing older than a
 * read before it has seen (2 R > N; the defaults have both).
 */
import type { Ask } from '../../peer/core/conversation.js';
import { isSameLife, type PeerRef } from '../../peer/core/ring-space.js';
import { canvass, type Tally } from './canvass.js';
import { answerOf, type TableHeard, type TableQuestion, type TableTalk } from './messages.js';
import { idText, merge, type RecordId, type TableRecord } from './record.js';
import type { Quorum } from './replica-set.js';
import { compareVersions, versionText, type Version } from './version.js';

/** One record, the value of a key of whose changes this peer wants to hear, or all holders of a key. */
export type ReadTarget =
  | { readonly kind: 'record'; readonly id: RecordId }
  | { readonly kind: 'watched'; readonly key: string }
  | { readonly kind: 'holders'; readonly key: string };

export type ReadOutcome = Tally & {
  /** The newest version of each record that anyone has, the dead too. */
  readonly records: readonly TableRecord[];
  /** The different versions of the record, newest first; none of holders. */
  readonly versions: readonly Version[];
  /** Peers that were given something newer. */
  readonly repaired: number;
  /** Peers whose copy does not fit its checksum. */
  readonly damaged: number;
};

/** Records of one repair at most, per peer; the rest is for the repair between peers. */
const REPAIRED_MAX = 256;

export function* readRecords(
  target: ReadTarget,
  self: PeerRef,
  peers: readonly PeerRef[],
  { copies, required }: Quorum,
): TableTalk<ReadOutcome> {
  const reading = new Reading(target);
  const others = peers.filter((peer) => !isSameLife(peer, self));
  const mine = peers.slice(0, copies).find((peer) => isSameLife(peer, self));
  const own = mine === undefined ? NOBODY : yield* askMyself(reading, mine);
  const missing = required - own.counted;
  const rest =
    missing <= 0
      ? NOBODY
      : yield* canvass({
          peers: others,
          copies: copies - own.asked,
          required: missing,
          question: () => reading.question(undefined),
          hear: (heard) => reading.hear(heard),
        });
  const repaired = yield* reading.repair();
  const { records, versions, damaged } = reading;
  return { ...sum(own, rest), records, versions, damaged, repaired };
}

const NOBODY: Tally = { asked: 0, answered: 0, counted: 0 };

/** What this peer has itself is known at once, and need not be sent by the others. */
function* askMyself(reading: Reading, self: PeerRef): TableTalk<Tally> {
  return yield* canvass({
    peers: [self],
    copies: 1,
    required: 1,
    question: () => reading.question(undefined),
    hear: (heard) => reading.hear(heard),
  });
}

function sum(one: Tally, other: Tally): Tally {
  return {
    asked: one.asked + other.asked,
    answered: one.answered + other.answered,
    counted: one.counted + other.counted,
  };
}

type Copies = Map<string, Version>;

class Reading {
  readonly #target: ReadTarget;
  readonly #newest = new Map<string, TableRecord>();
  readonly #copies = new Map<PeerRef, Copies>();
  /** Those who have said all that they have. */
  readonly #ended = new Set<PeerRef>();
  damaged = 0;

  constructor(target: ReadTarget) {
    this.#target = target;
  }

  question(after: string | undefined): TableQuestion {
    const target = this.#target;
    switch (target.kind) {
      case 'holders':
        return { kind: 'fetch-holders', key: target.key, after };
      case 'watched':
        return { kind: 'watch', key: target.key, known: this.#known(valueOf(target.key)) };
      case 'record':
        return { kind: 'fetch', id: target.id, known: this.#known(target.id) };
    }
  }

  get records(): readonly TableRecord[] {
    return [...this.#newest.values()];
  }

  get versions(): readonly Version[] {
    if (this.#target.kind === 'holders') return [];
    const all = [...this.#copies.values()].flatMap((copies) => [...copies.values()]);
    const different = new Map(all.map((version) => [versionText(version), version]));
    return [...different.values()].sort((one, other) => compareVersions(other, one));
  }

  hear(heard: TableHeard): 'counts' | 'fails' | TableQuestion {
    const from = heard.ask.to;
    const page = answerOf(heard, 'holders');
    if (page !== undefined) {
      for (const record of page.records) this.#take(from, record);
      if (page.next !== undefined) return this.question(page.next);
      return this.#end(from, page.isWhole);
    }
    const fetched = answerOf(heard, 'fetched');
    if (fetched === undefined) return 'fails';
    const { record, isWhole } = fetched;
    if (record === 'damaged') this.damaged += 1;
    else if (record === 'same') this.#takeSame(from, heard.ask.question);
    else if (record !== undefined) this.#take(from, record);
    return this.#end(from, isWhole && record !== 'damaged');
  }

  /**
   * Gives everyone who answered what they lack, and waits for them: for each its own reply, for answers
   * to the reading itself may still come in between.
   */
  *repair(): TableTalk<number> {
    const asks = [...this.#ended].flatMap((to): Ask<TableQuestion>[] => {
      const copies = this.#copiesOf(to);
      const records = this.records.filter((record) => isBehind(copies, record));
      if (records.length === 0) return [];
      const question = {
        kind: 'store',
        records: records.slice(0, REPAIRED_MAX),
        purpose: 'read-repair',
      } as const;
      return [{ to, question }];
    });
    const open = new Set(asks);
    let repaired = 0;
    let unsent: readonly Ask<TableQuestion>[] = asks;
    while (open.size > 0) {
      const heard: TableHeard = yield unsent;
      unsent = [];
      if (!open.delete(heard.ask)) continue;
      repaired += answerOf(heard, 'stored') === undefined ? 0 : 1;
    }
    return repaired;
  }

  #known(id: RecordId): Version | undefined {
    return this.#newest.get(idText(id))?.version;
  }

  /** This peer has said all that it has. */
  #end(from: PeerRef, doesCount: boolean): 'counts' | 'fails' {
    this.#ended.add(from);
    return doesCount ? 'counts' : 'fails';
  }

  #take(from: PeerRef, record: TableRecord): void {
    const id = idText(record);
    const known = this.#newest.get(id);
    this.#copiesOf(from).set(id, record.version);
    this.#newest.set(id, known === undefined ? record : merge(known, record));
  }

  /** It has the version that was known when it was asked; a newer one may be known by now. */
  #takeSame(from: PeerRef, question: TableQuestion): void {
    if (question.kind !== 'fetch' && question.kind !== 'watch') return;
    const id = question.kind === 'fetch' ? question.id : valueOf(question.key);
    if (question.known !== undefined) this.#copiesOf(from).set(idText(id), question.known);
  }

  #copiesOf(peer: PeerRef): Copies {
    const copies = this.#copies.get(peer) ?? new Map<string, Version>();
    this.#copies.set(peer, copies);
    return copies;
  }
}

function valueOf(key: string): RecordId {
  return { key, address: undefined };
}

function isBehind(copies: Copies, record: TableRecord): boolean {
  const version = copies.get(idText(record));
  return version === undefined || compareVersions(version, record.version) < 0;
}
