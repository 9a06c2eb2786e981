import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostOfBytes, whyNoPeer } from '../../../services/legacy/simple-dht/address.js';

const hostOfHex = (hex: string): string => hostOfBytes(Buffer.from(hex, 'hex'));

describe('hostOfBytes', () => {
  it.each([
    ['7f000001', '127.0.0.1'],
    ['ffffffff', '255.255.255.255'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['20010db800000000000100000000000a', '2001:db8::1:0:0:a'],
    ['fe800000000000000000000000000000', 'fe80::'],
    ['00000000000000000000ffff7f000001', '127.0.0.1'],
    ['00000000000000000000ffff00000000', '0.0.0.0'],
    ['0000000000000000000fffff7f000001', '::f:ffff:7f00:1'],
  ])('writes %s as %s', (hex, host) => {
    expect(hostOfHex(hex)).toBe(host);
  });

  it('writes IPv6 as a URL does', () => {
    const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        fc.pre(!(groups.slice(0, 5).every((it) => it === 0) && groups[5] === 0xffff));
        const digits = groups.map((it) => it.toString(16).padStart(4, '0'));
        const { hostname } = new URL(`http://[${digits.join(':')}]`);
        expect(`[${hostOfHex(digits.join(''))}]`).toBe(hostname);
      }),
    );
  });
});

describe('whyNoPeer', () => {
  it.each([
    ['127.0.0.1', 0, 'port 0'],
    ['0.0.0.0', 1, 'unspecified address'],
    ['0.1.2.3', 1, 'unspecified address'],
    ['224.0.0.1', 1, 'multicast address'],
    ['239.255.255.255', 1, 'multicast address'],
    ['240.0.0.1', 1, 'reserved address'],
    ['255.255.255.255', 1, 'broadcast address'],
    ['::', 1, 'unspecified address'],
    ['ff02::1', 1, 'multicast address'],
    ['fe80::1', 1, 'link-local address'],
    ['febf::1', 1, 'link-local address'],
    ['fe80::1%eth0', 1, undefined],
    ['ff::1', 1, undefined],
    ['::1', 1, undefined],
    ['2001:db8::1', 1, undefined],
    ['223.255.255.255', 65_535, undefined],
    ['127.0.0.1', 1, undefined],
  ])('of %s, port %i, is %s', (host, port, why) => {
    expect(whyNoPeer({ host, port })).toBe(why);
  });
});
