/** Carries a stream to another node: one call on the one connection to it, from here. */
import { Metadata, type Client, type ClientDuplexStream } from '@grpc/grpc-js';
import type {
  CarryStreamRequest,
  CarryStreamResponse,
} from '../../../proto/gen/ringbinder/internal/v1/node_service.js';
import type { Caller } from '../../../proto/gen/ringbinder/v1/peer_service.js';
import type { RingbinderError } from '../../errors.js';
import { fromServiceError } from '../../rpc/channel.js';
import { brokenOff, type PeerStream } from './peer-stream.js';
import { CARRY_STREAM } from './wire-chunk.js';

type Call = ClientDuplexStream<CarryStreamRequest, CarryStreamResponse>;
type Action = NonNullable<CarryStreamRequest['action']>;

/** Never throws: what goes wrong breaks the stream. `over` is called once. */
export function carryStream(
  client: Client,
  caller: Caller,
  stream: PeerStream,
  over: () => void,
): void {
  const call: Call = client.makeBidiStreamRequest(
    CARRY_STREAM.path,
    (value: CarryStreamRequest) => CARRY_STREAM.requestSerialize(value),
    (bytes: Buffer) => CARRY_STREAM.responseDeserialize(bytes),
    new Metadata(),
  );
  write(call, { $case: 'open', value: { caller, name: stream.name } });
  const ended = new Promise<void>((resolve) => {
    call.once('end', resolve);
    call.once('error', () => resolve());
  });
  receive(call, stream);
  void Promise.all([send(call, stream, ended), ended]).then(over);
}

/** What the other peer sends goes into the stream, no faster than that is read. */
function receive(call: Call, stream: PeerStream): void {
  const { incoming, outgoing } = stream.far;
  // Whoever reads here may be gone while nothing comes.
  outgoing.settled().catch(() => call.cancel());
  const take = ({ event }: CarryStreamResponse): void => {
    if (event?.$case === 'opened') {
      stream.open();
    } else if (event?.$case === 'chunk') {
      const room = outgoing.write(event.value);
      if (room === undefined) return;
      call.pause();
      room.then(
        () => call.resume(),
        () => undefined,
      );
    } else if (event?.$case === 'finish') {
      outgoing.finish();
    }
  };
  call.on('data', (response: CarryStreamResponse) => {
    try {
      take(response);
    } catch {
      // It is broken, or finished, and takes no more.
      call.cancel();
    }
  });
  call.on('end', () => {
    if (incoming.isFinished && outgoing.isFinished) incoming.settle();
    else stream.break(brokenOff(stream));
  });
  call.on('error', (error) => {
    stream.break(refusalOf(error) ?? brokenOff(stream, error));
  });
}

/** What is written to the stream goes to the other peer, no faster than the network takes it. */
async function send(call: Call, stream: PeerStream, ended: Promise<void>): Promise<void> {
  const { incoming } = stream.far;
  try {
    await stream.opened;
    for (;;) {
      const chunk = await incoming.read();
      if (chunk === undefined) break;
      const value = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      const hasRoom = write(call, { $case: 'chunk', value });
      if (!hasRoom) await Promise.race([drained(call), ended]);
    }
    write(call, { $case: 'finish', value: {} });
    call.end();
  } catch {
    // The stream is broken, which its ends know.
    call.cancel();
  }
}

function write(call: Call, action: Action): boolean {
  return call.write({ action });
}

async function drained(call: Call): Promise<void> {
  return new Promise((resolve) => call.once('drain', resolve));
}

function refusalOf(error: Error): RingbinderError | undefined {
  const isService = 'code' in error && 'metadata' in error;
  return isService ? fromServiceError(error as Parameters<typeof fromServiceError>[0]) : undefined;
}
