/**
 * The link to one other peer: asks it questions about the table over one long-lived stream, and says
 * how each ended.
 *
 * What is asked in one turn of the event loop goes out together. No more is written than the network
 * takes, and no more waits than `LINK_LIMITS` says: what comes on top of that is unanswered at once, as
 * if lost on the way, so that its asker turns to others.
 *
 * Every question may be asked twice. When a stream that has brought answers breaks, what was under way
 * is sent once more on the next one. When streams break that brought nothing, the peer is taken for dead
 * at the third in a row: everything is unanswered then, and later questions have one try each. A refusal
 * of the stream is an answer to all: the peer lives, and its part in the table is over.
 */
import type { Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import {
  TableServiceService,
  type ExchangeRequest,
  type ExchangeResponse,
} from '../../proto/gen/ringbinder/internal/v1/table_service.js';
import type { ErrorReason } from '../errors.js';
import type { Reply } from '../peer/core/conversation.js';
import { isSameLife, type PeerRef } from '../peer/core/ring-space.js';
import { peerToWire } from '../peer/wire.js';
import { fromServiceError } from '../rpc/channel.js';
import { REQUEST_BYTES_MAX } from '../rpc/limits.js';
import type { Cancel, Clock } from '../system/clock.js';
import { turnEnd } from '../system/turn.js';
import type { TableAnswer } from './core/messages.js';
import { answerFromWire } from './wire-answer.js';
import { questionToWire, type PeerQuestion, type WireQuestion } from './wire-question.js';
import { questionBytes } from './wire-size.js';

export const LINK_LIMITS = {
  /** Questions without answer. A peer that answers 1,000 a second is 4 s behind then. */
  questionsMax: 4_096,
  /** Their bytes: all of them are kept until they are answered. One question more is no harm. */
  bytesMax: 16 * 2 ** 20,
} as const;

/** Of one message, unless it has a single question. */
export const MESSAGE_BYTES_MAX = 2 ** 20;
/** So many bytes may be on their way to the network; then the next message waits. */
const UNSENT_BYTES_MAX = 2 ** 20;
/** What a message has beside its questions. */
const HEAD_BYTES_MAX = 16 * 1_024;
/** Numbers of questions begin again after this one: far more than can be without answer. */
const NUMBER_MAX = 2 ** 31;

/** Streams in a row that bring nothing until the peer is taken for dead. */
const TRIES = 3;
/** Between two streams, by how many in a row brought nothing. */
const PAUSES_MS = [50, 50, 100, 250] as const;
const PAUSE_MS_MAX = 250;
/** Time-outs are this exact. */
const SWEEP_MS_MIN = 10;

const NOT_MEMBER: TableAnswer = { kind: 'not-member' };

/** Refusals of a stream that are no accident: the next stream would end like this one. */
const REFUSALS: ReadonlySet<ErrorReason> = new Set([
  ...(['RING_MISMATCH', 'PEER_NOT_MEMBER', 'NODE_STOPPING', 'RING_ID_OUT_OF_RANGE'] as const),
  ...(['RPC_NOT_IMPLEMENTED', 'ROLE_NOT_SERVED'] as const),
  ...(['REQUEST_INVALID', 'REQUEST_MALFORMED', 'REQUEST_TOO_LARGE'] as const),
]);

type Settle = (reply: Reply<TableAnswer>) => void;

/** A question without answer. */
type Pending = {
  readonly from: PeerRef;
  readonly question: WireQuestion;
  readonly bytes: number;
  readonly askedAtMs: number;
  readonly settle: Settle;
  /** Its number on the stream it was sent on; undefined while it waits. */
  number: number | undefined;
  wasSentAgain: boolean;
};

type Stream = {
  readonly call: ClientDuplexStream<ExchangeRequest, ExchangeResponse>;
  readonly underWay: Map<number, Pending>;
  /** Who asks, as far as the other side knows. */
  from: PeerRef | undefined;
  lastNumber: number;
  unsentBytes: number;
  hasAnswered: boolean;
};

export type TableLinkDeps = {
  readonly clock: Clock;
  readonly answerTimeoutMs: number;
  readonly ringName: string;
  readonly ringSize: number;
  /** Opens the connection; the link closes it. */
  readonly connect: () => Client;
};

export class TableLink {
  readonly #deps: TableLinkDeps;
  readonly #client: Client;
  /** All without answer, oldest first. */
  readonly #pending = new Set<Pending>();
  #pendingBytes = 0;
  /** Those of them that are not sent. */
  #waiting: Pending[] = [];
  #stream: Stream | undefined;
  /** Streams in a row that brought nothing. */
  #fruitless = 0;
  #endPause: Cancel | undefined;
  #stopSweep: Cancel | undefined;
  #isFlushDue = false;
  #isClosed = false;

  constructor(deps: TableLinkDeps) {
    this.#deps = deps;
    this.#client = deps.connect();
  }

  /** Whether it waits for answers. */
  get isBusy(): boolean {
    return this.#pending.size > 0;
  }

  /** Calls `settle` once, at once or later. */
  ask(from: PeerRef, question: PeerQuestion, settle: Settle): void {
    const askedAtMs = this.#deps.clock.monotonicMs();
    const bytes = questionBytes(question);
    if (bytes > REQUEST_BYTES_MAX - HEAD_BYTES_MAX) {
      settle({ kind: 'answered', answer: NOT_MEMBER, elapsedMs: 0 });
      return;
    }
    const { questionsMax, bytesMax } = LINK_LIMITS;
    const isFull = this.#pending.size >= questionsMax || this.#pendingBytes >= bytesMax;
    if (this.#isClosed || isFull) {
      settle({ kind: 'unanswered', elapsedMs: 0 });
      return;
    }
    const wire = questionToWire(question);
    const number = undefined;
    const wasSentAgain = false;
    const pending = { from, question: wire, bytes, askedAtMs, settle, number, wasSentAgain };
    this.#pending.add(pending);
    this.#pendingBytes += bytes;
    this.#waiting.push(pending);
    this.#flushSoon();
    this.#stopSweep ??= this.#sweepAfter(this.#deps.answerTimeoutMs);
  }

  /** Ends the stream and the connection; what is without answer stays so. */
  close(): void {
    this.#isClosed = true;
    this.#endPause?.();
    this.#stopSweep?.();
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.call.cancel();
    this.#client.close();
    this.#giveUp([...this.#pending]);
  }

  // Sending

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    void turnEnd().then(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isClosed || this.#endPause !== undefined || this.#waiting.length === 0) return;
    const stream = (this.#stream ??= this.#open());
    while (this.#waiting.length > 0 && stream.unsentBytes < UNSENT_BYTES_MAX) {
      this.#send(stream, this.#nextBatch());
    }
  }

  /** The next questions for one message: of one asker, and with as many bytes as are good. */
  #nextBatch(): readonly Pending[] {
    const [first] = this.#waiting;
    let bytes = 0;
    let count = 0;
    for (const pending of this.#waiting) {
      const isOther = first !== undefined && !isSameAsker(first.from, pending.from);
      if (isOther || (count > 0 && bytes + pending.bytes > MESSAGE_BYTES_MAX)) break;
      bytes += pending.bytes;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  #send(stream: Stream, batch: readonly Pending[]): void {
    const [first] = batch;
    if (first === undefined) return;
    let bytes = 0;
    const questions = batch.map((pending) => {
      const number = (stream.lastNumber % NUMBER_MAX) + 1;
      stream.lastNumber = number;
      stream.underWay.set(number, pending);
      pending.number = number;
      bytes += pending.bytes;
      return { number, question: pending.question };
    });
    const caller = this.#callerFor(stream, first.from);
    stream.unsentBytes += bytes;
    stream.call.write({ caller, questions }, () => {
      stream.unsentBytes -= bytes;
      if (this.#stream === stream) this.#flush();
    });
  }

  /** Named where it is news. */
  #callerFor(stream: Stream, from: PeerRef): ExchangeRequest['caller'] {
    if (stream.from !== undefined && isSameAsker(stream.from, from)) return undefined;
    stream.from = from;
    const { ringName } = this.#deps;
    return { peer: peerToWire(from), ringName, expectedIncarnation: 0n };
  }

  // The stream

  #open(): Stream {
    const { path, requestSerialize, responseDeserialize } = TableServiceService.exchange;
    const call = this.#client.makeBidiStreamRequest<ExchangeRequest, ExchangeResponse>(
      path,
      requestSerialize,
      responseDeserialize,
    );
    const stream: Stream = {
      call,
      underWay: new Map(),
      from: undefined,
      lastNumber: 0,
      unsentBytes: 0,
      hasAnswered: false,
    };
    call.on('data', (response: ExchangeResponse) => this.#hear(stream, response));
    call.on('error', (error: ServiceError) => this.#over(stream, error));
    call.on('end', () => this.#over(stream, undefined));
    return stream;
  }

  #hear(stream: Stream, { answers }: ExchangeResponse): void {
    stream.hasAnswered = true;
    if (this.#stream !== stream) return;
    this.#fruitless = 0;
    for (const { number, answer } of answers) {
      const pending = stream.underWay.get(number);
      if (pending === undefined) continue;
      this.#answer(pending, answerFromWire(answer, this.#deps.ringSize));
    }
  }

  /** The stream has ended, is refused or is broken. */
  #over(stream: Stream, error: ServiceError | undefined): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    const refusal = error && fromServiceError(error);
    if (refusal !== undefined && REFUSALS.has(refusal.reason)) {
      this.#fruitless = 0;
      this.#waiting = [];
      for (const pending of this.#pending) this.#answer(pending, NOT_MEMBER);
    } else if (stream.hasAnswered) {
      this.#sendAgain([...stream.underWay.values()]);
    } else {
      this.#fruitless += 1;
      if (this.#fruitless >= TRIES) this.#giveUp([...this.#pending]);
      else this.#waitAgain([...stream.underWay.values()]);
    }
    this.#pauseStreams();
  }

  #sendAgain(sent: readonly Pending[]): void {
    this.#giveUp(sent.filter(({ wasSentAgain }) => wasSentAgain));
    const again = sent.filter(({ wasSentAgain }) => !wasSentAgain);
    for (const pending of again) pending.wasSentAgain = true;
    this.#waitAgain(again);
  }

  #waitAgain(sent: readonly Pending[]): void {
    for (const pending of sent) pending.number = undefined;
    this.#waiting = [...sent, ...this.#waiting];
  }

  #pauseStreams(): void {
    const ms = PAUSES_MS[this.#fruitless] ?? PAUSE_MS_MAX;
    this.#endPause = this.#deps.clock.after(ms, () => {
      this.#endPause = undefined;
      this.#flush();
    });
  }

  // Ends of questions

  #answer(pending: Pending, answer: TableAnswer): void {
    this.#settle(pending, { kind: 'answered', answer, elapsedMs: this.#ageOf(pending) });
  }

  #giveUp(given: readonly Pending[]): void {
    for (const pending of given) {
      this.#settle(pending, { kind: 'unanswered', elapsedMs: this.#ageOf(pending) });
    }
    if (given.some(({ number }) => number === undefined)) {
      this.#waiting = this.#waiting.filter((pending) => this.#pending.has(pending));
    }
  }

  #settle(pending: Pending, reply: Reply<TableAnswer>): void {
    if (!this.#pending.delete(pending)) return;
    this.#pendingBytes -= pending.bytes;
    if (pending.number !== undefined) this.#stream?.underWay.delete(pending.number);
    pending.settle(reply);
  }

  #ageOf({ askedAtMs }: Pending): number {
    return this.#deps.clock.monotonicMs() - askedAtMs;
  }

  #sweepAfter(ms: number): Cancel {
    return this.#deps.clock.after(Math.max(SWEEP_MS_MIN, Math.ceil(ms)), () => this.#sweep());
  }

  /** Gives up what is too old, and comes back when the oldest of the others will be. */
  #sweep(): void {
    const { answerTimeoutMs } = this.#deps;
    const old: Pending[] = [];
    let nextAgeMs: number | undefined;
    for (const pending of this.#pending) {
      const ageMs = this.#ageOf(pending);
      if (ageMs < answerTimeoutMs) {
        nextAgeMs = ageMs;
        break;
      }
      old.push(pending);
    }
    this.#stopSweep =
      nextAgeMs === undefined ? undefined : this.#sweepAfter(answerTimeoutMs - nextAgeMs);
    this.#giveUp(old);
  }
}

function isSameAsker(one: PeerRef, other: PeerRef): boolean {
  return one === other || (isSameLife(one, other) && one.address === other.address);
}
