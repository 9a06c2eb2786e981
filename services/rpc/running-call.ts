/**
 * A call while it runs: its context for the handler, and the one way in which it fails.
 */
import { randomUUID } from 'node:crypto';
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { RingbinderError } from '../errors.js';
import { type Clock, systemClock } from '../system/clock.js';
import type { CallsUnderWay } from './calls-under-way.js';
import type { CallContext } from './handlers.js';
import { REQUEST_ID_KEY, toServiceError } from './status.js';

/** Set by a node on what it forwards for a caller. */
export const FORWARDED_KEY = 'ringbinder-forwarded';

/** What all calls of a server share. */
export type CallScope = {
  readonly log: Logger;
  readonly clock: Clock;
  readonly calls: CallsUnderWay;
  /** Told of every call that has ended: its path, the name of its status, and how long it took. */
  readonly ended?: ((path: string, status: string, ms: number) => void) | undefined;
};

/** What is the same in the calls of all four kinds. */
export type SurfaceCall = {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  getPath(): string;
  /** Also emitted after the call was answered. */
  once(event: 'cancelled', act: () => void): unknown;
};

/** Timers fire up to a millisecond early; a call that ends this near to its deadline met it. */
const DEADLINE_SLACK_MS = 5;

const REQUEST_ID_PATTERN = /^[\x20-\x7e]{1,64}$/;

/** Nothing here is made before it is asked for: most calls ask for none of it. */
export abstract class RunningCall implements CallContext {
  readonly scope: CallScope;
  readonly #call: SurfaceCall;
  readonly #begunAtMs: number;
  #isOver = false;
  #abort: AbortController | undefined;
  #overReason: Error | undefined;
  #atEnd: (() => void)[] | undefined;
  #requestId: string | undefined;
  #log: Logger | undefined;

  constructor(call: SurfaceCall, scope: CallScope) {
    this.#call = call;
    this.scope = scope;
    this.#begunAtMs = scope.ended === undefined ? 0 : scope.clock.monotonicMs();
  }

  abstract readonly isStream: boolean;

  /** Answers with an error. Called once, when the call is over. */
  protected abstract refuse(error: ServiceError): void;

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isOver || this.#call.cancelled)
        this.#abort.abort(this.#overReason ?? this.#whyCut());
      else this.#call.once('cancelled', () => this.cut());
    }
    return this.#abort.signal;
  }

  /** Of no meaning where one response is all there is. */
  waitForReader(): void {
    return;
  }

  get requestId(): string {
    this.#requestId ??= requestIdOf(this.#call) ?? randomUUID();
    return this.#requestId;
  }

  get deadlineMs(): number | undefined {
    const deadline = deadlineOf(this.#call);
    return deadline === undefined ? undefined : Math.max(0, deadline - systemClock.now());
  }

  get isForwarded(): boolean {
    return this.#call.metadata.get(FORWARDED_KEY).length > 0;
  }

  get log(): Logger {
    this.#log ??= this.scope.log.child({ method: this.method, requestId: this.requestId });
    return this.#log;
  }

  get method(): string {
    return this.#call.getPath();
  }

  /** True when the caller has its answer, or nobody waits for one. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why it is over; undefined while it runs, and when it was answered. */
  get overReason(): Error | undefined {
    return this.#overReason;
  }

  /** Ends the call with an error, whatever was thrown. No effect when it is over. */
  fail(caught: unknown): void {
    const error = RingbinderError.from(caught);
    const isLate = this.#isOver && isAbort(caught);
    if (error.reason === 'INTERNAL' && !isLate) this.#logFault(error);
    if (this.#isOver) return;
    this.over(error);
    this.refuse(toServiceError(error, this.requestId));
  }

  /** The caller is gone or its deadline has passed; grpc-js has answered it. */
  cut(): void {
    this.over(this.#whyCut());
  }

  /** Calls when the call is over, however that comes. */
  atEnd(act: () => void): void {
    this.#atEnd ??= [];
    this.#atEnd.push(act);
  }

  /** The call is over; whoever works for it stops, unless it was answered as it should be. */
  protected over(reason?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#overReason = reason;
    const { calls, clock, ended } = this.scope;
    calls.end(this);
    ended?.(this.method, statusOf(reason), clock.monotonicMs() - this.#begunAtMs);
    if (reason) this.#abort?.abort(reason);
    for (const act of this.#atEnd ?? []) act();
  }

  #whyCut(): Error {
    const deadline = deadlineOf(this.#call) ?? Infinity;
    if (systemClock.now() < deadline - DEADLINE_SLACK_MS) {
      return new DOMException('the caller has cancelled the call, or is gone', 'AbortError');
    }
    return new RingbinderError('DEADLINE_PASSED', 'the deadline of the call has passed');
  }

  #logFault(error: RingbinderError): void {
    const { method, requestId } = this;
    this.scope.log.error({ err: error.cause ?? error, method, requestId }, 'a call failed');
  }
}

/** The name of the status that a call ends with. */
function statusOf(reason: Error | undefined): string {
  if (reason === undefined) return 'OK';
  return reason instanceof RingbinderError ? reason.status : 'CANCELLED';
}

function isAbort(caught: unknown): boolean {
  return caught instanceof Error && caught.name === 'AbortError';
}

function requestIdOf({ metadata }: SurfaceCall): string | undefined {
  const given = metadata.get(REQUEST_ID_KEY).join(',');
  return REQUEST_ID_PATTERN.test(given) ? given : undefined;
}

/** On the clock of the system, whatever clock the node runs on: grpc-js sets it by that one. */
function deadlineOf(call: SurfaceCall): number | undefined {
  const deadline = Number(call.getDeadline());
  return deadline === Infinity ? undefined : deadline;
}
