import { describe, expect, it } from 'vitest';
import { ANNOUNCEMENTS_MAX } from '../../../services/legacy/tlv/announcements.js';
import { TLV } from '../../../services/legacy/tlv/codec.js';
import {
  EXIT_ACCEPTED,
  EXIT_REFUSED,
  NOTHING_KNOWN,
  type TlvMessage,
} from '../../../services/legacy/tlv/messages.js';
import { HASH, type TestNode, World } from './tlv-world.js';

const CLIENT = { host: '::99', port: 15_898 };
const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const PUT_HEX = `31d3303a3a35${ascii(HASH)}`;
const GET_HEX = `30d030${ascii(HASH)}`;
const NOTHING_HEX = `33d0e8${ascii(NOTHING_KNOWN)}`;

function say(node: TestNode, hex: string, from = CLIENT): void {
  node.session.received('client', from, Buffer.from(hex, 'hex'));
}

function exit(node: TestNode, password: string, host = '::1'): void {
  const message: TlvMessage = { framing: 'original', kind: 'EXIT', password };
  node.session.received('client', { host, port: 40_000 }, TLV.encode(message));
}

describe('a GET and a PUT of an original client', () => {
  it('find each other, byte for byte', () => {
    const node = new World().node('::1');
    say(node, GET_HEX);
    say(node, PUT_HEX);
    say(node, GET_HEX);
    expect(node.hex()).toEqual([NOTHING_HEX, '33d0d43a3a3520']);
    expect(node.sent.map(({ socket, to }) => [socket, to])).toEqual([
      ['answer', CLIENT],
      ['answer', CLIENT],
    ]);
    expect(node.holders.announced).toEqual([[HASH, '::5', 30_000]]);
  });

  it('renew the holder with every PUT (B12)', () => {
    const node = new World().node('::1');
    say(node, PUT_HEX);
    say(node, PUT_HEX);
    expect(node.holders.announced).toHaveLength(2);
  });

  it('lists in the order of arrival, prefixes apart (B8), and no more than 175 bytes (B5)', () => {
    const node = new World().node('::1');
    node.holders.held.set(HASH, ['::12', '::1', '10.0.0.1', '::ffff:10.0.0.1', '2001:DB8::1']);
    say(node, GET_HEX);
    expect(node.hex()).toEqual([`33d0f5${ascii('::12 ::1 ::ffff:10.0.0.1 2001:db8::1 ')}`]);
    const long = Array.from(
      { length: 10 },
      (_, index) => `2001:db8:1111:2222:3333:4444:5555:666${index}`,
    );
    node.holders.held.set(HASH, long);
    say(node, GET_HEX);
    expect(node.hex().at(-1)).toBe(
      `33d06c${ascii(
        long
          .slice(0, 4)
          .map((it) => `${it} `)
          .join(''),
      )}`,
    );
  });

  it('writes the length of 48 bytes as the zero byte that it is (B4)', () => {
    const node = new World().node('::1');
    const ips = ['fd00:1234::1', 'fd00:1234::2', 'fd00::123:1', 'fd00::123'];
    node.holders.held.set(HASH, ips);
    say(node, GET_HEX);
    expect(node.hex()[0]?.slice(0, 6)).toBe('33d000');
  });

  it('says nothing when the services fail, and nothing after 4.5 s', () => {
    const world = new World();
    const node = world.node('::1');
    node.holders.isFailing = true;
    say(node, GET_HEX);
    node.holders.isFailing = false;
    node.holders.waiting = [];
    say(node, GET_HEX);
    world.pass(4_600);
    say(node, GET_HEX);
    for (const answer of node.holders.waiting) answer();
    expect(node.hex()).toEqual([NOTHING_HEX]);
  });

  it('finds what was put a moment ago, while the services do not know it yet', () => {
    const node = new World().node('::1');
    node.holders.announce = () => undefined;
    say(node, PUT_HEX);
    say(node, GET_HEX);
    expect(node.hex()).toEqual(['33d0d43a3a3520']);
  });

  it('hands so many holders to the services at once, and a repeat not while it is under way', () => {
    const node = new World().node('::1', {
      options: { clientRate: { perSecond: 1e6, burst: 1e6, hostsMax: 1 } },
    });
    node.holders.announcing = [];
    const putAt = (index: number): string =>
      `31d611${ascii(`::${(0x1000 + index).toString(16)}${'a'.repeat(65)}`)}`;
    for (let index = 0; index < ANNOUNCEMENTS_MAX + 2; index += 1) say(node, putAt(index));
    say(node, putAt(0));
    expect(node.holders.announced).toHaveLength(ANNOUNCEMENTS_MAX);
    expect(node.notes.filter(({ what }) => what === 'limited')).toHaveLength(2);
    for (const done of node.holders.announcing) done();
    say(node, putAt(0));
    expect(node.holders.announced).toHaveLength(ANNOUNCEMENTS_MAX + 1);
  });

  it.each([
    ['no bytes', ''],
    ['a GET of nothing', '30'],
    ['a GET of a hash with a zero byte', '30d0d3610062'],
    ['a PUT without anything', '31'],
    ['a PUT at a name', `31da11${ascii(`hostname..${'a'.repeat(65)}`)}`],
    ['WANT', '32d0d0'],
    ['NEW on the port of clients', '35'],
    ['a HAVE on the port of clients', `33d3303a3a35${ascii(HASH)}`],
    ['a KEEP_ALIVE on the port of clients', '37'],
    ['a part of a plain message', '000060'],
    ['no type', 'ff'],
  ])('does not answer %s', (_title, hex) => {
    const node = new World().node('::1');
    say(node, hex);
    expect(node.sent).toEqual([]);
    expect(node.holders.announced).toEqual([]);
    expect(node.notes).toHaveLength(1);
    expect(node.notes[0]?.what).toMatch(/^(?:malformed|unexpected)$/);
  });

  it('answers a short question with few addresses, at least one', () => {
    const node = new World().node('::1', { options: { amplificationMax: 1 } });
    node.holders.held.set(
      'abc',
      Array.from({ length: 10 }, (_, index) => `fd00:1:2:3:4:5:6:${index}`),
    );
    say(node, `30d0d3${ascii('abc')}`);
    expect(node.sent[0]?.bytes.length).toBeLessThanOrEqual(3 + 46);
  });

  it('answers no more than a host may ask', () => {
    const options = { clientRate: { perSecond: 1, burst: 2, hostsMax: 10 } };
    const node = new World().node('::1', { options });
    for (let index = 0; index < 5; index += 1) say(node, GET_HEX);
    expect(node.sent).toHaveLength(2);
    expect(node.notes.filter(({ what }) => what === 'limited')).toHaveLength(3);
  });

  it('holds a bounded number of questions', () => {
    const options = { clientRate: { perSecond: 1, burst: 1e6, hostsMax: 10 } };
    const node = new World().node('::1', { options });
    node.holders.waiting = [];
    for (let index = 0; index < 1_100; index += 1) say(node, GET_HEX);
    expect(node.holders.waiting).toHaveLength(1_024);
  });
});

