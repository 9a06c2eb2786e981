import { describe, expect, it } from 'vitest';
import { Binders, type CallError } from '../../clients/sdk/index.js';
import { until } from '../support/until.js';
import { BinderServer } from './binder-server.js';
import { BinderTable } from './binder-table.js';
import { refusal } from './dht-server.js';

const count = (server: BinderServer, name: string): number =>
  server.calls.filter((it) => it === name).length;

describe('hold', () => {
  it('renews at a third of the lease until it is released', async () => {
    await using server = await BinderServer.start();
    const binders = new Binders([server.address]);
    const lease = await binders.hold('s', 'a:1', { ttlMs: 1_000, metadata: { zone: 'a' } });
    expect(lease.registration.endpoint).toMatchObject({
      endpointId: 'e1',
      metadata: { zone: 'a' },
    });
    expect(lease.registration.fencingToken).toBe(1n);
    await until(() => count(server, 'renewLease') >= 4 || undefined, 3_000);
    expect(server.table.at('s', 'a:1')).toBeDefined();
    await lease.release();
    expect(server.table.at('s', 'a:1')).toBeUndefined();
    expect(await lease.ended).toEqual({ kind: 'released' });
    await lease.release();
    binders.close();
  });

  it('registers anew when the binder has lost it', async () => {
    await using server = await BinderServer.start();
    const binders = new Binders([server.address]);
    const tokens: bigint[] = [];
    const lease = await binders.hold('s', 'a:1', {
      ttlMs: 1_000,
      metadata: { zone: 'a' },
      onRegistered: ({ fencingToken }) => void tokens.push(fencingToken),
    });
    server.table.forget();
    await until(() => tokens.length === 1 || undefined, 3_000);
    expect(lease.registration.fencingToken).toBe(2n);
    expect(server.table.at('s', 'a:1')?.endpoint.metadata).toEqual({ zone: 'a' });
    await lease.release();
    binders.close();
  });

  it('goes on with another binder before the lease ends', async () => {
    const table = new BinderTable();
    await using one = await BinderServer.start({ table });
    await using two = await BinderServer.start({ table });
    const binders = new Binders([one.address, two.address]);
    const lease = await binders.hold('s', 'a:1', { ttlMs: 2_000 });
    await (one.address === binders.address ? one : two).kill();
    await new Promise((wake) => setTimeout(wake, 3_000));
    expect(table.at('s', 'a:1')?.token).toBe(1n);
    await lease.release();
    expect(table.at('s', 'a:1')).toBeUndefined();
    binders.close();
  });

  it('never gives up while no binder is there', async () => {
    const one = await BinderServer.start();
    const { port } = one;
    const binders = new Binders([one.address]);
    const losses: CallError[] = [];
    let renewals = 0;
    const lease = await binders.hold('s', 'a:1', {
      ttlMs: 1_000,
      onLost: (error) => void losses.push(error),
      onRenewed: () => (renewals += 1),
    });
    await one[Symbol.asyncDispose]();
    await until(() => losses.length >= 2 || undefined, 5_000);
    expect(losses[0]?.status).toBe('UNAVAILABLE');
    await using again = await BinderServer.start({ port });
    await until(() => again.table.at('s', 'a:1'), 10_000);
    await until(() => renewals > 0 || undefined, 3_000);
    await lease.release();
    binders.close();
  });

  it('stops when somebody else has registered the endpoint, and leaves it to them', async () => {
    await using server = await BinderServer.start();
    const binders = new Binders([server.address]);
    const lease = await binders.hold('s', 'a:1', { ttlMs: 1_000 });
    server.table.register('s', 'a:1', 60_000);
    const end = await lease.ended;
    expect(end).toMatchObject({ kind: 'lost', error: { reason: 'FENCING_TOKEN_STALE' } });
    await lease.release();
    expect(server.table.at('s', 'a:1')?.token).toBe(2n);
    binders.close();
  });

  it('leaves the endpoint to somebody else who comes just before the release', async () => {
    await using server = await BinderServer.start();
    const binders = new Binders([server.address]);
    const lease = await binders.hold('s', 'a:1');
    server.table.register('s', 'a:1', 60_000);
    await lease.release();
    expect(server.table.at('s', 'a:1')?.token).toBe(2n);
    binders.close();
  });

  it('rejects when the first registration is refused', async () => {
    const full = refusal('RESOURCE_EXHAUSTED', 'TABLE_FULL');
    await using server = await BinderServer.start({
      methods: { registerEndpoint: (_call, done) => done(full) },
    });
    const binders = new Binders([server.address]);
    await expect(binders.hold('s', 'a:1')).rejects.toMatchObject({ reason: 'TABLE_FULL' });
    binders.close();
  });

  it('ends when its client is closed', async () => {
    await using server = await BinderServer.start();
    const binders = new Binders([server.address]);
    const lease = await binders.hold('s', 'a:1', { ttlMs: 1_000 });
    binders.close();
    expect(await lease.ended).toMatchObject({ kind: 'lost' });
    await lease.release();
  });

  it('stops renewing when its signal says so', async () => {
    await using server = await BinderServer.start();
    const binders = new Binders([server.address]);
    const stop = new AbortController();
    const lease = await binders.hold('s', 'a:1', { ttlMs: 1_000, signal: stop.signal });
    stop.abort();
    expect(await lease.ended).toEqual({ kind: 'released' });
    expect(server.table.at('s', 'a:1')).toBeDefined();
    await lease.release();
    expect(server.table.at('s', 'a:1')).toBeUndefined();
    binders.close();
  });
});
