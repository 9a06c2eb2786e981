/** A cluster of etcd on loopback, and as much of its API as the benches call. */
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { call, connect, type Method } from './calls.js';
import type { Workshop } from './workshop.js';

export const ETCD = '/usr/bin/etcd';
const READY_MS = 30_000;
const LOOK_EVERY_MS = 100;

export type EtcdPut = { readonly key: string; readonly value: Uint8Array };

/** `etcdserverpb.KV/Put`; of the response only the revision. */
export const ETCD_PUT: Method<EtcdPut, bigint> = {
  path: '/etcdserverpb.KV/Put',
  requestSerialize({ key, value }) {
    const writer = new BinaryWriter();
    writer.uint32(10).string(key);
    writer.uint32(18).bytes(value);
    return Buffer.from(writer.finish());
  },
  responseDeserialize: (bytes) => headerOf(bytes).revision,
};

/** `etcdserverpb.Maintenance/Status`; of the response only whether the asked member leads. */
const ETCD_STATUS: Method<object, { readonly isLeader: boolean }> = {
  path: '/etcdserverpb.Maintenance/Status',
  requestSerialize: () => Buffer.alloc(0),
  responseDeserialize(bytes) {
    const reader = new BinaryReader(bytes);
    let leader = 0n;
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 4) leader = BigInt(reader.uint64());
      else reader.skip(type);
    }
    return { isLeader: leader !== 0n && leader === headerOf(bytes).memberId };
  },
};

type Header = { readonly memberId: bigint; readonly revision: bigint };

/** The `ResponseHeader` that every response has as its field 1. */
function headerOf(response: Uint8Array): Header {
  const outer = new BinaryReader(response);
  const header = { memberId: 0n, revision: 0n };
  while (outer.pos < outer.len) {
    const [field, type] = outer.tag();
    if (field !== 1) {
      outer.skip(type);
      continue;
    }
    const inner = new BinaryReader(outer.bytes());
    while (inner.pos < inner.len) {
      const [innerField, innerType] = inner.tag();
      if (innerField === 2) header.memberId = BigInt(inner.uint64());
      else if (innerField === 3) header.revision = BigInt(inner.int64());
      else inner.skip(innerType);
    }
  }
  return header;
}

export function hasEtcd(): boolean {
  return existsSync(ETCD);
}

/** Starts a cluster; resolves when it takes writes, with the members' addresses, the leader's first. */
export async function startEtcd(workshop: Workshop, members: number): Promise<readonly string[]> {
  const ports = await freePorts(2 * members);
  const all = Array.from({ length: members }, (_, index) => ({
    name: `etcd-${index}`,
    client: `127.0.0.1:${ports[2 * index] ?? 0}`,
    peer: `http://127.0.0.1:${ports[2 * index + 1] ?? 0}`,
  }));
  const cluster = all.map(({ name, peer }) => `${name}=${peer}`).join(',');
  for (const { name, client, peer } of all) {
    const options: Readonly<Record<string, string>> = {
      name,
      'data-dir': workshop.path(name),
      'listen-client-urls': `http://${client}`,
      'advertise-client-urls': `http://${client}`,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': cluster,
      logger: 'zap',
      'log-level': 'error',
    };
    const args = Object.entries(options).map(([option, value]) => `--${option}=${value}`);
    workshop.spawn(ETCD, args, 'inherit');
  }
  return untilLed(all.map(({ client }) => client));
}

async function untilLed(addresses: readonly string[]): Promise<readonly string[]> {
  const end = performance.now() + READY_MS;
  while (performance.now() < end) {
    const leading = await Promise.all(addresses.map(isLeader));
    const leader = addresses[leading.indexOf(true)];
    if (leader !== undefined && leading.every((it) => it !== undefined)) {
      return [leader, ...addresses.filter((it) => it !== leader)];
    }
    await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS));
  }
  throw new Error('the etcd cluster has no leader');
}

/** Undefined when the member does not answer. */
async function isLeader(address: string): Promise<boolean | undefined> {
  const client = connect(address);
  try {
    return (await call(client, ETCD_STATUS, {})).isLeader;
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

/** Ports that were free a moment ago, each another one. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(
    async (server) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
      }),
  );
  const found = await Promise.all(ports);
  await Promise.all(servers.map(async (server) => new Promise((resolve) => server.close(resolve))));
  return found;
}
