/**
 * 200,000 hostile datagrams for each dialect, over real sockets, to a real node: it lives, answers what
 * is right, keeps its memory, and sends nobody more than the dialect may.
 *
 * The limit of datagrams for each host is lifted, so that all of them are read to their end.
 */
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pause } from '../../clients/sdk/timing.js';
import { parseHostPort } from '../../services/host-port.js';
import { legacyFlags, type LegacyPlaces } from '../support/legacy-flags.js';
import { Asker } from '../support/asker.js';
import { Flood, type FloodSource } from '../support/flood.js';
import { HEAP_ARGV, liveBytes } from '../support/heap.js';
import { TestNet, type TestNode } from '../support/nodes.js';

const DATAGRAMS = 200_000;
/** Fills the tables, which have their bounds, and compiles the code. */
const WARM_UP = 100_000;
const SOURCES = 8;
const ASK_EVERY_MS = 5;
const ANSWER_MS = 100;
const SILENCE_MS = 2_000;
const HEAP_GROWTH_MAX = 0.05;
/** What a flood leaves for a moment: leases that end, files that are written. */
const REST_MS = 3_000;
/** How long it is asked once the flood is over. */
const AFTER_MS = 2_000;
const TTL_MS = 3_600_000;

type Dialect = {
  readonly name: 'tlv' | 'simple-dht' | 'lieur';
  /** What `--legacy` says of it. */
  readonly listen: LegacyPlaces;
  /** Beside the main port. */
  readonly otherPorts: (node: TestNode) => readonly number[];
  /** Where the node is reached over IPv4, and where the sources are. */
  readonly host: string;
  readonly sources: readonly string[];
  readonly vectors: readonly string[];
  readonly fill: (node: TestNode) => Promise<unknown>;
  readonly question: string;
  readonly isAnswer: (hex: string) => boolean;
  /** Most bytes that answer one datagram at once. */
  readonly allowed: (datagram: Buffer) => number;
  /** Most bytes to one source or host in so many seconds, whatever it asks. */
  readonly allowedInAll: (seconds: number, sources: readonly FloodSource[]) => number;
};

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

const TLV_HASH = 'f00d'.repeat(24);
const TLV_OTHER = hex('0123456789abcdef'.repeat(6));
const tlv: Dialect = {
  name: 'tlv',
  // Sources on many hosts, which may become servers: a node is none to itself.
  listen: { tlv: '[::ffff:127.0.0.1]:0' },
  otherPorts: () => [58_951, 58_952, 58_523, 58_752],
  host: '127.0.0.1',
  sources: Array.from({ length: SOURCES }, (_, index) => `127.0.0.${index + 2}`),
  vectors: [
    `31d3303a3a35${TLV_OTHER}`,
    `31db30323030313a6462383a3a31${TLV_OTHER}`,
    `30d030${TLV_OTHER}`,
    '34d0db70617373776f7264313233',
    '35',
    '36',
    '37',
    '38',
    '39d3d03a3a32',
    '39ded03a3a666666663a3132372e302e302e33',
    `33d3303a3a35${TLV_OTHER}`,
    `33d3163a3a37${'6b'.repeat(70)}`,
    `000060${TLV_OTHER}`,
    `010064${hex('::5 ')}${TLV_OTHER}`,
    '33d0d43a3a3520',
  ],
  fill: async ({ sdk }) => sdk.dht.announceHolder(TLV_HASH, '2001:db8::f', { ttlMs: TTL_MS }),
  question: `30d030${hex(TLV_HASH)}`,
  isAnswer: (answer) => answer === `33d0dc${hex('2001:db8::f ')}`,
  // A list of addresses has three times the bytes of its question, or one address; the texts of the
  // original that say no have fewer.
  allowed: ({ length }) => Math.max(3 * length, 49),
  // As a server: four messages for each tick of 20 ms.
  allowedInAll: (seconds) => seconds * 50 * 4 * (3 + 45 + 175),
};

const simpleDht: Dialect = {
  name: 'simple-dht',
  listen: { 'simple-dht': `${farHost()}:0` },
  otherPorts: () => [],
  host: farHost(),
  sources: Array.from({ length: SOURCES }, farHost),
  vectors: [
    '000123456789abcdef',
    '010123456789abcdef000d48656c6c6f2c20776f726c6421',
    '0100000000000000010000',
    '02',
    '030123456789abcdef',
    '04047f0000011b59',
    '040620010db80000000000000000000000012328',
    `010000000000000abc00c8${'61'.repeat(200)}`,
  ],
  fill: async ({ sdk }) => sdk.dht.put('f00df00df00df00d', 'here'),
  question: '00f00df00df00df00d',
  isAnswer: (answer) => answer === `01f00df00df00df00d0004${hex('here')}`,
  allowed: () => 9,
  // Bytes of Puts, to a host that has proven nothing and to one that has; a KeepAlive and what is told
  // of the Puts of all to each of its peers.
  allowedInAll: (seconds, sources) => {
    const puts = sources.reduce((sum, { sentDatagrams }) => sum + sentDatagrams, 0);
    return (seconds + 1) * (65_536 + 1_048_576 + SOURCES) + puts * SOURCES * 9;
  },
};

