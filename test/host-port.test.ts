import { describe, expect, it } from 'vitest';
import { formatHostPort, isLoopback, isWildcard, parseHostPort } from '../services/host-port.js';

describe('parseHostPort', () => {
  it.each([
    { text: '127.0.0.1:7400', host: '127.0.0.1', port: 7400, spelt: '127.0.0.1:7400' },
    { text: 'localhost:0', host: 'localhost', port: 0, spelt: 'localhost:0' },
    { text: 'Node-1.Example.ORG:1', host: 'node-1.example.org', port: 1, spelt: '' },
    { text: 'ring_1:65535', host: 'ring_1', port: 65_535, spelt: 'ring_1:65535' },
    { text: '[::1]:7400', host: '::1', port: 7400, spelt: '[::1]:7400' },
    { text: '[2001:DB8:0:0::0:1]:7400', host: '2001:db8::1', port: 7400, spelt: '' },
    { text: '[fe80::1%eth0]:7400', host: 'fe80::1%eth0', port: 7400, spelt: '' },
    { text: `${'a'.repeat(253)}:1`, host: 'a'.repeat(253), port: 1, spelt: '' },
  ])('reads $text', ({ text, host, port, spelt }) => {
    const address = parseHostPort(text);
    expect(address).toEqual({ host, port });
    const again = formatHostPort(address!);
    if (spelt !== '') expect(again).toBe(spelt);
    expect(parseHostPort(again)).toEqual(address);
  });

  it.each([
    '',
    ':7400',
    '7400',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.1:07400',
    '127.0.0.1:-1',
    '127.0.0.1:7400x',
    '127.0.0.1:74 00',
    '127.0.0.1:123456',
    '127.0.0.256:7400',
    '127.1:7400',
    '::1:7400',
    '[::1]',
    '[::g]:7400',
    '[127.0.0.1]:7400',
    '-host:1',
    'host-:1',
    'a b:1',
    'http://host:1',
    'ho/st:1',
    `${'a'.repeat(254)}:1`,
  ])('refuses “%s”', (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });
});

describe('isLoopback', () => {
  it.each([
    { host: '127.0.0.1', is: true },
    { host: '127.8.9.1', is: true },
    { host: '::1', is: true },
    { host: 'localhost', is: true },
    { host: '127.example.org', is: false },
    { host: '10.0.0.1', is: false },
    { host: '0.0.0.0', is: false },
    { host: '::', is: false },
  ])('answers $is for $host', ({ host, is }) => {
    expect(isLoopback(host)).toBe(is);
  });
});

describe('isWildcard', () => {
  it('knows the two hosts that mean every address', () => {
    expect(['0.0.0.0', '::', '127.0.0.1', '::1'].map(isWildcard)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
