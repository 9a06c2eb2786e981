/** Calls from this node to another. */
import {
  type Client,
  type ClientReadableStream,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { ERRORS, type ErrorReason, RingbinderError, type StatusName } from '../errors.js';
import { systemClock, TIMER_MS_MAX } from '../system/clock.js';
import type { RequestCodec, ResponseCodec } from './handlers.js';
import { reasonOf } from './status.js';

export type CallOptions = {
  /** The caller's patience; also sent along, so that the other node stops working then. */
  readonly timeoutMs: number;
  /** Gives up the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly metadata?: Metadata | undefined;
};

/**
 * Makes one call. Rejects with the `RingbinderError` that the other side answered, else with the
 * `ServiceError` of grpc-js: no connection, no answer in time, a server that isn't ours, a reason
 * that only newer nodes know.
 */
export function callUnary<Request, Response>(
  client: Client,
  method: RequestCodec<Request> & ResponseCodec<Response>,
  request: Request,
  { timeoutMs, signal, metadata = new Metadata() }: CallOptions,
): Promise<Response> {
  if (signal?.aborted === true) return Promise.reject(reasonFor(signal));
  // grpc-js compares deadlines with the clock of the system.
  const deadline = systemClock.now() + Math.min(timeoutMs, TIMER_MS_MAX);
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest<Request, Response>(
      method.path,
      (value) => method.requestSerialize(value),
      (bytes) => method.responseDeserialize(bytes),
      request,
      metadata,
      { deadline },
      (error, response) => {
        signal?.removeEventListener('abort', giveUp);
        if (signal?.aborted === true) reject(reasonFor(signal));
        else if (error) reject(fromServiceError(error) ?? error);
        else resolve(response as Response);
      },
    );
    const giveUp = () => call.cancel();
    signal?.addEventListener('abort', giveUp);
  });
}

/**
 * Opens a stream and yields what comes. Ends with the stream, or quietly when the signal says so;
 * throws the `ServiceError` of grpc-js.
 */
export async function* callServerStream<Request, Response>(
  client: Client,
  method: RequestCodec<Request> & ResponseCodec<Response>,
  request: Request,
  { signal, metadata = new Metadata() }: Omit<CallOptions, 'timeoutMs'> & { signal: AbortSignal },
): AsyncGenerator<Response, void, void> {
  const isGivenUp = (): boolean => signal.aborted;
  if (isGivenUp()) return;
  const call: ClientReadableStream<Response> = client.makeServerStreamRequest(
    method.path,
    (value) => method.requestSerialize(value),
    (bytes) => method.responseDeserialize(bytes),
    request,
    metadata,
  );
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel);
  try {
    for await (const message of call) yield message as Response;
  } catch (thrown) {
    if (!isGivenUp()) throw thrown;
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

/**
 * Returns the refusal that another node sent, as the error that it was there. Returns undefined when
 * the error is none of our nodes', or has a reason that only newer ones know.
 */
export function fromServiceError(error: ServiceError): RingbinderError | undefined {
  const refusal = reasonOf(error);
  if (refusal === undefined || !isReason(refusal.reason)) return undefined;
  const { reason, facts, retryAfterMs, violations } = refusal;
  return new RingbinderError(reason, error.details.replace(`[${reason}] `, ''), facts, {
    violations,
    cause: error,
    status: statusNameOf(error.code) ?? ERRORS[reason].status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function isReason(reason: string): reason is ErrorReason {
  return Object.hasOwn(ERRORS, reason);
}

/** The names that our own errors use, and only those. */
function statusNameOf(code: status): StatusName | undefined {
  return Object.values(ERRORS).find((error) => error.status === status[code])?.status;
}

function reasonFor(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(`the call was given up: ${String(reason)}`);
}
