/**
 * What the calls of a run have shown, and what must hold of it.
 *
 * Each write makes a record that no other write makes, so that every version stands for one content.
 * - No acknowledged write is lost: in the end every copy has the newest acknowledged version, or a
 *   newer one. A deletion that was acknowledged therefore does not come undone.
 * - All copies are the same in the end, and nobody else keeps one.
 * - While the ring is whole and nothing happens to it, no read is older than a write that was
 *   acknowledged before it began (R + W > N), or a read that ended before (2 R > N).
 * - A want shows versions in their order, and in the end the newest.
 * - Nobody reads what nobody wrote, or what has expired by his own clock.
 */
import { endOf, idText, isLive, type RecordId, type TableRecord } from '../../dht/core/record.js';
import type { Replication } from '../../dht/core/replica-set.js';
import { compareVersions, versionText, type Version } from '../../dht/core/version.js';
import type { Violation } from '../../peer/core/invariants.js';

export type TableRule =
  | 'ACKNOWLEDGED_WRITES_ARE_KEPT'
  | 'DELETED_STAYS_DELETED'
  | 'COPIES_ARE_EQUAL'
  | 'READS_ARE_MONOTONIC'
  | 'VIEWS_ARE_MONOTONIC'
  | 'VIEWS_ARE_CURRENT'
  | 'CONTENT_IS_AS_WRITTEN'
  | 'EXPIRED_IS_GONE';

export type TableViolation = Omit<Violation, 'rule'> & { readonly rule: TableRule };

export type TableStats = {
  /** Calls begun, answered with an OK (not found is one), and refused. */
  calls: number;
  done: number;
  refused: number;
  /** Reads held against what was known when they began. */
  judgedReads: number;
  /** States shown by wants. */
  views: number;
};

/** The newest that must be seen of a record by whoever reads it now. */
export type Floor = { readonly version: Version | undefined; readonly epoch: number };

export class History {
  /** Whether what a read has seen must be seen by those after it: any two reads share a peer. */
  readonly #areReadsSeen: boolean;
  readonly stats: TableStats = { calls: 0, done: 0, refused: 0, judgedReads: 0, views: 0 };
  readonly violations: TableViolation[] = [];
  readonly #written = new Map<string, TableRecord>();
  readonly #acknowledged = new Map<string, TableRecord>();
  /** The newest that was acknowledged or read, of each record. */
  readonly #seen = new Map<string, Version>();
  /** The newest of each record that has an end. */
  readonly #ending = new Map<string, Version>();
  /** Counts the times in which the ring was whole and quiet; 0 while it is not. */
  #epoch = 0;
  #lastEpoch = 0;

  constructor({ copies, readQuorum }: Replication) {
    this.#areReadsSeen = 2 * readQuorum > copies;
  }

  get isQuiet(): boolean {
    return this.#epoch > 0;
  }

  /** The ring is whole, and nothing happens to it from now on. */
  becomeQuiet(): void {
    if (this.isQuiet) return;
    this.#lastEpoch += 1;
    this.#epoch = this.#lastEpoch;
  }

  disturb(): void {
    this.#epoch = 0;
  }

