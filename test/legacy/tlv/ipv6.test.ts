import fc from 'fast-check';
import { isIPv6 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressKind, canonicalIpv6, isSendable } from '../../../services/legacy/tlv/ipv6.js';

describe('canonicalIpv6', () => {
  it.each([
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['1::', '1::'],
    ['::ffff:7f00:1', '::ffff:127.0.0.1'],
    ['::FFFF:127.0.0.1', '::ffff:127.0.0.1'],
    ['0001::0002', '1::2'],
  ])('writes %s as %s', (text, expected) => {
    expect(canonicalIpv6(text)).toBe(expected);
  });

  it.each([
    '',
    ':',
    ':::',
    '1',
    '127.0.0.1',
    '::g',
    '1:2:3:4:5:6:7',
    '1::2::3',
    '::5 ',
    '::8c\x05',
  ])('refuses %j', (text) => {
    expect(canonicalIpv6(text)).toBeUndefined();
  });

  it.each(['fe80::1%eth0', '::1.2.3', '::01.2.3.4', '1.2.3.4::', '1:2:3:4:5:6:7:8:9', '12345::'])(
    'refuses %s',
    (text) => {
      expect(canonicalIpv6(text)).toBeUndefined();
    },
  );

  it('takes what the system takes', () => {
    const near = fc.string({
      unit: fc.constantFrom(...Array.from('0123456789abcdef::::....')),
      maxLength: 24,
    });
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), near), (text) => {
        expect(canonicalIpv6(text) !== undefined).toBe(isIPv6(text) && text.length <= 45);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('isSendable', () => {
  it.each(['::1', '2001:db8::1', 'fd00::1', '::ffff:10.0.0.1'])('takes %s', (address) => {
    expect(isSendable(address)).toBe(true);
  });

  it.each([
    '::',
    'ff02::1',
    'fe80::1',
    '::ffff:0.0.0.0',
    '::ffff:224.0.0.1',
    '::ffff:255.255.255.255',
  ])('refuses %s', (address) => {
    expect(isSendable(address)).toBe(false);
  });
});

describe('addressKind', () => {
  it('tells mapped addresses from native ones', () => {
    expect(addressKind('::ffff:10.0.0.1')).toBe('mapped');
    expect(addressKind('::ffff:1:2:3')).toBe('native');
  });
});
