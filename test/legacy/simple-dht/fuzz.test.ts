/** Whatever comes: a session never throws, stays within its bounds, and sends what originals bear. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Source } from '../../../services/legacy/core/session.js';
import { simpleDht } from '../../../services/legacy/simple-dht/codec.js';
import { SIMPLE_DHT_LIMITS } from '../../../services/legacy/simple-dht/limits.js';
import { at, hashOf, OWN, nameOf, putHex, Rig, type Sent } from './rig.js';

const LIMITS = {
  ...SIMPLE_DHT_LIMITS,
  peersMax: 20,
  peersPerHostMax: 8,
  peersUnheardMax: 4,
  pendingMax: 30,
  pendingPerHostMax: 10,
  copiesMax: 25,
  asksMax: 15,
  callsMax: 5,
  lanesMax: 10,
  queuedPerLaneMax: 4,
  queuedBytesMax: 500,
  budgetHostsMax: 10,
};

const anyHost = fc.constantFrom(
  '127.0.0.1',
  '192.0.2.1',
  '192.0.2.2',
  '::1',
  '2001:db8::1',
  '224.0.0.1',
);
const anySource = fc.record({ host: anyHost, port: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7_402) });
const anyHash = fc.nat(60).map(hashOf);
const anyHex = fc.oneof(
  fc.constant('02'),
  anyHash.map((hash) => `00${hash}`),
  anyHash.map((hash) => `03${hash}`),
  fc.tuple(anyHash, fc.string({ maxLength: 40 })).map(([hash, value]) => putHex(hash, value)),
  fc
    .tuple(fc.constantFrom('04047f000001', '0404c0000203', '0404e0000001'), fc.nat(9))
    .map(([head, port]) => `${head}000${port}`),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('hex')),
);
const anyEvent = fc.record({
  source: anySource,
  hex: anyHex,
  passMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 10, 50, 1_000),
  /** Of what else happens. */
  chance: fc.nat(199),
});

it('is so for 50,000 datagrams', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1_000, maxLength: 1_000 }), (events) => {
      const rig = new Rig(LIMITS);
      for (const { source, hex, passMs, chance } of events) {
        if (chance === 0) rig.values.manner = 'late';
        if (chance === 1) rig.values.manner = 'failed';
        if (chance > 1 && chance < 6) rig.values.release();
        if (chance === 7) rig.session.valueChanged(hashOf(passMs), Buffer.from(hex), passMs);
        if (isServer(source)) rig.receive(source, '02');
        rig.receive(source, hex);
        rig.advance(passMs);
        expectWithinBounds(rig);
      }
      expectBearable(rig.sent);
    }),
    { numRuns: 50, seed: 42 },
  );
});

/** Of the sources, those that show that they are servers: only these must not be crowded. */
function isServer({ port }: Pick<Source, 'port'>): boolean {
  return port <= 4;
}

function expectWithinBounds({ session }: Rig): void {
  const { peers, pending, copies, asks, calls, lanes, queuedBytes } = session.sizes;
  const isWithin =
    peers <= LIMITS.peersMax &&
    pending <= LIMITS.pendingMax &&
    copies <= LIMITS.copiesMax &&
    asks <= LIMITS.asksMax &&
    calls <= 2 * LIMITS.callsMax &&
    lanes <= LIMITS.lanesMax &&
    queuedBytes >= 0 &&
    queuedBytes <= LIMITS.queuedBytesMax;
  if (!isWithin) expect.fail(JSON.stringify(session.sizes));
}

/** R1, R2, R3 and R10, of everything that was sent. */
function expectBearable(sent: readonly Sent[]): void {
  const putsAt = new Map<string, number>();
  for (const { to, hex, atMs } of sent) {
    const bytes = Buffer.from(hex, 'hex');
    const decoded = simpleDht.decode(bytes);
    if (decoded.kind !== 'message') return expect.fail(`malformed: ${hex}`);
    const isWhole = decoded.bytesUsed === bytes.length;
    if (!isWhole || decoded.message.kind === 'discover') expect.fail(`sent: ${hex}`);
    if (/ 0$|^224\./.test(to) || to === nameOf(OWN)) expect.fail(`sent to ${to}`);
    if (decoded.message.kind !== 'put' || !isServer({ port: Number(to.split(' ')[1]) })) continue;
    if (atMs - (putsAt.get(to) ?? -Infinity) < 5) expect.fail(`crowded at ${to}`);
    putsAt.set(to, atMs);
  }
}

it('holds of a source of which the other addresses are not ours', () => {
  const rig = new Rig();
  rig.receive(at(7_402, '192.0.2.1'), '02');
  expect(rig.session.sizes.peers).toBe(1);
});
