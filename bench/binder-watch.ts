/**
 * A change of a service, to a thousand watchers on one node: how long after the registration was sent
 * each of them has it; and what the node keeps of watchers that are gone.
 */
import { readFileSync } from 'node:fs';
import type { Client, ClientReadableStream } from '@grpc/grpc-js';
import {
  BinderServiceService,
  type WatchServiceRequest,
  type WatchServiceResponse,
} from '../proto/gen/ringbinder/v1/binder_service.js';
import { registrationOf } from './binder-calls.js';
import { call, connect } from './calls.js';
import { Workshop } from './workshop.js';

const SERVICE = 'bench';
const WATCHERS = 1_000;
/** Each has a share of the watchers: a connection takes no more than so many streams without waiting. */
const CONNECTIONS = 10;
const ROUNDS = 6;
const QUICK_ROUNDS = 2;
const CHANGES = 30;
const TARGET_MS = 150;
const REST_MS = 1_000;

type Watch = ClientReadableStream<WatchServiceResponse>;

export async function benchBinderWatch({ isQuick }: { readonly isQuick: boolean }): Promise<void> {
  await using workshop = new Workshop();
  const address = await workshop.node(['--ephemeral']);
  const caller = connect(address);
  const pid = workshop.pids[0] ?? 0;
  const latencies: number[] = [];
  const rests: number[] = [];
  for (let round = 0; round < (isQuick ? QUICK_ROUNDS : ROUNDS); round += 1) {
    latencies.push(...(await watchChanges(address, caller)));
    await rest();
    rests.push(residentMb(pid));
    process.stderr.write(
      `  ${rests.at(-1)?.toFixed(0) ?? ''} MB after ${WATCHERS} watchers have left\n`,
    );
  }
  caller.close();
  latencies.sort((one, other) => one - other);
  const at = (share: number): string =>
    (latencies[Math.floor(share * latencies.length)] ?? Number.NaN).toFixed(0);
  process.stdout.write(
    `binder-watch: a change to ${WATCHERS} watchers: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (target ${TARGET_MS}), ` +
      `memory after each round ${rests.map((mb) => mb.toFixed(0)).join(', ')} MB\n`,
  );
}

/** Resolves with how long each change took to each watcher. */
async function watchChanges(address: string, caller: Client): Promise<readonly number[]> {
  const clients = Array.from({ length: CONNECTIONS }, () => connect(address));
  const arrivals: number[] = [];
  let snapshots = 0;
  const watches = Array.from({ length: WATCHERS }, (_, index) => {
    const watch = open(clients[index % CONNECTIONS]);
    watch.on('data', ({ event }: WatchServiceResponse) => {
      if (event?.$case === 'snapshot') snapshots += 1;
      else if (event?.$case !== 'heartbeat') arrivals.push(performance.now());
    });
    watch.on('error', () => undefined);
    return watch;
  });
  await untilSo(() => snapshots === WATCHERS);
  const latencies: number[] = [];
  for (let change = 0; change < CHANGES; change += 1) {
    const metadata = { change: `${change} at ${performance.now()}` };
    const request = { ...registrationOf(SERVICE, 0), metadata };
    const start = performance.now();
    await call(caller, BinderServiceService.registerEndpoint, request);
    await untilSo(() => arrivals.length === WATCHERS);
    latencies.push(...arrivals.splice(0).map((atMs) => atMs - start));
  }
  for (const watch of watches) watch.cancel();
  await rest();
  for (const client of clients) client.close();
  return latencies;
}

function open(client: Client | undefined): Watch {
  const { path, requestSerialize, responseDeserialize } = BinderServiceService.watchService;
  if (client === undefined) throw new Error('no connection');
  return client.makeServerStreamRequest<WatchServiceRequest, WatchServiceResponse>(
    path,
    requestSerialize,
    responseDeserialize,
    { service: SERVICE },
  );
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

async function untilSo(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error('it took more than a minute');
    await new Promise((wake) => setTimeout(wake, 1));
  }
}

async function rest(): Promise<void> {
  await new Promise((wake) => setTimeout(wake, REST_MS));
}
