/** Every RPC that a node implements, called through reflection alone on real nodes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, curl, refusal, streamOf } from '../support/buf-curl.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';

const V1 = 'ringbinder.v1';
type WirePeer = { readonly ringId: string; readonly address: string; readonly incarnation: string };

let net: TestNet;
let nodes: readonly TestNode[];
let founder: string;
let joined: string;

beforeAll(async () => {
  net = new TestNet();
  nodes = await net.ring(3);
  await untilIdeal(nodes, 10_000);
  [founder, joined] = nodes.map(({ address }) => address) as [string, string];
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

describe('reflection', () => {
  it.each(['grpc-v1', 'grpc-v1alpha'])('lists services and methods over %s', async (protocol) => {
    const flags = ['--reflect-protocol', protocol];
    const services = await curl(founder, '', undefined, [...flags, '--list-services']);
    for (const name of ['Hash', 'Welcome', 'Peer', 'Monitor', 'Dht', 'Binder']) {
      expect(services.out).toContain(`${V1}.${name}Service`);
    }
    const methods = await curl(founder, '', undefined, [...flags, '--list-methods']);
    expect(methods.out).toContain(`${V1}.PeerService/Lookup`);
    const answer = await curl(founder, `${V1}.HashService/HashKey`, { key: 'hello' }, flags);
    expect(JSON.parse(answer.out)).toMatchObject({ algorithm: 'sha256-64be-mod' });
  });
});

describe('HashService by hand', () => {
  it.each(['the founder', 'a node that joined'])('works on %s', async (where) => {
    const at = where === 'the founder' ? founder : joined;
    const address = `10.0.0.${where.length}:7400`;
    const { ringId } = await call<{ ringId: string }>(at, `${V1}.HashService/AssignRingId`, {
      address,
    });
    const again = await call(at, `${V1}.HashService/AssignRingId`, { address });
    expect(again).toEqual({ ringId, alreadyAssigned: true });
    expect(await call(at, `${V1}.HashService/GetRingId`, { address })).toEqual({ ringId });
    expect(await call(at, `${V1}.HashService/GetAddress`, { ringId })).toEqual({ address });
    const list = await call<{ assignments: unknown[] }>(at, `${V1}.HashService/ListAssignments`, {
      pageSize: 100,
      pageToken: '',
    });
    expect(list.assignments).toContainEqual({ address, ringId });
    expect(await call(at, `${V1}.HashService/ReleaseRingId`, { address })).toEqual({ ringId });
    const gone = await refusal(at, `${V1}.HashService/GetRingId`, { address });
    expect(gone).toMatchObject({ code: 'not_found' });
    expect(gone.message).toContain('[ADDRESS_UNKNOWN]');
  });

  it('does not release the ring ID of a member', async () => {
    const refused = await refusal(joined, `${V1}.HashService/ReleaseRingId`, { address: joined });
    expect(refused).toMatchObject({ code: 'failed_precondition' });
    expect(refused.message).toContain('[RING_ID_IN_USE]');
  });
});

describe('WelcomeService by hand', () => {
  it('lets an address join, renew and leave', async () => {
    const address = '10.1.1.1:7400';
    const assign = { address };
    const { ringId } = await call<{ ringId: string }>(
      joined,
      `${V1}.HashService/AssignRingId`,
      assign,
    );
    const peer = { ringId: Number(ringId), address };
    const welcome = await call<{ contacts: WirePeer[]; leaseTtl: string }>(
      joined,
      `${V1}.WelcomeService/Join`,
      { peer },
    );
    expect(welcome.contacts).toHaveLength(3);
    expect(welcome.leaseTtl).toBe('15s');
    const id = { ringId: Number(ringId) };
    expect(await call(founder, `${V1}.WelcomeService/RenewMembership`, id)).toEqual({
      leaseTtl: '15s',
    });
    expect(await call(joined, `${V1}.WelcomeService/GetPeer`, id)).toMatchObject({
      peer: { ringId, address },
    });
    const table = await call<{ entries: unknown[] }>(
      joined,
      `${V1}.WelcomeService/GetRoutingTable`,
      id,
    );
    expect(table.entries).toHaveLength(31);
    expect(await call(joined, `${V1}.WelcomeService/Leave`, id)).toEqual({});
    const gone = await refusal(joined, `${V1}.WelcomeService/GetPeer`, id);
    expect(gone.message).toContain('[PEER_NOT_MEMBER]');
  });

  it.each([0, 1, 2])('lists and watches everyone on node %i', async (index) => {
    const at = nodes[index]!.address;
    const { peers } = await call<{ peers: WirePeer[] }>(at, `${V1}.WelcomeService/ListPeers`, {
      pageSize: 100,
    });
    const ids = peers.map(({ ringId }) => Number(ringId));
    expect(ids).toEqual(nodes.map(({ ringId }) => ringId).sort((one, other) => one - other));
    const [event] = await streamOf(at, `${V1}.WelcomeService/WatchPeers`, 1);
    expect(event).toMatchObject({ sequence: '1', snapshot: { peers } });
  });
});

describe('PeerService by hand', () => {
  it('tells its neighbours', async () => {
    const answer = await call<{ successors: WirePeer[] }>(joined, `${V1}.PeerService/GetNeighbors`);
    expect(answer).toMatchObject({ self: { address: joined } });
    expect(answer.successors).toHaveLength(2);
  });

  it('answers a ping, and takes a notification that names nobody', async () => {
    expect(await call(joined, `${V1}.PeerService/Ping`)).toMatchObject({
      self: { address: joined },
      stage: 'PEER_STAGE_MEMBER',
    });
    const candidate = { ringId: 42, address: '127.0.0.1:9' };
    expect(await call(joined, `${V1}.PeerService/Notify`, { candidate })).toEqual({});
    await untilIdeal(nodes, 10_000);
  });

  it('makes a step of a lookup, and a whole one', async () => {
    const { ringId } = nodes[2]!;
    const step = await call(founder, `${V1}.PeerService/FindSuccessor`, { ringId });
    expect(Object.keys(step as object)).toHaveLength(1);
    const byId = await call<{ owner: WirePeer; hops: { latency: string }[] }>(
      founder,
      `${V1}.PeerService/Lookup`,
      { ringId },
    );
    expect(byId).toMatchObject({ ringId: String(ringId), owner: { address: nodes[2]!.address } });
    expect(byId.hops.at(-1)).toMatchObject({ peer: { address: nodes[2]!.address } });
    expect(byId.hops[0]?.latency).toMatch(/^\d+\.\d+s$/);
    const byKey = await call<{ ringId: string }>(joined, `${V1}.PeerService/Lookup`, {
      key: 'hello',
    });
    const hashed = await call(joined, `${V1}.HashService/HashKey`, { key: 'hello' });
    expect(hashed).toMatchObject({ ringId: byKey.ringId, ringSize: '2147483648' });
  });

  it('carries a message to an inbox', async () => {
    const sent = await call<{ messageId: string; path: WirePeer[] }>(
      founder,
      `${V1}.PeerService/SendMessage`,
      { toRingId: nodes[1]!.ringId, payload: 'aGVsbG8=' },
    );
    expect(sent.path[0]).toMatchObject({ address: founder });
    expect(sent.path.at(-1)).toMatchObject({ address: joined });
    const [first, second] = await streamOf(joined, `${V1}.PeerService/WatchMessages`, 2);
    expect(first).toMatchObject({ sequence: '1', heartbeat: {} });
    expect(second).toMatchObject({
      sequence: '2',
      message: { messageId: sent.messageId, payload: 'aGVsbG8=' },
    });
  });

  it('opens a stream, here with the node itself', async () => {
    const said = [
      { open: { toAddress: founder, name: 'by hand' } },
      { chunk: 'aGVsbG8=' },
      { finish: {} },
    ];
    const data = said.map((message) => JSON.stringify(message)).join(' ');
    const { code, out } = await curl(founder, `${V1}.PeerService/OpenStream`, undefined, [
      '--data',
      data,
    ]);
    expect(code).toBe(0);
    const heard = out.split(/\n(?=\{)/).map((json) => JSON.parse(json) as object);
    expect(heard).toMatchObject([{ opened: { address: founder } }, ...said.slice(1)]);
  });
});

describe('MonitorService by hand', () => {
  const monitor = (method: string): string => `${V1}.MonitorService/${method}`;
  type Peer = { readonly ringId: string; readonly address: string };

  it('GetTopology, GetRoutingTable and WatchTopology show who knows whom', async () => {
    type View = { readonly peer: Peer };
    const { views } = await call<{ views: readonly View[] }>(founder, monitor('GetTopology'));
    const { ringId } = views[0]!.peer;
    const { view } = await call<{ view: View }>(founder, monitor('GetRoutingTable'), { ringId });
    expect(view.peer).toEqual(views[0]!.peer);
    const [first] = await streamOf(founder, monitor('WatchTopology'), 1);
    expect(first).toMatchObject({ sequence: '1', snapshot: { views } });
  });

  it('TraceLookup shows the way, and CheckRing and GetStats say how it is', async () => {
    const traced = await call<{ owner: Peer }>(founder, monitor('TraceLookup'), { key: 'hello' });
    expect(traced.owner.address).toMatch(/^127\.0\.0\.1:/);
    expect(await call(founder, monitor('CheckRing'))).toMatchObject({
      state: 'RING_STATE_FORMING',
      stable: true,
    });
    expect(await call(founder, monitor('GetStats'))).toMatchObject({ peerCount: 3 });
  });
});

describe('BinderService by hand', () => {
  const binder = (method: string): string => `${V1}.BinderService/${method}`;
  const where = { service: 'orders', address: '127.0.0.1:9' };

  it('takes every call as the contract shows it', async () => {
    const registered = await call<{
      endpoint: { endpointId: string };
      fencingToken: string;
      leaseTtl: string;
    }>(founder, binder('RegisterEndpoint'), {
      ...where,
      ttl: '15s',
      metadata: { zone: 'a' },
    });
    expect(registered).toMatchObject({
      endpoint: { ...where, health: 'HEALTH_HEALTHY', metadata: { zone: 'a' } },
      leaseTtl: '15s',
    });
    const { endpointId } = registered.endpoint;
    const fencingToken = Number(registered.fencingToken);
    expect(await call(founder, binder('RenewLease'), { endpointId, fencingToken })).toEqual({
      leaseTtl: '15s',
    });
    expect(await call(founder, binder('KeepLeases'), { endpointId, fencingToken })).toEqual({
      endpointId,
      leaseTtl: '15s',
    });
    const stale = { endpointId, fencingToken: 7 };
    expect(await call(founder, binder('KeepLeases'), stale)).toMatchObject({
      refusal: { reason: 'FENCING_TOKEN_STALE' },
    });
    expect(await call(founder, binder('Resolve'), { service: 'orders' })).toMatchObject({
      endpoint: { endpointId },
    });
    expect(await call(founder, binder('ListServices'), {})).toMatchObject({
      services: [{ service: 'orders', endpointCount: 1, healthyCount: 1 }],
    });
    const events = await streamOf(founder, binder('WatchService'), 1, { service: 'orders' });
    expect(events[0]).toMatchObject({ sequence: '1', snapshot: { endpoints: [{ endpointId }] } });
    const checked = { ...where, healthCheck: { tcp: {} } };
    expect(await call(founder, binder('RegisterEndpoint'), checked)).toMatchObject({
      endpoint: { endpointId, health: 'HEALTH_UNKNOWN' },
    });
    expect(await call(founder, binder('ReportUnreachable'), where)).toMatchObject({
      verdict: 'VERDICT_REMOVED',
      evidence: [{ check: 'TCP', outcome: 'connection refused', rule: 'REPORT_PROVED' }],
    });
    expect(await call(founder, binder('ListEndpoints'), { service: 'orders' })).toEqual({});
    const { evidence } = await call<{
      evidence: { rule: string }[];
    }>(founder, binder('ExplainEndpoint'), where);
    expect(evidence.at(-1)).toMatchObject({ rule: 'REPORT_PROVED' });
    expect((await refusal(founder, binder('DeregisterEndpoint'), { endpointId })).code).toBe(
      'not_found',
    );
  }, 30_000);
});

describe('DhtService by hand', () => {
  const dht = (method: string): string => `${V1}.DhtService/${method}`;
  type Receipt = { readonly asked: number; readonly required: number };

  it('stores a value, reads it on another node, and deletes it', async () => {
    const put = await call<{ version: string; receipt: Receipt }>(founder, dht('Put'), {
      key: 'hello',
      value: 'd29ybGQ=',
      ttl: '3600s',
    });
    expect(put.receipt).toMatchObject({ asked: 3, required: 2 });
    const got = await call<object>(joined, dht('Get'), { key: 'hello' });
    expect(got).toMatchObject({ value: 'd29ybGQ=', version: put.version });
    const { keys } = await call<{ keys: object[] }>(joined, dht('ListKeys'), { prefix: 'hel' });
    expect(keys).toMatchObject([{ key: 'hello', sizeBytes: 5, version: put.version }]);
    const [event] = await streamOf(joined, dht('Want'), 1, { key: 'hello' });
    expect(event).toMatchObject({ sequence: '1', value: 'd29ybGQ=' });
    expect(await call(joined, dht('Delete'), { key: 'hello' })).toMatchObject({ existed: true });
    const gone = await refusal(founder, dht('Get'), { key: 'hello' });
    expect(gone).toMatchObject({ code: 'not_found' });
    expect(gone.message).toContain('[KEY_NOT_FOUND]');
  });

  it('knows who has a key', async () => {
    const holder = { key: 'h', address: '10.0.0.1' };
    await call(founder, dht('AnnounceHolder'), { ...holder, ttl: '30s' });
    const { holders } = await call<{ holders: object[] }>(joined, dht('ListHolders'), { key: 'h' });
    expect(holders).toMatchObject([{ address: '10.0.0.1' }]);
    expect(await call(joined, dht('WithdrawHolder'), holder)).toMatchObject({ existed: true });
    const { receipt } = await call<{ receipt: Receipt }>(founder, dht('ListHolders'), { key: 'h' });
    expect(receipt).toMatchObject({ required: 2 });
  });

  it('refuses what this node does not do', async () => {
    const stop = await refusal(founder, dht('StopServer'), { password: 'x' });
    expect(stop.message).toContain('[STOP_DISABLED]');
    const request = { address: '10.0.0.1:5000', dialect: 'simple-dht' };
    const introduced = await refusal(founder, dht('Introduce'), request);
    expect(introduced.message).toContain('[DIALECT_UNKNOWN]');
  });

  it('says what its part of the table has', async () => {
    const method = 'ringbinder.internal.v1.TableService/GetTableStats';
    expect(await call(founder, method, {})).toHaveProperty('counts');
  });
});

describe('grpc.health.v1 by hand', () => {
  it('says of each service that it serves', async () => {
    const { statuses } = await call<{ statuses: Record<string, { status: string }> }>(
      joined,
      'grpc.health.v1.Health/List',
    );
    for (const service of ['', `${V1}.HashService`, `${V1}.PeerService`, `${V1}.BinderService`]) {
      expect(statuses[service]).toEqual({ status: 'SERVING' });
      const check = await call(joined, 'grpc.health.v1.Health/Check', { service });
      expect(check).toEqual({ status: 'SERVING' });
    }
    const [event] = await streamOf(joined, 'grpc.health.v1.Health/Watch', 1);
    expect(event).toEqual({ status: 'SERVING' });
  });
});

describe('the internal service by hand', () => {
  it('describes the node, and refuses what is meant for another ring or life', async () => {
    const internal = 'ringbinder.internal.v1.NodeService';
    const described = await call(joined, `${internal}/DescribeNode`);
    expect(described).toMatchObject({ directoryAddress: founder, successorsMax: 4 });
    const caller = { ringName: 'another' };
    const other = await refusal(joined, `${internal}/NudgePeer`, { caller });
    expect(other.message).toContain('[RING_MISMATCH]');
    const stale = await refusal(joined, `${V1}.PeerService/GetNeighbors`, {
      caller: { expectedIncarnation: 1 },
    });
    expect(stale).toMatchObject({ code: 'aborted' });
    expect(stale.message).toContain('[INCARNATION_STALE]');
    const peer = { ringId: 42, address: '127.0.0.1:9', incarnation: 1 };
    expect(await call(joined, `${internal}/AnnounceDeparture`, { peer })).toEqual({});
    expect(await call(joined, `${internal}/NudgePeer`)).toEqual({});
    const message = { messageId: 'by-hand', fromRingId: 1, payload: 'aGk=' };
    expect(await call(joined, `${internal}/DeliverMessage`, { message })).toEqual({});
  });
});
