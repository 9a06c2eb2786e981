/**
 * The gRPC face of the table towards other peers: TableService.
 *
 * Answers go out as they come; those of one turn of the event loop go out together.
 */
import type {
  ExchangeRequest,
  ExchangeResponse,
  GetTableStatsResponse,
  TableAnswer as NumberedAnswer,
  TableCounts as WireCounts,
  TableQuestion as NumberedQuestion,
  TableServiceServer,
} from '../../proto/gen/ringbinder/internal/v1/table_service.js';
import type { Caller } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../errors.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import { peerFromWire } from '../peer/wire.js';
import type { CallContext, Handlers } from '../rpc/handlers.js';
import { RECEIVE_BYTES_MAX } from '../rpc/limits.js';
import { turnEnd } from '../system/turn.js';
import type { TableAnswer } from './core/messages.js';
import type { TableCounts } from './core/stats.js';
import type { TableSize } from './core/table.js';
import { answerToWire, refusalToWire } from './wire-answer.js';
import { questionFromWire, type PeerQuestion } from './wire-question.js';
import { invalid, present } from './wire-record.js';
import { answerBytes, questionBytes } from './wire-size.js';

/** Of one stream. Beyond them it is not read; the questions of one message more are no harm. */
export const EXCHANGE_LIMITS = {
  /** Questions whose answer is not sent. */
  questionsMax: 1_024,
  /** Bytes of questions without answer, and of answers that are not sent. */
  bytesMax: 8 * 2 ** 20,
} as const;

/** Of one response, unless it has a single answer. */
const RESPONSE_BYTES_MAX = 2 ** 20;
/** The longest answer, a list of a thousand of the longest addresses, has 5 MiB. */
const ANSWER_BYTES_MAX = RECEIVE_BYTES_MAX - 2 ** 20;
const REFUSAL_BYTES = 1_024;

/** What a peer has and has done. */
export type TableReport = {
  readonly counts: TableCounts;
  readonly size: TableSize;
  readonly wantedKeys: number;
  readonly interests: number;
  readonly isSettled: boolean;
};

export type TableHandlerDeps = {
  /** Answers a question of another peer. */
  readonly asked: (from: PeerRef, question: PeerQuestion) => Promise<TableAnswer>;
  /** These may throw `PEER_NOT_MEMBER` before the node has found its ring. */
  readonly ringName: () => string;
  readonly ringSize: () => number;
  readonly stats: () => TableReport;
};

export function createTableHandler(deps: TableHandlerDeps): Handlers<TableServiceServer> {
  return {
    exchange: (requests, context) => new Exchange(deps, context).run(requests),
    getTableStats: async () => reportToWire(deps.stats()),
  };
}

function reportToWire(report: TableReport): GetTableStatsResponse {
  const { counts, size, wantedKeys, interests, isSettled } = report;
  return {
    records: BigInt(size.records),
    bytes: BigInt(size.bytes),
    wantedKeys: BigInt(wantedKeys),
    interests: BigInt(interests),
    isSettled,
    counts: countsToWire(counts),
  };
}

function countsToWire(counts: TableCounts): WireCounts {
  return {
    written: BigInt(counts.written),
    hinted: BigInt(counts.hinted),
    readRepaired: BigInt(counts.readRepaired),
    transferred: BigInt(counts.transferred),
    given: BigInt(counts.given),
    handedOver: BigInt(counts.handedOver),
    collected: BigInt(counts.collected),
    comparisons: BigInt(counts.comparisons),
  };
}

type Ready = { readonly answer: NumberedAnswer; readonly bytes: number };

/** One stream of questions and answers. */
class Exchange {
  readonly #deps: TableHandlerDeps;
  readonly #context: CallContext;
  readonly #ringSize: number;
  #from: PeerRef | undefined;
  /** Answers that are not sent. */
  #ready: Ready[] = [];
  /** Questions without answer, and answers that are not sent. */
  #open = 0;
  #bytes = 0;
  #isTurnEnding = false;
  /** Nothing more will be asked. */
  #isRead = false;
  #failure: Error | undefined;
  /** Goes on with sending. */
  #wakeSender: (() => void) | undefined;
  /** Goes on with reading. */
  #wakeReader: (() => void) | undefined;

  constructor(deps: TableHandlerDeps, context: CallContext) {
    this.#deps = deps;
    this.#context = context;
    this.#ringSize = deps.ringSize();
  }

