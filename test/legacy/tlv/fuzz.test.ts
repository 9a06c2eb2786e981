/** Fifty thousand datagrams of chance: what leaves the session harms no original (wire/tlv.md, section 8). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TLV } from '../../../services/legacy/tlv/codec.js';
import { PAIRS_MAX } from '../../../services/legacy/tlv/holdings.js';
import { addressKind, canonicalIpv6, isSendable } from '../../../services/legacy/tlv/ipv6.js';
import type { TlvMessage } from '../../../services/legacy/tlv/messages.js';
import type { TlvSocket } from '../../../services/legacy/tlv/options.js';
import { addressesIn } from '../../../services/legacy/tlv/answer-text.js';
import { type Sent, type TestNode, World } from './tlv-world.js';

const DATAGRAMS = 50_000;
const SOCKETS = ['client', 'server', 'serverAnswer', 'keepAlive', 'answer'] as const;
const PORTS = [0, 40_000, 58_951, 58_952, 58_523];

const hosts = [
  ...Array.from({ length: 16 }, (_, index) => `2001:db8::${index.toString(16)}`),
  ...Array.from({ length: 6 }, (_, index) => `::ffff:10.0.0.${index}`),
  ...['2001:DB8::1', '::', 'ff02::1', 'fe80::1%eth0', '10.0.0.1', 'example.org', ''],
];
const host = fc.constantFrom(...hosts);
const word = (characters: string, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(characters)), maxLength });
const hash = fc.oneof(
  fc.nat(9_999).map((it) => 'h'.repeat(70) + String(it)),
  fc.nat({ max: 300 }).map((length) => 'x'.repeat(length)),
  word('ab \0\x01\xff', 80),
);
const ip = fc.oneof(
  host,
  fc.nat(9_999).map((it) => `2001:db8:5::${it}`),
  word('0123456789abcdef::. \0', 70),
);
/** Headers that declare what is there, in the original framing, whatever that is. */
const framed = fc
  .tuple(fc.constantFrom(...Array.from('0123456789')), ip, hash)
  .map(([type, first, second]) => {
    const header = Uint8Array.of(type.charCodeAt(0), first.length - 48, second.length - 48);
    return Uint8Array.of(...header, ...Buffer.from(first + second, 'latin1'));
  });
