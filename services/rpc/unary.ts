/** One request, one response. */
import type { handleUnaryCall, sendUnaryData, ServiceError } from '@grpc/grpc-js';
import type { ResponseCodec, RpcMethod, UnaryHandler } from './handlers.js';
import { type CallScope, RunningCall, type SurfaceCall } from './running-call.js';
import { requestReader } from './validate.js';

/**
 * Returns what grpc-js calls with the bytes of a request. What is wrong with them, and whatever the
 * handler throws, becomes a status.
 */
export function unary<Request, Response>(
  method: RpcMethod<Request, Response>,
  handle: UnaryHandler<Request, Response>,
  scope: CallScope,
): handleUnaryCall<Buffer, Buffer> {
  const read = requestReader(method);
  return (call, done) => {
    const running = new UnaryCall(call, scope, done);
    try {
      scope.calls.begin(running);
      handle(read(call.request), running).then(
        (response) => running.answer(response, method),
        (caught: unknown) => running.fail(caught),
      );
    } catch (caught) {
      running.fail(caught);
    }
  };
}

/** A call with one response, whether it has one request or a stream of them. */
export class UnaryCall extends RunningCall {
  readonly isStream: boolean;
  readonly #done: sendUnaryData<Buffer>;

  constructor(call: SurfaceCall, scope: CallScope, done: sendUnaryData<Buffer>, isStream = false) {
    super(call, scope);
    this.#done = done;
    this.isStream = isStream;
  }

  /** A response that can't be encoded is a fault of ours. */
  answer<Response>(response: Response, method: ResponseCodec<Response>): void {
    if (this.isOver) return;
    try {
      const bytes = method.responseSerialize(response);
      this.over();
      this.#done(null, bytes);
    } catch (caught) {
      this.fail(caught);
    }
  }

  protected override refuse(error: ServiceError): void {
    this.#done(error);
  }
}