const lieur: Dialect = {
  name: 'lieur',
  listen: { lieur: `${farHost()}:0:0` },
  otherPorts: (node) => [portOf(node, 'lieur verification')],
  host: farHost(),
  sources: Array.from({ length: SOURCES }, farHost),
  vectors: [
    '07',
    '0802017f0000013b30020a000009409c',
    '0201',
    '0507',
    '05c7',
    '09017f0000013930',
    '06',
    '000401010101',
    '04017f000001b308',
    '0b',
    '0c',
    '0a017f0000013930',
    '03017f0000013b30',
  ],
  fill: async ({ sdk }) => sdk.binder.register('legacy-200', '127.0.0.1:1001', { ttlMs: TTL_MS }),
  question: '02c8',
  isAnswer: (answer) => /^03c8.{12}$/.test(answer),
  // An answer has four times the bytes of its request; an echo has as many.
  allowed: ({ length }) => 4 * length,
  // Three lists in a second for each host.
  allowedInAll: (seconds) => (seconds + 1) * 3 * 702,
};

/** An address of this machine that is not loopback, which the dialects trust; or else loopback. */
function farHost(): string {
  const all = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

function portOf(node: TestNode, name: string): number {
  const legacy = node.record('ringbinder ready')!['legacy'] as Record<string, string>;
  return parseHostPort(legacy[name] ?? '')!.port;
}

const p99Of = (ms: readonly number[]): number =>
  [...ms].sort((one, other) => one - other)[Math.floor(0.99 * ms.length)] ?? Number.NaN;

describe.each([tlv, simpleDht, lieur])('$name', (dialect) => {
  let net: TestNet;
  let node: TestNode;
  let flood: Flood;

  beforeAll(async () => {
    net = new TestNet();
    const flags = [...legacyFlags(dialect.listen), '--legacy-rate', '1000000'];
    node = await net.start({ flags, dataDir: net.dataDir('node'), execArgv: HEAP_ARGV });
    await dialect.fill(node);
    const ports = [portOf(node, dialect.name), ...dialect.otherPorts(node)];
    flood = await Flood.open({
      target: { host: dialect.host, ports },
      hosts: dialect.sources,
      vectors: dialect.vectors.map((vector) => Buffer.from(vector, 'hex')),
      allowed: dialect.allowed,
      seed: 2_026,
    });
  });

  afterAll(async () => {
    await flood[Symbol.asyncDispose]();
    await net[Symbol.asyncDispose]();
  });

  /** Asks again and again until told to stop; resolves with how long each answer took. */
  async function askUntil(signal: AbortSignal): Promise<readonly number[]> {
    // Not where the flood comes from: what one host may be sent is bounded.
    await using asker = await Asker.open('127.0.0.1');
    const to = { host: dialect.host, port: portOf(node, dialect.name) };
    const question = { bytes: Buffer.from(dialect.question, 'hex'), isAnswer: dialect.isAnswer };
    const tookMs: number[] = [];
    while (!signal.aborted) {
      tookMs.push(await asker.ask(question, to, SILENCE_MS));
      await pause(ASK_EVERY_MS, undefined);
    }
    return tookMs;
  }

  it('outlives 200,000 hostile datagrams', { timeout: 180_000 }, async () => {
    const start = performance.now();
    await flood.send(WARM_UP);
    await pause(REST_MS, undefined);
    const before = await liveBytes(node);

    const end = new AbortController();
    const [{ sent, dropped }, during] = await Promise.all([
      flood.send(DATAGRAMS).finally(() => end.abort()),
      askUntil(end.signal),
    ]);
    const seconds = (performance.now() - start) / 1_000;

    const after = await askUntil(AbortSignal.timeout(AFTER_MS));
    await pause(REST_MS, undefined);
    const grown = (await liveBytes(node)) / before - 1;
    const received = flood.sources.reduce((sum, each) => sum + each.receivedBytes, 0);
    const given = flood.sources.reduce((sum, each) => sum + each.sentBytes, 0);
    process.stdout.write(
      `${dialect.name}: ${sent} sent, ${dropped} found no room, in ${seconds.toFixed(1)} s; ` +
        `answers p99 ${p99Of(during).toFixed(1)} ms during (${during.length}), ` +
        `${p99Of(after).toFixed(1)} ms after (${after.length}); ` +
        `heap ${(before / 2 ** 20).toFixed(1)} MiB, ${(100 * grown).toFixed(1)} %; ` +
        `${(received / given).toFixed(3)} bytes back for each\n` +
        flood.sources.map((it) => `  ${ratioOf(it)}\n`).join(''),
    );

    expect(node.process.exitCode).toBeNull();
    expect([...flood.made.keys()]).toHaveLength(9);
    expect(dropped).toBeLessThan(sent / 100);
    expect(during.length).toBeGreaterThan(100);
    expect(p99Of(during)).toBeLessThan(ANSWER_MS);
    expect(p99Of(after)).toBeLessThan(ANSWER_MS);
    expect(grown).toBeLessThan(HEAP_GROWTH_MAX);
    const inAll = dialect.allowedInAll(seconds + 2 * (REST_MS / 1_000), flood.sources);
    for (const source of flood.sources) {
      expect(source.receivedBytes).toBeLessThanOrEqual(source.allowedBytes + inAll);
    }
  });
});

function ratioOf({ sentBytes, receivedBytes, receivedByType, allowedBytes }: FloodSource): string {
  const types = [...receivedByType].map(([type, bytes]) => `${type.toString(16)}: ${bytes}`);
  return `${sentBytes} in, ${receivedBytes} out (${(receivedBytes / sentBytes).toFixed(3)}; allowed at once ${allowedBytes}); ${types.join(', ')}`;
}