  async *run(requests: AsyncIterable<ExchangeRequest>): AsyncGenerator<ExchangeResponse, void> {
    const { signal } = this.#context;
    const stop = (): void => this.#wakeReader?.();
    signal.addEventListener('abort', stop);
    void this.#read(requests);
    try {
      while (!this.#isRead || this.#open > 0) {
        if (this.#ready.length === 0) await this.#somethingToSend();
        if (this.#ready.length > 0) yield { answers: this.#takeReady() };
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  // Questions

  /** Never rejects. Ends with the requests, and with the call, which makes them throw. */
  async #read(requests: AsyncIterable<ExchangeRequest>): Promise<void> {
    try {
      for await (const { caller, questions } of requests) {
        if (caller !== undefined) this.#from = this.#askerOf(caller);
        const from = present(this.#from, 'caller');
        for (const question of questions) this.#take(from, question);
        if (this.#isFull) await this.#room();
        this.#context.signal.throwIfAborted();
      }
    } catch (caught) {
      this.#failure = caught instanceof Error ? caught : RingbinderError.from(caught);
      this.#open = 0;
      this.#ready = [];
    }
    this.#isRead = true;
    this.#wakeSender?.();
  }

  #askerOf({ peer, ringName }: Caller): PeerRef {
    const mine = this.#deps.ringName();
    if (ringName !== '' && ringName !== mine) {
      const facts = { ringName: mine, meantRingName: ringName };
      throw new RingbinderError('RING_MISMATCH', `this peer belongs to the ring ${mine}`, facts);
    }
    return peerFromWire(present(peer, 'caller.peer'), this.#ringSize);
  }

  #take(from: PeerRef, { number, question: wire }: NumberedQuestion): void {
    this.#open += 1;
    try {
      const question = questionFromWire(wire, this.#ringSize);
      const answering = this.#deps.asked(from, question);
      const bytes = questionBytes(question);
      this.#bytes += bytes;
      answering.then(
        (answer) => {
          this.#bytes -= bytes;
          this.#answer(number, answer);
        },
        (caught: unknown) => {
          this.#bytes -= bytes;
          this.#refuse(number, caught);
        },
      );
    } catch (caught) {
      this.#refuse(number, caught);
    }
  }

  get #isFull(): boolean {
    const { questionsMax, bytesMax } = EXCHANGE_LIMITS;
    return this.#open >= questionsMax || this.#bytes >= bytesMax;
  }

  /** Resolves when more may be read, or the call is over. */
  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeReader = () => {
        if (this.#isFull && !this.#context.signal.aborted) return;
        this.#wakeReader = undefined;
        resolve();
      };
      this.#wakeReader();
    });
  }

  // Answers

  #answer(number: number, answer: TableAnswer): void {
    const bytes = answerBytes(answer);
    if (bytes > ANSWER_BYTES_MAX) {
      this.#refuse(number, invalid('question', `has an answer of ${bytes} bytes`));
      return;
    }
    this.#send({ number, answer: answerToWire(answer) }, bytes);
  }

  #refuse(number: number, caught: unknown): void {
    const { reason, cause } = RingbinderError.from(caught);
    if (reason === 'INTERNAL') {
      this.#context.log.error({ err: cause ?? caught }, 'a question about the table failed');
    }
    this.#send({ number, answer: refusalToWire(caught) }, REFUSAL_BYTES);
  }

  #send(answer: NumberedAnswer, bytes: number): void {
    if (this.#failure !== undefined) return;
    this.#ready.push({ answer, bytes });
    this.#bytes += bytes;
    if (this.#wakeSender === undefined || this.#isTurnEnding) return;
    this.#isTurnEnding = true;
    void turnEnd().then(() => {
      this.#isTurnEnding = false;
      this.#wakeSender?.();
    });
  }

  /** Resolves at the end of a turn that brought answers, or when nothing more will come. */
  #somethingToSend(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeSender = () => {
        this.#wakeSender = undefined;
        resolve();
      };
      if (this.#isRead && this.#open === 0) this.#wakeSender();
    });
  }

  /** The answers for one response. */
  #takeReady(): readonly NumberedAnswer[] {
    let bytes = 0;
    let count = 0;
    for (const ready of this.#ready) {
      if (count > 0 && bytes + ready.bytes > RESPONSE_BYTES_MAX) break;
      bytes += ready.bytes;
      count += 1;
    }
    const taken = this.#ready.splice(0, count);
    this.#open -= count;
    this.#bytes -= bytes;
    this.#wakeReader?.();
    return taken.map(({ answer }) => answer);
  }
}
