/** Carries a stream to another node: one call on the one connection to it, from here. */
import { randomUUID } from 'node:crypto';
import { Metadata, type Client, type ClientDuplexStream } from '@grpc/grpc-js';
import {
  NodeServiceService,
  type CarryStreamRequest,
  type CarryStreamResponse,
} from '../../../proto/gen/ringbinder/internal/v1/node_service.js';
import type { Caller } from '../../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../../errors.js';
import { fromServiceError } from '../../rpc/channel.js';
import { brokenOff, type PeerStream } from './peer-stream.js';

type Call = ClientDuplexStream<CarryStreamRequest, CarryStreamResponse>;
type Action = NonNullable<CarryStreamRequest['action']>;

/** Never throws: what goes wrong breaks the stream. `over` is called once. */
export function carryStream(
  client: Client,
  caller: Caller,
  stream: PeerStream,
  over: () => void,
): void {
  const { carryStream: method } = NodeServiceService;
  stream.carrierId = randomUUID();
  const call: Call = client.makeBidiStreamRequest(
    method.path,
    (value: CarryStreamRequest) => method.requestSerialize(value),
    (bytes: Buffer) => method.responseDeserialize(bytes),
    new Metadata(),
  );
  const { name, carrierId } = stream;
  call.write({ action: { $case: 'open', value: { caller, name, carrierId } } });
  void Promise.allSettled([receive(call, stream), send(call, stream)]).then(() => {
    call.cancel();
    over();
  });
}

/** What the other peer sends goes into the stream, no faster than that is read. */
async function receive(call: Call, stream: PeerStream): Promise<void> {
  const { outgoing } = stream.far;
  try {
    for await (const { event } of call as AsyncIterable<CarryStreamResponse>) {
      if (event?.$case === 'opened') {
        stream.open();
      } else if (event?.$case === 'chunk') {
        const room = outgoing.write(event.value);
        if (room !== undefined) await room;
      } else if (event?.$case === 'finish') {
        outgoing.finish();
      }
    }
    if (!stream.isOver) throw brokenOff(stream);
  } catch (thrown) {
    stream.break(reasonOf(thrown, stream));
  }
}

/** What is written to the stream goes to the other peer, no faster than the network takes it. */
async function send(call: Call, stream: PeerStream): Promise<void> {
  const { incoming } = stream.far;
  const gone = new Promise<void>((resolve) => call.once('close', resolve));
  try {
    await stream.opened;
    for (;;) {
      const chunk = await incoming.read();
      if (chunk === undefined) break;
      const isFull = !write(call, {
        $case: 'chunk',
        value: Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength),
      });
      if (isFull) await Promise.race([drained(call), gone]);
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

function reasonOf(thrown: unknown, stream: PeerStream): RingbinderError {
  if (thrown instanceof RingbinderError) return thrown;
  const isService = thrown instanceof Error && 'code' in thrown && 'metadata' in thrown;
  const refusal = isService ? fromServiceError(thrown as never) : undefined;
  return refusal ?? brokenOff(stream, thrown);
}
