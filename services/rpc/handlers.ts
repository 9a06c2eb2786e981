/**
 * What a service is to this directory: an object of async functions, typed from the generated
 * server interface. Requests have been validated, errors become statuses, and back-pressure works,
 * all without the handler's doing.
 */
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';

/** What a handler may know about the call it answers. */
export interface CallContext {
  /**
   * Aborted when nobody waits for the answer any more: the caller is gone, its deadline passed, or
   * the node stops. The last two have a `RingbinderError` as their reason; but a caller mostly
   * notices its deadline first, and is gone.
   */
  readonly signal: AbortSignal;
  /** The caller's `x-request-id` when it is 1 to 64 printable ASCII characters, else a new UUID. */
  readonly requestId: string;
  /** Milliseconds until the deadline, 0 when it has passed, undefined when there is none. */
  readonly deadlineMs: number | undefined;
  /** True when another node forwarded the call: don't forward it again. */
  readonly isForwarded: boolean;
  /** Knows the call and its request ID. */
  readonly log: Logger;
  /**
   * Lets the reader of a stream take as long as it wants. Without, one that reads nothing for 30 s loses
   * the stream.
   */
  waitForReader(): void;
}

export type UnaryHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => Promise<Response>;

/** Ends the stream by returning, and by throwing. It is closed when the caller is gone. */
export type ServerStreamHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => AsyncIterable<Response>;

/**
 * The requests end when the caller has sent its last one, and throw when the call is over; that the
 * caller cancels may look like either. They are read once, by one reader, no faster than asked for.
 */
export type ClientStreamHandler<Request, Response> = (
  requests: AsyncIterable<Request>,
  context: CallContext,
) => Promise<Response>;

/** Each side ends when it wants; the call is over when the responses end. */
export type BidiHandler<Request, Response> = (
  requests: AsyncIterable<Request>,
  context: CallContext,
) => AsyncIterable<Response>;

type HandlerOf<Call> =
  Call extends handleUnaryCall<infer Request, infer Response>
    ? UnaryHandler<Request, Response>
    : Call extends handleServerStreamingCall<infer Request, infer Response>
      ? ServerStreamHandler<Request, Response>
      : Call extends handleClientStreamingCall<infer Request, infer Response>
        ? ClientStreamHandler<Request, Response>
        : Call extends handleBidiStreamingCall<infer Request, infer Response>
          ? BidiHandler<Request, Response>
          : never;

/** The handlers of a generated server interface, without its index signature. */
export type Handlers<Server> = {
  readonly [Name in keyof Server as string extends Name ? never : Name]: HandlerOf<Server[Name]>;
};

/** The request's side of a method of a generated service definition. */
export type RequestCodec<Request> = {
  /** `/package.Service/Method` */
  readonly path: string;
  requestSerialize(request: Request): Buffer;
  requestDeserialize(bytes: Buffer): Request;
  /** Reads and checks the most frequent requests quicker; undefined for all others. */
  readonly requestShortcut?: (bytes: Buffer) => Request | undefined;
};

/** The response's side. */
export type ResponseCodec<Response> = {
  responseSerialize(response: Response): Buffer;
  responseDeserialize(bytes: Buffer): Response;
};

/** One method of a generated service definition. */
export type RpcMethod<Request = unknown, Response = unknown> = RequestCodec<Request> &
  ResponseCodec<Response> & { readonly requestStream: boolean; readonly responseStream: boolean };

type HandlerFor<Method> = Method extends RequestCodec<infer Request> & ResponseCodec<infer Response>
  ? Method extends { requestStream: true }
    ? Method extends { responseStream: true }
      ? BidiHandler<Request, Response>
      : ClientStreamHandler<Request, Response>
    : Method extends { responseStream: true }
      ? ServerStreamHandler<Request, Response>
      : UnaryHandler<Request, Response>
  : never;

/** The same handlers, from a generated service definition. */
export type HandlersFor<Definition> = {
  readonly [Name in keyof Definition]: HandlerFor<Definition[Name]>;
};
