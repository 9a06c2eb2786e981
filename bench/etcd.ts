/** A cluster of etcd on loopback, and as much of its API as the benches call. */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { call, connect, type Method } from './calls.js';
import { ETCD, planMembers } from './etcd-members.js';
import type { Workshop } from './workshop.js';

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

/** Starts a cluster; resolves when it takes writes, with the members' addresses, the leader's first. */
export async function startEtcd(workshop: Workshop, members: number): Promise<readonly string[]> {
  const all = await planMembers(members, (name) => workshop.path(name));
  for (const { args } of all) workshop.spawn(ETCD, args, 'inherit');
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
