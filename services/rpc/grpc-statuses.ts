/**
 * Details for the statuses that grpc-js makes by itself: deadlines, requests beyond its limit, calls
 * that no service has. Without this, callers would get some errors typed and some not.
 */
import {
  type handleBidiStreamingCall,
  type Server,
  type ServerInterceptingCall,
  type ServerInterceptor,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { RingbinderError } from '../errors.js';
import { RECEIVE_BYTES_MAX } from './limits.js';
import { toServiceError } from './status.js';

type SentStatus = Pick<StatusObject, 'code' | 'details'> & Partial<StatusObject>;

/**
 * Replaces `sendStatus` of the call itself instead of wrapping the call: the deadline's timer doesn't
 * go through wrappers, and a wrapper would cost every call several objects.
 */
export const typeStatuses: ServerInterceptor = (_method, call) => {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (sent: SentStatus) => send(isBare(sent) ? typed(sent) : sent);
  // An interceptor may return what it was given; grpc-js declares only the narrower class.
  return call as unknown as ServerInterceptingCall;
};

function isBare({ code, metadata }: SentStatus): boolean {
  return code !== status.OK && !metadata;
}

function typed(sent: SentStatus): SentStatus {
  const error = errorFor(sent);
  return error ? toServiceError(error) : sent;
}

function errorFor({ code, details }: SentStatus): RingbinderError | undefined {
  switch (code) {
    case status.DEADLINE_EXCEEDED:
      return new RingbinderError(
        'DEADLINE_PASSED',
        'the deadline passed before the work was done; ask again with more time',
      );
    case status.RESOURCE_EXHAUSTED: {
      const bytesMax = String(RECEIVE_BYTES_MAX);
      return new RingbinderError('REQUEST_TOO_LARGE', details, { bytesMax });
    }
    case status.INTERNAL:
      return new RingbinderError('REQUEST_MALFORMED', details);
    default:
      return undefined;
  }
}

/** Answers a call with an error before its request is read. */
export function refuseWith(error: RingbinderError): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    call.emit('error', toServiceError(error));
  };
}

/**
 * Makes a server answer calls that it does not have with `RPC_NOT_IMPLEMENTED`. grpc-js has no place
 * for that, so this reaches into it; where that fails, callers get a bare UNIMPLEMENTED.
 */
export function refuseUnknownCalls(server: Server): void {
  const find: unknown = Reflect.get(server, '_retrieveHandler');
  if (typeof find !== 'function') return;
  const refusal = (path: string) => ({
    type: 'bidi',
    path,
    func: refuseWith(notImplemented(path)),
    serialize: (bytes: Buffer) => bytes,
    deserialize: (bytes: Buffer) => bytes,
  });
  const findOrRefuse = (path: string): unknown => find.call(server, path) ?? refusal(path);
  Reflect.set(server, '_retrieveHandler', findOrRefuse);
}

/** This version does not have the call. */
export function notImplemented(path: string): RingbinderError {
  return new RingbinderError('RPC_NOT_IMPLEMENTED', `this node has no call ${path}`, {
    method: path,
  });
}
