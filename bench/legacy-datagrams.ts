/**
 * One datagram of each legacy dialect and its answer, on a node with LMDB, against a bare socket that
 * answers with the same bytes: the same client, each server in a process of its own, several in flight
 * from one socket. The node bounds what one host may ask (`--legacy-rate`), so that bound is raised
 * here; it is kept as ever.
 */
import { DhtServiceService } from '../proto/gen/ringbinder/v1/dht_service.js';
import { BinderServiceService } from '../proto/gen/ringbinder/v1/binder_service.js';
import { LIEUR } from '../services/legacy/lieur/codec.js';
import { simpleDht } from '../services/legacy/simple-dht/codec.js';
import { TLV } from '../services/legacy/tlv/codec.js';
import { call, connect } from './calls.js';
import { DatagramLoad } from './datagram-load.js';
import { measurePairs, type Side } from './paired.js';
import { Workshop } from './workshop.js';

const ECHO = new URL('./datagram-echo.js', import.meta.url).pathname;
const LISTEN = 'tlv=[::1]:0,simple-dht=127.0.0.1:0,lieur=127.0.0.1:0:0';
const RATE = '1000000';
const LOAD = { inFlight: 32, ms: 500 };
const PAIRS = 25;
const QUICK_PAIRS = 5;
const TARGET = 0.5;
/** Outlives the bench. */
const TTL = { seconds: 3_600n, nanos: 0 };

const TLV_HASH = '0123456789abcdef'.repeat(6);
const SIMPLE_DHT_HASH = '0123456789abcdef';
const VALUE = Buffer.from('Hello, world!');
const LIEUR_TYPE = 1;

const QUESTIONS = [
  {
    dialect: 'tlv',
    name: 'GET',
    request: TLV.encode({ framing: 'original', kind: 'GET', hash: TLV_HASH }),
  },
  {
    dialect: 'simple-dht',
    name: 'Get',
    request: simpleDht.encode({ kind: 'get', hash: SIMPLE_DHT_HASH }),
  },
  { dialect: 'lieur', name: '02', request: LIEUR.encode({ kind: 'request', type: LIEUR_TYPE }) },
];

export async function benchLegacyDatagrams({
  isQuick,
}: {
  readonly isQuick: boolean;
}): Promise<void> {
  await using workshop = new Workshop();
  const args = ['--data-dir', workshop.path('node'), '--legacy-rate', RATE];
  const { address, legacy } = await workshop.legacyNode(LISTEN, args);
  await fill(address);
  const pairs = isQuick ? QUICK_PAIRS : PAIRS;
  for (const { dialect, name, request } of QUESTIONS) {
    const listen = legacy[dialect];
    if (listen === undefined) {
      process.stdout.write(`legacy-datagrams: ${dialect} skipped, its ports can not be had\n`);
      continue;
    }
    using ours = await DatagramLoad.open(listen, request);
    const answer = await ours.ask();
    const host = dialect === 'tlv' ? '::1' : '127.0.0.1';
    const echo = await workshop.script(ECHO, [host, answer.toString('base64')]);
    using theirs = await DatagramLoad.open(echo, request);
    process.stderr.write(
      `legacy-datagrams: ${dialect} ${name}, ${request.length} bytes and ${answer.length} back, ` +
        `${pairs} pairs of ${LOAD.ms} ms\n`,
    );
    const result = await measurePairs(sideOf(dialect, ours), sideOf('echo', theirs), pairs);
    const [us, them] = [result.ours.toFixed(0), result.theirs.toFixed(0)];
    const [from, to] = result.interval.map((ratio) => ratio.toFixed(2));
    process.stdout.write(
      `legacy-datagrams: ${dialect} ${name} ${us}/s, bare dgram echo ${them}/s, ` +
        `ratio ${result.ratio.toFixed(2)} (95 %: ${from} to ${to}; target ${TARGET.toFixed(2)})\n`,
    );
  }
}

function sideOf(name: string, load: DatagramLoad): Side {
  return { name, perSecond: async () => load.perSecond(LOAD) };
}

/** One holder, one value and one service, which is what is asked for. */
async function fill(address: string): Promise<void> {
  const node = connect(address);
  const holder = { key: TLV_HASH, address: '2001:db8::1', ttl: TTL, writeQuorum: 1 };
  await call(node, DhtServiceService.announceHolder, holder);
  const stored = { key: SIMPLE_DHT_HASH, value: VALUE, ttl: TTL, writeQuorum: 1 };
  await call(node, DhtServiceService.put, stored);
  await call(node, BinderServiceService.registerEndpoint, {
    service: `legacy-${LIEUR_TYPE}`,
    address: '127.0.0.1:1001',
    ttl: TTL,
    metadata: {},
    healthCheck: undefined,
  });
  node.close();
}
