/**
 * Durable puts on three nodes with LMDB, against a cluster of three etcd members on the same disk:
 * 256 random bytes under a new key each, two of three must have them on disk. The same client, as many
 * connections and calls in flight for both; calls go to all three in turn, or all to one of them.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { statfsSync } from 'node:fs';
import type { Client } from '@grpc/grpc-js';
import { DhtServiceService } from '../proto/gen/ringbinder/v1/dht_service.js';
import { call, connect } from './calls.js';
import { ETCD_PUT, startEtcd } from './etcd.js';
import { ETCD, hasEtcd } from './etcd-members.js';
import { measurePairs, rateOf, timed, type Side } from './paired.js';
import { Workshop } from './workshop.js';

const MEMBERS = 3;
const WRITE_QUORUM = 2;
const VALUE_BYTES = 256;
const LOAD = { inFlight: 64, ms: 2_000 };
const PAIRS = 15;
const QUICK_PAIRS = 3;
const TARGET = 1;
const READY_MS = 60_000;
const LOOK_EVERY_MS = 250;
const TMPFS = 0x01021994;

type Put = (client: Client, key: string, value: Buffer) => Promise<unknown>;

const putOurs: Put = async (client, key, value) =>
  call(client, DhtServiceService.put, { key, value, ttl: undefined, writeQuorum: WRITE_QUORUM });

const putTheirs: Put = async (client, key, value) => call(client, ETCD_PUT, { key, value });

export async function benchDhtPut({ isQuick }: { readonly isQuick: boolean }): Promise<void> {
  if (!hasEtcd()) {
    process.stdout.write(`dht-put: skipped, there is no ${ETCD} (Debian package etcd-server)\n`);
    return;
  }
  await using workshop = new Workshop();
  if (statfsSync(workshop.directory).type === TMPFS) {
    process.stdout.write(`dht-put: ${workshop.directory} is in memory, so nothing is durable\n`);
  }
  const etcd = await startEtcd(workshop, MEMBERS);
  const nodes = await startNodes(workshop);
  const pairs = isQuick ? QUICK_PAIRS : PAIRS;
  for (const [manner, count] of [
    ['to all in turn', MEMBERS],
    ['all to one', 1],
  ] as const) {
    process.stderr.write(`dht-put: ${manner}, ${pairs} pairs of ${LOAD.ms} ms\n`);
    using ours = new PutSide('ringbinder', nodes.slice(0, count), putOurs);
    using theirs = new PutSide('etcd', etcd.slice(0, count), putTheirs);
    const { ratio, ...rates } = await measurePairs(ours, theirs, pairs);
    process.stdout.write(
      `dht-put: ${manner}: ratio ${ratio.toFixed(2)} (target ${TARGET.toFixed(2)})\n` +
        `  ${ours.summary(rates.ours)}\n  ${theirs.summary(rates.theirs)}\n`,
    );
  }
}

/** Puts on some servers in turn, over as many connections whatever their number. */
export class PutSide implements Side, Disposable {
  readonly name: string;
  readonly #clients: readonly Client[];
  readonly #put: Put;
  readonly #prefix = `bench/${randomUUID()}`;
  /** How long each put took, in ms, one list for each measurement. */
  readonly #rounds: number[][] = [];
  #puts = 0;

  constructor(name: string, addresses: readonly string[], put: Put) {
    this.name = name;
    this.#put = put;
    this.#clients = Array.from({ length: MEMBERS }, (_, index) =>
      connect(addresses[index % addresses.length] ?? ''),
    );
  }

  readonly perSecond = async (): Promise<number> => {
    const round: number[] = [];
    this.#rounds.push(round);
    return rateOf(timed(this.#putNext, round), LOAD);
  };

  /** Leaves out the first measurement, which warms up. */
  summary(perSecond: number): string {
    const sorted = this.#rounds
      .slice(1)
      .flat()
      .sort((one, other) => one - other);
    const at = (share: number): string =>
      (sorted[Math.floor(share * sorted.length)] ?? Number.NaN).toFixed(1);
    const rate = perSecond.toFixed(0).padStart(6);
    return `${this.name.padEnd(10)} ${rate} puts/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
  }

  readonly #putNext = async (): Promise<unknown> => {
    const client = this.#clients[this.#puts % this.#clients.length];
    this.#puts += 1;
    if (client === undefined) throw new Error('no connection');
    return this.#put(client, `${this.#prefix}/${this.#puts}`, randomBytes(VALUE_BYTES));
  };
}

/** Resolves when a put asks all of them. */
async function startNodes(workshop: Workshop): Promise<readonly string[]> {
  const founder = await workshop.node(['--data-dir', workshop.path('node-0')]);
  const addresses = [founder];
  for (let index = 1; index < MEMBERS; index += 1) {
    const args = ['--data-dir', workshop.path(`node-${index}`), '--join', founder];
    addresses.push(await workshop.node(args));
  }
  const client = connect(founder);
  try {
    await untilAllAsked(client);
  } finally {
    client.close();
  }
  return addresses;
}

async function untilAllAsked(client: Client): Promise<void> {
  const end = performance.now() + READY_MS;
  let why: unknown;
  while (performance.now() < end) {
    try {
      const request = { key: 'bench', value: Buffer.alloc(1), ttl: undefined, writeQuorum: 2 };
      const { receipt } = await call(client, DhtServiceService.put, request);
      if (receipt?.asked === MEMBERS && !receipt.capped) return;
      why = new Error(`asked ${receipt?.asked ?? 0} of ${MEMBERS}`);
    } catch (thrown) {
      why = thrown;
    }
    await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS));
  }
  throw new Error('the nodes never kept three copies', { cause: why });
}
