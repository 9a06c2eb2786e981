/**
 * The driver of one peer's part in the table: the only place where it meets time, the network and the
 * disk. Ticks come from the clock, questions go out over the links, and what ends is reported once.
 */
import type { Logger } from 'pino';
import type { LookupResult } from '../peer/core/lookup.js';
import type { RequestId } from '../peer/core/messages.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import type { Reply } from '../peer/core/conversation.js';
import type { Cancel, Clock } from '../system/clock.js';
import { turnEnd } from '../system/turn.js';
import type { TableAnswer, TableQuestion } from './core/messages.js';
import type { ReadOutcome, ReadTarget } from './core/read.js';
import type { TableRecord } from './core/record.js';
import { ringViews, type RingPart } from './core/ring-view.js';
import type { Table } from './core/table.js';
import {
  TableMember,
  type Rests,
  type TableEffect,
  type TableLimits,
  type Written,
} from './core/table-member.js';
import type { Version } from './core/version.js';
import type { TableMemory, TableNotes } from './notes.js';

export type TableDriverDeps = {
  readonly ringSize: number;
  readonly limits: TableLimits;
  readonly table: Table;
  readonly tickMs: number;
  readonly clock: Clock;
  readonly notes: TableNotes;
  readonly log: Logger;
  /** The peer that this one is in the ring. */
  readonly peer: {
    readonly state: RingPart;
    lookup(position: RingId): Promise<LookupResult>;
  };
  readonly links: {
    ask(from: PeerRef, to: PeerRef, question: TableQuestion): Promise<Reply<TableAnswer>>;
  };
};

const SAVE_INTERVAL_MS = 5_000;
const COUNT_PAGE = 1_000;

export class TableDriver {
  readonly #deps: TableDriverDeps;
  readonly member: TableMember;
  readonly #inbound = new Map<RequestId, (answer: TableAnswer) => void>();
  readonly #cancels: Cancel[] = [];
  #nextInboundId = 1;

  private constructor(deps: TableDriverDeps) {
    this.#deps = deps;
    const { ringSize, limits, table, peer, clock } = deps;
    this.member = new TableMember({
      ring: {
        ringSize,
        view: ringViews(() => peer.state),
        findOwner: (position, done) => void this.#findOwner(position, done),
      },
      limits,
      table,
      clock: { wallMs: () => clock.now(), steadyMs: () => clock.monotonicMs() },
      perform: (effect) => this.#perform(effect),
    });
  }

  /** Takes up what is on disk, then begins to tick. */
  static async start(deps: TableDriverDeps): Promise<TableDriver> {
    const driver = new TableDriver(deps);
    await driver.#load(await deps.notes.read());
    const { clock, tickMs } = deps;
    driver.#cancels.push(
      clock.every(tickMs, () => driver.member.tick()),
      clock.every(SAVE_INTERVAL_MS, () => void driver.#save()),
    );
    return driver;
  }

  /** Gives everything to those who will keep it once this peer is gone; false when not all have it. */
  async handAllOver(): Promise<boolean> {
    return new Promise((resolve) => this.member.handAllOver(resolve));
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    await this.#save();
  }

  /** A question of another peer. */
  async asked(from: PeerRef, question: TableQuestion): Promise<TableAnswer> {
    const requestId = this.#nextInboundId;
    this.#nextInboundId += 1;
    return new Promise((resolve) => {
      this.#inbound.set(requestId, resolve);
      this.member.asked(requestId, from, question);
    });
  }

  /** Keys with a value and holders that are there now, counted in steps between which others go on. */
  async count(): Promise<{ readonly keys: number; readonly holders: number }> {
    const { table, ringSize, clock } = this.#deps;
    const nowMs = clock.now();
    const counts = { keys: 0, holders: 0 };
    let after: string | undefined;
    do {
      const { items, next } = table.list(0, ringSize - 1, after, COUNT_PAGE);
      const there = items.filter(({ endMs = Number.POSITIVE_INFINITY }) => endMs > nowMs);
      const holders = there.filter(({ address }) => address !== undefined).length;
      counts.holders += holders;
      counts.keys += there.length - holders;
      after = next;
      await turnEnd();
    } while (after !== undefined);
    return counts;
  }

  async write(
    key: string,
    wanted: number,
    draft: (version: Version) => TableRecord,
  ): Promise<Written> {
    return new Promise((resolve) => this.member.write(key, wanted, draft, resolve));
  }

  async read(key: string, wanted: number, target: ReadTarget): Promise<Rests<ReadOutcome>> {
    return new Promise((resolve) => this.member.read(key, wanted, target, resolve));
  }

  async #load(memory: TableMemory | undefined): Promise<void> {
    const { clock, log, table } = this.#deps;
    if (memory !== undefined) {
      this.member.headcount.remember(memory.counted, clock.monotonicMs());
      this.member.wasInTouchAt(memory.inTouchAtMs);
    }
    let next = this.member.load(undefined);
    while (next !== undefined) {
      await turnEnd();
      next = this.member.load(next);
    }
    log.info(table.size, 'took up the table');
  }

  async #save(): Promise<void> {
    const { headcount, inTouchAtMs } = this.member;
    const { notes, log } = this.#deps;
    try {
      await notes.write({ counted: headcount.ringIds, inTouchAtMs });
    } catch (err) {
      log.error({ err }, 'the notes of the table could not be written');
    }
  }

  async #findOwner(position: RingId, done: (owner: PeerRef | undefined) => void): Promise<void> {
    const { peer } = this.#deps;
    if (peer.state.stage !== 'member') {
      done(undefined);
      return;
    }
    const { owner } = await peer.lookup(position);
    done(owner);
  }

  #perform(effect: TableEffect): void {
    if (effect.kind === 'ask') {
      void this.#ask(effect);
      return;
    }
    const resolve = this.#inbound.get(effect.requestId);
    this.#inbound.delete(effect.requestId);
    resolve?.(effect.answer);
  }

  async #ask({ requestId, to, question }: Extract<TableEffect, { kind: 'ask' }>): Promise<void> {
    const { links, peer } = this.#deps;
    const reply = await links.ask(peer.state.self, to, question);
    if (reply.kind === 'answered') {
      this.member.answered(requestId, reply.answer, reply.elapsedMs);
    } else {
      this.member.unanswered(requestId, reply.elapsedMs);
    }
  }
}
