/** The gRPC faces of peer streams: for applications, and for the peers that carry them. */
import type {
  CarryStreamRequest,
  CarryStreamResponse,
  InviteStreamRequest,
  InviteStreamResponse,
} from '../../../proto/gen/ringbinder/internal/v1/node_service.js';
import type {
  Caller,
  OpenStreamRequest,
  OpenStreamResponse,
  OpenStreamTarget,
} from '../../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../../errors.js';
import type { CallContext } from '../../rpc/handlers.js';
import type { PeerRef } from '../core/ring-space.js';
import type { PeerFace } from '../face.js';
import { peerFromWire, peerToWire, requiredPeer } from '../wire.js';
import type { PeerStream } from './peer-stream.js';
import { serveEnd } from './serve-end.js';
import type { PeerStreams } from './streams.js';

export type StreamTarget = Exclude<NonNullable<OpenStreamTarget['target']>, { $case: 'accept' }>;

export type StreamHandlerDeps = {
  readonly face: PeerFace;
  readonly streams: PeerStreams;
  /** Throws `PEER_NOT_FOUND` or `PEER_UNREACHABLE`. */
  readonly find: (target: StreamTarget) => Promise<PeerRef>;
};

/** `PeerService.OpenStream`: the near end of a stream. */
export function createOpenStream({ streams, find }: StreamHandlerDeps) {
  return async function* openStream(
    requests: AsyncIterable<OpenStreamRequest>,
    context: CallContext,
  ): AsyncGenerator<OpenStreamResponse, void, void> {
    const { signal } = context;
    const reading = requests[Symbol.asyncIterator]();
    const { action } = await firstOf(reading);
    if (action?.$case !== 'open') throw notOpened();
    const { target, name } = action.value;
    const stream = await (target === undefined || target.$case === 'accept'
      ? streams.accept(name, signal)
      : streams.open(await find(target), name, signal));
    context.waitForReader();
    try {
      yield { event: { $case: 'opened', value: peerToWire(stream.peer) } };
      for await (const event of serveEnd(stream, stream.take(), reading, signal)) yield { event };
    } finally {
      streams.release(stream);
    }
  };
}

/** What peers ask of each other about streams, in NodeService. */
export function createStreamHandlers({ face, streams }: Omit<StreamHandlerDeps, 'find'>) {
  const callerOf = (caller: Caller | undefined): PeerRef => {
    face.assertRing(caller?.ringName ?? '');
    return peerFromWire(requiredPeer(caller?.peer), face.seat.ringSize);
  };
  return {
    /** The far end of a stream. */
    carryStream: async function* (
      requests: AsyncIterable<CarryStreamRequest>,
      context: CallContext,
    ): AsyncGenerator<CarryStreamResponse, void, void> {
      const { signal } = context;
      const reading = requests[Symbol.asyncIterator]();
      const { action } = await firstOf(reading);
      if (action?.$case !== 'open') throw notOpened();
      const { caller, name } = action.value;
      const stream: PeerStream = streams.carried(callerOf(caller), name);
      context.waitForReader();
      const { self } = face.seat.driver.state;
      yield { event: { $case: 'opened', value: peerToWire(self) } };
      for await (const event of serveEnd(stream, stream.far, reading, signal)) yield { event };
    },

    inviteStream: async ({ caller, name }: InviteStreamRequest): Promise<InviteStreamResponse> => {
      streams.invited(callerOf(caller), name);
      return {};
    },
  };
}

async function firstOf<Request>(requests: AsyncIterator<Request>): Promise<Request> {
  const first = await requests.next();
  if (first.done === true) throw notOpened();
  return first.value;
}

function notOpened(): RingbinderError {
  const violations = [{ field: 'open', description: 'must be the first request' }];
  return new RingbinderError('REQUEST_INVALID', 'a stream begins with open', {}, { violations });
}