const plain = fc.tuple(fc.nat(10), ip, hash).map(([type, first, second]) => {
  const data = Buffer.from(`${first} ${second}`, 'latin1');
  return Uint8Array.of(type, data.length >> 8, data.length & 255, ...data);
});
const signal = fc.constantFrom('35', '36', '37', '38', '', '050000', '070000', '080000');
const bytes = fc.oneof(
  { weight: 5, arbitrary: framed },
  { weight: 2, arbitrary: plain },
  { weight: 5, arbitrary: signal.map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(framed, fc.nat(), fc.nat(255), fc.nat(120))
      .map(([it, at, value, length]) => {
        it[at % it.length] = value;
        return it.subarray(0, length);
      }),
  },
);
const datagram = fc.record({
  socket: fc.constantFrom<TlvSocket>(...SOCKETS),
  host,
  port: fc.constantFrom(...PORTS),
  bytes,
});
const step = fc.oneof(
  { weight: 90, arbitrary: datagram.map((it) => ({ kind: 'hear' as const, ...it })) },
  { weight: 6, arbitrary: fc.nat(700).map((ms) => ({ kind: 'pass' as const, ms })) },
  { weight: 2, arbitrary: host.map((to) => ({ kind: 'join' as const, to })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(hash, ip)
      .map(([key, address]) => ({ kind: 'hold' as const, key, address })),
  },
);

/** What may leave, judged on the bytes. */
class Judge {
  readonly #node: TestNode;
  readonly #asked = new Set<string>();
  /** Announcements to each server that is in the list. */
  readonly #announced = new Map<string, Set<string>>();
  readonly seen = new Map<string, number>();

  constructor(node: TestNode) {
    this.#node = node;
  }

  /** Judges what was sent since the last time, then forgets who is no longer in the list. */
  judge(): void {
    for (const sent of this.#node.sent.splice(0)) this.#judgeOne(sent);
    const { servers } = this.#node.session;
    check(servers.length <= 10, 'servers in the list');
    check(new Set(servers.map(bare)).size === servers.length, 'a server twice in the list');
    check(this.#node.session.pairCount <= PAIRS_MAX, 'pairs');
    for (const known of this.#announced.keys()) {
      if (!servers.includes(known)) this.#announced.delete(known);
    }
    this.#node.notes.length = 0;
    this.#node.holders.announced.length = 0;
  }

  #judgeOne({ to, bytes: sent }: Sent): void {
    check(to.port !== 0, 'port 0');
    const decoded = TLV.decode(sent);
    if (decoded.kind !== 'message') throw new Error(`sent what nobody reads: ${String(sent)}`);
    const { message } = decoded;
    this.seen.set(message.kind, (this.seen.get(message.kind) ?? 0) + 1);
    check(decoded.bytesUsed === sent.length, 'bytes behind a message');
    if (message.framing === 'original') judgeLengths(sent);
    this.#judgeMessage(to.host, message);
  }

  #judgeMessage(to: string, message: TlvMessage): void {
    if (message.kind === 'NEW') {
      const address = canonicalIpv6(bare(to))!;
      check(!this.#asked.has(address), 'NEW twice');
      this.#asked.add(address);
    } else if (message.kind === 'HAVE') {
      check(canonicalIpv6(message.ip) === message.ip, 'HAVE of no address');
      check(/^[\x21-\x7e]{65,175}$/.test(message.hash), 'HAVE of no hash');
    } else if (message.kind === 'ANSWER') {
      check(addressesIn(message.text).length <= 10, 'addresses');
    } else if (message.kind === 'NEW_SERV') {
      this.#judgeAnnouncement(to, message.ip);
    }
    check(!['REFUSAL', 'GET', 'PUT', 'EXIT'].includes(message.kind), 'not ours to send');
  }

  #judgeAnnouncement(to: string, about: string): void {
    const known = this.#announced.get(to) ?? new Set();
    check(!known.has(about), 'announced twice');
    this.#announced.set(to, known.add(about));
    check(known.size <= 9, 'ten announced');
    check(canonicalIpv6(about) === about, 'another spelling');
    check(isSendable(about), 'announced what nobody reaches');
    check(addressKind(about) === addressKind(canonicalIpv6(bare(to))!), 'another kind');
  }
}

/** No more than an original has room for, and no zero byte but the length of 48 (B4, B13). */
function judgeLengths(sent: Uint8Array): void {
  const zeroAt = [...sent.keys()].filter((index) => sent[index] === 0);
  if (sent.length === 1) return check(zeroAt.length === 0, 'a zero byte');
  const [first, second] = [(sent[1]! + 48) % 256, (sent[2]! + 48) % 256];
  check(first <= 45 && second <= 175, 'longer than an original has room for');
  check(sent.length === 3 + first + second, 'a wrong length');
  check(zeroAt.length === (second === 48 ? 1 : 0), 'a zero byte');
  check(zeroAt[0] === undefined || zeroAt[0] === 2, 'a zero byte in a text');
}

const bare = (text: string): string => text.replace(/%.*/, '');

/** As `expect`, which is slow for as many. */
function check(isRight: boolean, what: string): void {
  if (!isRight) expect.fail(what);
}

describe('TlvSession', () => {
  it('outlives any datagrams within its bounds, and sends nothing that harms an original', () => {
    const world = new World();
    const options = { serverRate: { perSecond: 1e6, burst: 1e6, hostsMax: 16 } };
    const node = world.node('2001:db8::f', { options, password: 'x' });
    const judge = new Judge(node);
    let heardCount = 0;
    const steps = fc.sample(step, { numRuns: Math.ceil(DATAGRAMS / 0.88), seed: 20_01 });
    for (const it of steps) {
      if (it.kind === 'hear') {
        heardCount += 1;
        node.session.received(it.socket, { host: it.host, port: it.port }, it.bytes);
      } else if (it.kind === 'pass') world.pass(it.ms);
      else if (it.kind === 'join') node.session.join(it.to);
      else node.session.holderAnnounced(it.key, it.address, 60_000);
      judge.judge();
    }
    expect(heardCount).toBeGreaterThanOrEqual(DATAGRAMS);
    for (const kind of ['NEW', 'HAVE', 'ANSWER', 'NEW_SERV', 'YES', 'KEEP_ALIVE', 'EXIT_ANSWER']) {
      expect(judge.seen.get(kind) ?? 0, kind).toBeGreaterThan(0);
    }
  });
});