  floorOf(id: RecordId): Floor {
    return { version: this.#seen.get(idText(id)), epoch: this.#epoch };
  }

  /** A record was made, and may turn up anywhere from now on. */
  wrote(record: TableRecord): void {
    const known = this.#ending.get(idText(record));
    const isNewest = known === undefined || compareVersions(record.version, known) > 0;
    if (endOf(record) !== undefined && isNewest) this.#ending.set(idText(record), record.version);
    this.#written.set(nameOf(record, record.version), record);
  }

  acknowledged(record: TableRecord): void {
    const id = idText(record);
    const known = this.#acknowledged.get(id);
    if (known === undefined || compareVersions(record.version, known.version) > 0) {
      this.#acknowledged.set(id, record);
    }
    this.#see(id, record.version);
  }

  /** A read ended with this record, or with none. */
  read(id: RecordId, found: TableRecord | undefined, { version, epoch }: Floor): void {
    if (found !== undefined) this.#judgeContent(found);
    const isQuiet = epoch > 0 && epoch === this.#epoch;
    if (isQuiet) {
      this.stats.judgedReads += 1;
      const isOlder =
        version !== undefined &&
        (found === undefined
          ? !this.#mayBeForgotten(id, version)
          : compareVersions(found.version, version) < 0);
      if (isOlder) {
        const text = `${idText(id)} was read as ${textOf(found)} after ${versionText(version)}`;
        this.#report('READS_ARE_MONOTONIC', text);
      }
    }
    if (found !== undefined && this.#areReadsSeen) this.#see(idText(id), found.version);
  }

  /** A live value was answered to a caller on a node whose clock showed this. */
  answered(record: TableRecord, nowMs: number): void {
    if (isLive(record, nowMs)) return;
    this.#report('EXPIRED_IS_GONE', `${idText(record)} was answered after its end`);
  }

  /** A want showed this, after that. */
  viewed(now: TableRecord, before: Version | undefined): void {
    this.stats.views += 1;
    this.#judgeContent(now);
    if (before === undefined || compareVersions(now.version, before) >= 0) return;
    const text = `${idText(now)} was shown as ${textOf(now)} after ${versionText(before)}`;
    this.#report('VIEWS_ARE_MONOTONIC', text);
  }

  /** What a want showed last, when everything has settled. */
  viewedLast(id: RecordId, shown: Version | undefined, nowMs: number): void {
    const acknowledged = this.#acknowledged.get(idText(id));
    if (acknowledged === undefined || !isLive(acknowledged, nowMs)) return;
    if (this.#mayBeForgotten(id, acknowledged.version)) return;
    if (shown !== undefined && compareVersions(shown, acknowledged.version) >= 0) return;
    const last = shown === undefined ? 'nothing' : versionText(shown);
    const text = `${idText(id)}: ${last} was shown last, and not ${textOf(acknowledged)}`;
    this.#report('VIEWS_ARE_CURRENT', text);
  }

  /** Holds the copies that a record has in the end against each other and against what was promised. */
  judgeCopies(id: RecordId, copies: readonly (TableRecord | undefined)[], nowMs: number): void {
    for (const copy of copies) if (copy !== undefined) this.#judgeContent(copy);
    const acknowledged = this.#acknowledged.get(idText(id));
    if (acknowledged === undefined) return;
    const { version } = acknowledged;
    const isWrong = (copy: TableRecord | undefined): boolean =>
      copy === undefined
        ? !this.#mayBeForgotten(id, version)
        : compareVersions(copy.version, version) < 0;
    const wrong = copies.findIndex(isWrong);
    if (wrong === -1) return;
    const rule = isLive(acknowledged, nowMs)
      ? 'ACKNOWLEDGED_WRITES_ARE_KEPT'
      : 'DELETED_STAYS_DELETED';
    this.#report(
      rule,
      `${idText(id)}: ${textOf(copies[wrong])} instead of ${textOf(acknowledged)}`,
    );
  }

  /** Every record that was ever written. */
  get ids(): readonly RecordId[] {
    return [...new Map([...this.#written.values()].map((it) => [idText(it), it])).values()];
  }

  /** The newest acknowledged record of each id. */
  get promises(): readonly TableRecord[] {
    return [...this.#acknowledged.values()];
  }

  report(rule: TableRule, text: string): void {
    this.#report(rule, text);
  }

  #see(id: string, version: Version): void {
    const known = this.#seen.get(id);
    if (known === undefined || compareVersions(version, known) > 0) this.#seen.set(id, version);
  }

  /**
   * Something that has an end may have been collected, and then there is nothing to read; also when it
   * was written later and not acknowledged.
   */
  #mayBeForgotten(id: RecordId, version: Version): boolean {
    const ending = this.#ending.get(idText(id));
    return ending !== undefined && compareVersions(ending, version) >= 0;
  }

  #judgeContent(record: TableRecord): void {
    const written = this.#written.get(nameOf(record, record.version));
    if (written !== undefined && isSameContent(written, record)) return;
    this.#report('CONTENT_IS_AS_WRITTEN', `nobody wrote ${idText(record)} as ${textOf(record)}`);
  }

  #report(rule: TableRule, text: string): void {
    this.violations.push({ rule, peers: [], text });
  }
}

function nameOf(id: RecordId, version: Version): string {
  return `${versionText(version)} ${idText(id)}`;
}

function isSameContent(one: TableRecord, other: TableRecord): boolean {
  if (one.expiresAtMs !== other.expiresAtMs) return false;
  if (one.content.kind === 'value' && other.content.kind === 'value') {
    return Buffer.from(one.content.bytes).equals(other.content.bytes);
  }
  return one.content.kind === other.content.kind;
}

function textOf(record: TableRecord | undefined): string {
  if (record === undefined) return 'nothing';
  const end = record.expiresAtMs === undefined ? '' : `, until ${record.expiresAtMs}`;
  return `${record.content.kind} ${versionText(record.version)}${end}`;
}
