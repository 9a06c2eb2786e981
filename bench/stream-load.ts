/** Bytes through streams of `OpenStream`, with plain grpc-js: the same client for every side. */
import { once } from 'node:events';
import { Metadata, type Client, type ClientDuplexStream } from '@grpc/grpc-js';
import {
  PeerServiceService,
  type OpenStreamRequest,
  type OpenStreamResponse,
  type OpenStreamTarget,
} from '../proto/gen/ringbinder/v1/peer_service.js';

const { openStream } = PeerServiceService;

export type StreamCall = ClientDuplexStream<OpenStreamRequest, OpenStreamResponse>;

export function openCall(client: Client, target: OpenStreamTarget['target']): StreamCall {
  const call: StreamCall = client.makeBidiStreamRequest(
    openStream.path,
    (value: OpenStreamRequest) => openStream.requestSerialize(value),
    (bytes: Buffer) => openStream.responseDeserialize(bytes),
    new Metadata(),
  );
  call.write({ action: { $case: 'open', value: { target, name: '' } } });
  return call;
}

/** Writes chunks for so long, no faster than they leave, and then the end. */
export async function writeFor(call: StreamCall, chunkBytes: number, ms: number): Promise<void> {
  const value = Buffer.alloc(chunkBytes, 0x5a);
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (!call.write({ action: { $case: 'chunk', value } })) await once(call, 'drain');
  }
  call.write({ action: { $case: 'finish', value: {} } });
  call.end();
}

/** Reads until the call ends, and resolves with how many bytes came. */
export async function readAll(call: StreamCall): Promise<number> {
  let bytes = 0;
  call.on('data', ({ event }: OpenStreamResponse) => {
    if (event?.$case === 'chunk') bytes += event.value.length;
  });
  await once(call, 'end');
  return bytes;
}

/** Bytes per second from one call to another, which may be the same one. */
export async function throughput(
  from: StreamCall,
  to: StreamCall,
  chunkBytes: number,
  ms: number,
): Promise<number> {
  const start = performance.now();
  const [bytes] = await Promise.all([readAll(to), writeFor(from, chunkBytes, ms)]);
  return (bytes * 1_000) / (performance.now() - start);
}
