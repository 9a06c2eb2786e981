import { once } from 'node:events';
import { credentials, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import {
  HealthCheckResponse_ServingStatus as Status,
  HealthClient,
  type HealthCheckResponse,
  type HealthListResponse,
} from '../../proto/gen/grpc/health/v1/health.js';
import { HealthState } from '../../services/rpc/health.js';
import { failureOf, startServer, streamFailure } from './started-server.js';

const HASH = 'ringbinder.v1.HashService';

async function startWithHealth() {
  const node = await startServer({});
  const health = new HealthClient(node.address, credentials.createInsecure());
  const check = (service: string) =>
    new Promise((resolve) => health.check({ service }, (_, response) => resolve(response.status)));
  return {
    ...node,
    health,
    check,
    [Symbol.asyncDispose]: async () => {
      health.close();
      await node[Symbol.asyncDispose]();
    },
  };
}

describe('HealthState', () => {
  it('does not serve again after it was stopped', () => {
    const state = new HealthState();
    state.stop();
    state.set('', 'SERVING');
    expect(state.statusOf('')).toBe('NOT_SERVING');
  });

  it('tells a watcher each change once, until the signal', async () => {
    const state = new HealthState();
    const abort = new AbortController();
    const seen: unknown[] = [];
    const watching = (async () => {
      for await (const each of state.watch('a', abort.signal)) seen.push(each);
    })();
    for (const status of ['SERVING', 'SERVING', 'NOT_SERVING', 'SERVING'] as const) {
      state.set('a', status);
      state.set('b', status);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
    abort.abort();
    await watching;
    expect(seen).toEqual([undefined, 'SERVING', 'NOT_SERVING', 'SERVING']);
  });
});

describe('the health service', () => {
  it('answers Check for the node and for each service', async () => {
    await using node = await startWithHealth();
    expect(await node.check('')).toBe(Status.SERVING);
    expect(await node.check(HASH)).toBe(Status.SERVING);
    node.server.health.set(HASH, 'NOT_SERVING');
    expect(await node.check(HASH)).toBe(Status.NOT_SERVING);
    expect(await node.check('')).toBe(Status.SERVING);
  });

  it('answers Check for an unknown service with NOT_FOUND', async () => {
    await using node = await startWithHealth();
    const error = await failureOf((done) => node.health.check({ service: 'acme.Thing' }, done));
    expect(error.code).toBe(status.NOT_FOUND);
    expect(error.refusal).toMatchObject({ facts: { service: 'acme.Thing' } });
  });

  it('lists all services', async () => {
    await using node = await startWithHealth();
    const { statuses } = await new Promise<HealthListResponse>((resolve) => {
      node.health.list({}, (_, response) => resolve(response));
    });
    expect(Object.keys(statuses).sort()).toEqual([
      '',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      HASH,
      'ringbinder.v1.PeerService',
    ]);
    expect(statuses['']).toEqual({ status: Status.SERVING });
  });

  it('streams the status of a service that is not known, then becomes known', async () => {
    await using node = await startWithHealth();
    const stream = node.health.watch({ service: 'acme.Thing' });
    stream.on('error', () => undefined);
    const next = async () => ((await once(stream, 'data')) as [HealthCheckResponse])[0].status;
    expect(await next()).toBe(Status.SERVICE_UNKNOWN);
    node.server.health.set('acme.Thing', 'SERVING');
    expect(await next()).toBe(Status.SERVING);
    stream.cancel();
  });

  it('tells watchers NOT_SERVING before the server ends their streams', async () => {
    await using node = await startWithHealth();
    const streams = ['', HASH, HASH].map((service) => node.health.watch({ service }));
    const told = streams.map((stream) => {
      const statuses: Status[] = [];
      stream.on('data', ({ status }: HealthCheckResponse) => statuses.push(status));
      return statuses;
    });
    await Promise.all(streams.map((stream) => once(stream, 'data')));
    const failures = Promise.all(streams.map((stream) => streamFailure(stream)));
    await node.server.drain(1_000);
    for (const { refusal } of await failures) {
      expect(refusal).toMatchObject({ reason: 'NODE_STOPPING' });
    }
    expect(told).toEqual(streams.map(() => [Status.SERVING, Status.NOT_SERVING]));
  });
});
