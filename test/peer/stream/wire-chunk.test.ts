import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeerServiceService } from '../../../proto/gen/ringbinder/v1/peer_service.js';
import { decodeChunk, encodeChunk, OPEN_STREAM } from '../../../services/peer/stream/wire-chunk.js';

const { openStream } = PeerServiceService;
const MIB = 2 ** 20;

function generated(value: Buffer): Buffer {
  return openStream.requestSerialize({ action: { $case: 'chunk', value } });
}

describe('chunks by hand', () => {
  it('are what the generated code makes of them, at every length of the length', () => {
    for (const bytes of [1, 2, 127, 128, 16_383, 16_384, 65_536, 2 ** 20 - 1, 2 ** 20]) {
      const chunk = Buffer.alloc(bytes, 0x5a);
      const message = generated(chunk);
      expect(encodeChunk(chunk).equals(message)).toBe(true);
      expect(decodeChunk(message)?.equals(chunk)).toBe(true);
    }
  });

  it('leave to the general way what is no chunk of allowed size', () => {
    const messages = [
      openStream.requestSerialize({ action: { $case: 'finish', value: {} } }),
      Buffer.alloc(0),
      Buffer.from([0x12]),
      Buffer.from([0x12, 0]),
      Buffer.from([0x12, 2, 1]),
      Buffer.from([0x12, 1, 1, 0x1a, 0]),
      Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff]),
      generated(Buffer.alloc(MIB + 1)),
    ];
    for (const message of messages) expect(decodeChunk(message)).toBeUndefined();
  });

  it('read nothing that the generated code reads otherwise', () => {
    const field = fc.constantFrom(0x0a, 0x12, 0x1a);
    const bytes = fc.array(fc.nat(255), { maxLength: 6 });
    fc.assert(
      fc.property(field, bytes, (tag, rest) => {
        const message = Buffer.from([tag, ...rest]);
        const quick = OPEN_STREAM.requestShortcut(message);
        if (quick !== undefined) expect(openStream.requestDeserialize(message)).toEqual(quick);
      }),
    );
  });
});
