/**
 * The calls that carry streams, with chunks encoded and decoded by hand: a stream is mostly chunks, and the
 * general way copies each one several times. Everything else goes the general way.
 */
import {
  NodeServiceService,
  type CarryStreamRequest,
  type CarryStreamResponse,
} from '../../../proto/gen/ringbinder/internal/v1/node_service.js';
import {
  PeerServiceService,
  type OpenStreamRequest,
  type OpenStreamResponse,
} from '../../../proto/gen/ringbinder/v1/peer_service.js';

/** Field 2 of all four messages, with a length. */
const CHUNK_TAG = (2 << 3) | 2;
/** As the rules of the protos have it. */
const CHUNK_BYTES_MAX = 2 ** 20;
/** A length of up to 21 bits has up to three of these. */
const LENGTH_BYTES_MAX = 3;

/** A message that is this chunk and nothing else. */
export function encodeChunk(chunk: Uint8Array): Buffer {
  const length = chunk.length;
  const head = [CHUNK_TAG];
  for (let rest = length; ; rest >>>= 7) {
    if (rest < 0x80) {
      head.push(rest);
      break;
    }
    head.push((rest & 0x7f) | 0x80);
  }
  const message = Buffer.allocUnsafe(head.length + length);
  message.set(head, 0);
  message.set(chunk, head.length);
  return message;
}

/**
 * The chunk of a message that is nothing but one chunk of allowed size; it shares the message's bytes.
 * Undefined for every other message, whether it is right or wrong.
 */
export function decodeChunk(message: Buffer): Buffer | undefined {
  if (message[0] !== CHUNK_TAG) return undefined;
  let length = 0;
  for (let at = 0; at < LENGTH_BYTES_MAX; at += 1) {
    const byte = message[1 + at] ?? 0;
    length |= (byte & 0x7f) << (7 * at);
    if (byte >= 0x80) continue;
    const start = 2 + at;
    const isWhole = message.length === start + length;
    return isWhole && length > 0 && length <= CHUNK_BYTES_MAX ? message.subarray(start) : undefined;
  }
  return undefined;
}

const { openStream } = PeerServiceService;
const { carryStream } = NodeServiceService;

const requestShortcut = (bytes: Buffer): (OpenStreamRequest & CarryStreamRequest) | undefined => {
  const value = decodeChunk(bytes);
  return value && { action: { $case: 'chunk', value } };
};

/** `PeerService.OpenStream`, as it is served. */
export const OPEN_STREAM = {
  ...openStream,
  requestShortcut,
  responseSerialize: (response: OpenStreamResponse): Buffer =>
    response.event?.$case === 'chunk'
      ? encodeChunk(response.event.value)
      : openStream.responseSerialize(response),
} as const;

/** `NodeService.CarryStream`, as it is served and called. */
export const CARRY_STREAM = {
  ...carryStream,
  requestShortcut,
  requestSerialize: (request: CarryStreamRequest): Buffer =>
    request.action?.$case === 'chunk'
      ? encodeChunk(request.action.value)
      : carryStream.requestSerialize(request),
  responseSerialize: (response: CarryStreamResponse): Buffer =>
    response.event?.$case === 'chunk'
      ? encodeChunk(response.event.value)
      : carryStream.responseSerialize(response),
  responseDeserialize: (bytes: Buffer): CarryStreamResponse => {
    const value = decodeChunk(bytes);
    return value ? { event: { $case: 'chunk', value } } : carryStream.responseDeserialize(bytes);
  },
} as const;