describe('a client of the plain framing', () => {
  const message = (it: TlvMessage): string => Buffer.from(TLV.encode(it)).toString('hex');
  const framing = 'plain';
  const get = message({ framing, kind: 'GET', hash: HASH });
  const put = (ip: string): string => message({ framing, kind: 'PUT', ip, hash: HASH });
  const answer = (text: string): string => message({ framing, kind: 'ANSWER', text });

  it('is answered in the plain framing, from where it asked', () => {
    const node = new World().node('::1');
    for (const hex of [get, put('::5'), put('::6'), get]) say(node, hex);
    expect(node.hex('client')).toEqual([answer(''), answer('::5 ::6')]);
    say(node, GET_HEX);
    expect(node.hex('answer')).toEqual([`33d0d8${ascii('::5 ::6 ')}`]);
  });

  it('is served in a stream', () => {
    const node = new World().node('::1');
    const replies: string[] = [];
    const stream = node.session.openStream(CLIENT, (bytes) =>
      replies.push(Buffer.from(bytes).toString('hex')),
    );
    for (const byte of Buffer.from(put('::5') + get, 'hex')) {
      expect(stream.received(Uint8Array.of(byte))).toBe(true);
    }
    expect(replies).toEqual([answer('::5')]);
    expect(node.sent).toEqual([]);
  });
});

describe('an EXIT', () => {
  const REFUSED_HEX = `36d0e6${ascii(EXIT_REFUSED)}`;

  it('stops the server with the right password; the other servers hear of it first', () => {
    const world = new World();
    const node = world.node('::1', { password: 'password123' });
    node.session.received('server', { host: '::2', port: 58_951 }, Uint8Array.of(0x35));
    node.sent.length = 0;
    exit(node, 'password123');
    expect(node.hex()).toEqual(['36', `36d0f6${ascii(EXIT_ACCEPTED)}`]);
    expect(node.sent.map(({ socket, to }) => [socket, to.host])).toEqual([
      ['answer', '::2'],
      ['answer', '::1'],
    ]);
    expect(node.stops).toBe(1);
  });

  it.each([
    ['with another password', 'password123', 'password124', '::1'],
    ['when none is configured', undefined, 'password123', '::1'],
    ['from a host that may not', 'password123', 'password123', '::2'],
  ])('is refused %s', (_title, password, given, host) => {
    const node = new World().node('::1', password === undefined ? {} : { password });
    exit(node, given, host);
    expect(node.hex()).toEqual([REFUSED_HEX]);
    expect(node.stops).toBe(0);
  });

  it('notes each datagram once, the question before its answer', () => {
    const node = new World().node('::1', { password: 'password123' });
    exit(node, 'password124');
    expect(node.notes.map(({ direction, socket, what }) => [direction, socket, what])).toEqual([
      ['in', 'client', 'EXIT'],
      ['out', 'answer', 'EXIT_ANSWER'],
    ]);
  });

  it('leaves no password in a note', () => {
    const node = new World().node('::1', { password: 'password123' });
    exit(node, 'password123');
    expect(JSON.stringify(node.notes)).not.toContain('password123');
  });
});
