import { describe, expect, it } from 'vitest';
import { HashServiceService } from '../../proto/gen/ringbinder/v1/hash_service.js';
import { PeerServiceService } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../../services/errors.js';
import { requestReader } from '../../services/rpc/validate.js';

const { getRingId, getAddress } = HashServiceService;
const { findSuccessor, lookup, notify, openStream, watchMessages } = PeerServiceService;

const readGetRingId = requestReader(getRingId);
const peer = { ringId: 5n, address: '10.0.0.1:7400', incarnation: 1n };

function refusal(act: () => unknown): RingbinderError {
  try {
    act();
  } catch (error) {
    if (error instanceof RingbinderError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('requestReader', () => {
  it.each([
    { title: 'shortest', address: 'a' },
    { title: 'longest', address: 'x'.repeat(4096) },
    { title: 'not ASCII', address: 'ä漢\u{1F600}' },
    { title: 'with a byte-order mark', address: '\uFEFFa' },
  ])('reads a request whose field is $title', ({ address }) => {
    expect(readGetRingId(getRingId.requestSerialize({ address }))).toEqual({ address });
  });

  it.each([
    { title: 'empty', address: '' },
    { title: 'one byte too long', address: 'x'.repeat(4097) },
    { title: 'too long in bytes, not in characters', address: '漢'.repeat(1366) },
  ])('refuses a request whose field is $title', ({ address }) => {
    const error = refusal(() => readGetRingId(getRingId.requestSerialize({ address })));
    expect(error).toMatchObject({ reason: 'REQUEST_INVALID', facts: { fields: 'address' } });
    expect(error.violations).toMatchObject([{ field: 'address' }]);
    expect(error.text).toMatch(/^address: must be at (least|most) \d+ bytes$/);
  });

  it('names a field once, with all that is wrong about it', () => {
    const read = requestReader(notify);
    const nested = { ringName: 'x'.repeat(65), expectedIncarnation: 0n };
    const request = notify.requestSerialize({
      candidate: { ...peer, address: '' },
      caller: nested,
    });
    const fields = refusal(() => read(request)).violations.map(({ field }) => field);
    expect(fields).toContain('candidate');
    expect(fields).toContain('caller.ring_name');
    expect(new Set(fields).size).toBe(fields.length);
  });

  it.each([
    { title: 'a required oneof', method: lookup, field: 'target' },
    { title: 'a required message', method: notify, field: 'candidate' },
  ])('refuses the absence of $title', ({ method, field }) => {
    const read = requestReader<unknown>(method);
    expect(refusal(() => read(Buffer.alloc(0))).violations).toMatchObject([{ field }]);
  });

  it('refuses more items than allowed', () => {
    const avoidedPeers = Array.from({ length: 33 }, () => peer);
    const bytes = findSuccessor.requestSerialize({ ringId: 1n, avoidedPeers, alternatesMax: 0 });
    const { violations } = refusal(() => requestReader(findSuccessor)(bytes));
    expect(violations).toMatchObject([{ field: 'avoided_peers' }]);
  });

  it.each([0n, 1n, 2n ** 63n, 2n ** 64n - 1n])('reads the number %d', (ringId) => {
    const bytes = getAddress.requestSerialize({ ringId });
    expect(requestReader(getAddress)(bytes)).toEqual({ ringId });
  });

  it('reads the bits of a negative number as the unsigned number they are', () => {
    const minusOne = Buffer.from([0x08, ...Array<number>(9).fill(0xff), 0x01]);
    expect(requestReader(getAddress)(minusOne)).toEqual({ ringId: 2n ** 64n - 1n });
  });

  it('reads the empty request of a method without rules', () => {
    expect(requestReader(watchMessages)(Buffer.alloc(0))).toEqual({});
  });

  it('ignores fields that it does not know', () => {
    const unknown = Buffer.from([0xf8, 0x7f, 0x01]);
    const bytes = Buffer.concat([getRingId.requestSerialize({ address: 'a' }), unknown]);
    expect(readGetRingId(bytes)).toEqual({ address: 'a' });
  });

  it.each([
    { title: 'a length beyond the end', bytes: [0x0a, 0x05, 0x61] },
    { title: 'a tag and nothing else', bytes: [0x0a] },
    { title: 'a number that never ends', bytes: Array<number>(11).fill(0xff) },
    { title: 'field 0', bytes: [0x0a, 0x01, 0x61, 0x00, 0x61] },
    { title: 'the end of no group', bytes: [0x0a, 0x01, 0x61, 0x0c] },
    { title: 'a wire type that does not exist', bytes: [0x0f] },
    { title: 'bytes that are no UTF-8', bytes: [0x0a, 0x02, 0xc3, 0x28] },
    { title: 'half a surrogate pair', bytes: [0x0a, 0x03, 0xed, 0xa0, 0x80] },
    { title: 'text', bytes: [...Buffer.from('GET / HTTP/1.1')] },
  ])('refuses $title as malformed', ({ bytes }) => {
    expect(refusal(() => readGetRingId(Buffer.from(bytes)))).toMatchObject({
      reason: 'REQUEST_MALFORMED',
      status: 'INVALID_ARGUMENT',
      facts: { method: '/ringbinder.v1.HashService/GetRingId' },
    });
  });

  it('refuses malformed requests of a method without rules too', () => {
    const read = requestReader(watchMessages);
    expect(refusal(() => read(Buffer.from([0x00]))).reason).toBe('REQUEST_MALFORMED');
  });

  it('never fails otherwise, whatever byte is changed or cut off', () => {
    const read = requestReader(findSuccessor);
    const caller = { peer, ringName: 'ring', expectedIncarnation: 3n };
    const good = findSuccessor.requestSerialize({
      ringId: 9n,
      avoidedPeers: [peer],
      caller,
      alternatesMax: 0,
    });
    const reasons = new Set<string>();
    const attempt = (bytes: Buffer) => {
      try {
        read(bytes);
      } catch (error) {
        reasons.add((error as RingbinderError).reason);
      }
    };
    for (let at = 0; at < good.length; at += 1) {
      attempt(good.subarray(0, at));
      for (const value of [0x00, 0x07, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(good);
        changed[at] = value;
        attempt(changed);
      }
    }
    expect([...reasons].sort()).toEqual(['REQUEST_MALFORMED']);
  });

  it('checks what the handler gets, not what another decoder would make of the bytes', () => {
    // To protobuf-es the address `a` and four unknown numbers; to ts-proto two unknown numbers.
    const ambiguous = Buffer.from([0x08, 0x01, 0x61, ...Array<number[]>(4).fill([0x78, 1]).flat()]);
    expect(refusal(() => readGetRingId(ambiguous)).reason).toBe('REQUEST_INVALID');
    const twice = Buffer.concat([
      notify.requestSerialize({ candidate: peer }),
      notify.requestSerialize({ candidate: { ...peer, address: '' } }),
    ]);
    expect(refusal(() => requestReader(notify)(twice)).reason).toBe('REQUEST_INVALID');
  });

  it.each([
    { title: '4 MiB', bytes: 4 * 2 ** 20, reason: 'REQUEST_INVALID' },
    { title: 'a byte more', bytes: 4 * 2 ** 20 + 1, reason: 'REQUEST_TOO_LARGE' },
  ])('answers a request of $title with $reason', ({ bytes, reason }) => {
    const request = openStream.requestSerialize({
      action: { $case: 'chunk', value: Buffer.alloc(bytes - 5) },
    });
    expect(request.length).toBe(bytes);
    expect(refusal(() => requestReader(openStream)(request)).reason).toBe(reason);
  });
});
