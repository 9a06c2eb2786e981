/** Calls with a stream on either side or both. */
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
} from '@grpc/grpc-js';
import type {
  BidiHandler,
  ClientStreamHandler,
  RpcMethod,
  ServerStreamHandler,
} from './handlers.js';
import { Requests } from './requests.js';
import { StreamingCall } from './streaming-call.js';
import type { CallScope } from './running-call.js';
import { UnaryCall } from './unary.js';
import { requestReader } from './validate.js';

/** One request, a stream of responses. */
export function serverStreaming<Request, Response>(
  method: RpcMethod<Request, Response>,
  handle: ServerStreamHandler<Request, Response>,
  scope: CallScope,
): handleServerStreamingCall<Buffer, Buffer> {
  const read = requestReader(method);
  return (call) => {
    const running = new StreamingCall(call, scope, method);
    void running.run(() => handle(read(call.request), running));
  };
}

/** A stream of requests, one response. */
export function clientStreaming<Request, Response>(
  method: RpcMethod<Request, Response>,
  handle: ClientStreamHandler<Request, Response>,
  scope: CallScope,
): handleClientStreamingCall<Buffer, Buffer> {
  const read = requestReader(method);
  return (call, done) => {
    const running = new UnaryCall(call, scope, done, true);
    try {
      scope.calls.begin(running);
      handle(new Requests(call, running, read), running).then(
        (response) => running.answer(response, method),
        (caught: unknown) => running.fail(caught),
      );
    } catch (caught) {
      running.fail(caught);
    }
  };
}

/** A stream both ways. */
export function bidiStreaming<Request, Response>(
  method: RpcMethod<Request, Response>,
  handle: BidiHandler<Request, Response>,
  scope: CallScope,
): handleBidiStreamingCall<Buffer, Buffer> {
  const read = requestReader(method);
  return (call) => {
    const running = new StreamingCall(call, scope, method);
    void running.run(() => handle(new Requests(call, running, read), running));
  };
}
