/**
 * A registry on one node with LMDB, against the same on one etcd of the same machine and disk: the same
 * client, 64 calls in flight. To register is one call of ours; with etcd it takes a lease and a put
 * with that lease, as etcd's own gRPC naming does. To resolve, etcd lists the endpoints of the service.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from '@grpc/grpc-js';
import { KVService, LeaseService, RangeRequest } from '../proto/gen/etcdserverpb/rpc.js';
import { BinderServiceService } from '../proto/gen/ringbinder/v1/binder_service.js';
import { registerAll, registrationOf } from './binder-calls.js';
import { call, connect } from './calls.js';
import { startEtcd } from './etcd.js';
import { ETCD, hasEtcd } from './etcd-members.js';
import { measurePairs, rateOf } from './paired.js';
import { Workshop } from './workshop.js';

const SERVICE = 'bench';
const ENDPOINTS = 7;
const LOAD = { inFlight: 64, ms: 1_000 };
const PAIRS = 15;
const QUICK_PAIRS = 3;
const TTL_S = 3_600n;

export async function benchBinderEtcd({ isQuick }: { readonly isQuick: boolean }): Promise<void> {
  if (!hasEtcd()) {
    process.stdout.write(
      `binder-etcd: skipped, there is no ${ETCD} (Debian package etcd-server)\n`,
    );
    return;
  }
  await using workshop = new Workshop();
  const [etcd = ''] = await startEtcd(workshop, 1);
  const flags = ['--data-dir', workshop.path('node'), '--endpoints-max', '10000000'];
  const [ours, theirs] = [connect(await workshop.node(flags)), connect(etcd)];
  await registerAll(ours, SERVICE, ENDPOINTS);
  for (let index = 0; index < ENDPOINTS; index += 1) await registerAtEtcd(theirs, SERVICE, index);
  const range = endpointsAtEtcd(SERVICE);
  let count = 0;
  const scenes = [
    {
      name: 'register',
      ours: async () => {
        const request = registrationOf(randomUUID(), (count += 1) % 2 ** 16);
        return call(ours, BinderServiceService.registerEndpoint, request);
      },
      theirs: async () => registerAtEtcd(theirs, randomUUID(), (count += 1)),
    },
    {
      name: 'resolve',
      ours: async () => call(ours, BinderServiceService.resolve, { service: SERVICE }),
      theirs: async () => call(theirs, KVService.range, range),
    },
  ];
  for (const scene of scenes) {
    process.stderr.write(`binder-etcd: ${scene.name}\n`);
    const { ratio, ...rates } = await measurePairs(
      { name: 'ringbinder', perSecond: async () => rateOf(scene.ours, LOAD) },
      { name: 'etcd', perSecond: async () => rateOf(scene.theirs, LOAD) },
      isQuick ? QUICK_PAIRS : PAIRS,
    );
    const [us, them] = [rates.ours.toFixed(0), rates.theirs.toFixed(0)];
    process.stdout.write(
      `binder-etcd: ${scene.name}: ringbinder ${us}/s, etcd ${them}/s, ratio ${ratio.toFixed(2)}\n`,
    );
  }
  ours.close();
  theirs.close();
}

async function registerAtEtcd(client: Client, service: string, index: number): Promise<void> {
  const { ID: lease } = await call(client, LeaseService.leaseGrant, { TTL: TTL_S, ID: 0n });
  const { address } = registrationOf(service, index);
  const key = Buffer.from(`${service}/${address}`);
  const value = Buffer.from(JSON.stringify({ Addr: address, Metadata: { zone: 'a' } }));
  const put = { $case: 'requestPut', value: { key, value, lease, prevKv: false } } as const;
  await call(client, KVService.txn, { compare: [], success: [{ request: put }], failure: [] });
}

function endpointsAtEtcd(service: string): RangeRequest {
  const [key, rangeEnd] = [Buffer.from(`${service}/`), Buffer.from(`${service}0`)];
  return RangeRequest.create({ key, rangeEnd });
}
