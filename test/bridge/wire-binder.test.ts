import { describe, expect, it } from 'vitest';
import {
  BinderServiceService,
  type Endpoint,
  type WatchServiceResponse,
} from '../../proto/gen/ringbinder/v1/binder_service.js';
import { RemoteBinder } from '../../services/bridge/wire-binder.js';
import { RingbinderError, type ErrorReason } from '../../services/errors.js';
import type { EndpointChange } from '../../services/legacy/core/session.js';
import { until } from '../support/until.js';
import { ScriptedNode } from './scripted-node.js';

const SERVICE = 'legacy-1';
const ADDRESS = '127.0.0.1:20001';
const TTL_MS = 60_000;

const endpoint = (address: string): Endpoint => ({
  endpointId: address,
  service: SERVICE,
  address,
  health: 2,
  metadata: {},
  healthCheck: undefined,
  registerTime: undefined,
});

/** A binder that does what it is told, and notes what it was asked. */
class Script {
  readonly calls: string[] = [];
  refusal: ErrorReason | undefined;
  /** The first event of every watch. */
  snapshot: readonly string[] = [];
  #tell: (event: WatchServiceResponse['event']) => void = () => undefined;

  async start(): Promise<ScriptedNode> {
    const renewed = { leaseTtl: undefined };
    return ScriptedNode.start(BinderServiceService, {
      registerEndpoint: async ({ address, healthCheck }) => {
        this.calls.push(`register ${address} ${healthCheck?.kind?.$case ?? ''}`);
        return { endpoint: endpoint(address), fencingToken: 7n, leaseTtl: undefined };
      },
      renewLease: async ({ endpointId, fencingToken }) => {
        this.calls.push(`renew ${endpointId} ${fencingToken}`);
        if (this.refusal !== undefined) throw new RingbinderError(this.refusal, 'told to');
        return renewed;
      },
      reportUnreachable: async ({ address }) => {
        this.calls.push(`report ${address}`);
        return { verdict: 1, evidence: [] };
      },
      watchService: (_, { signal }) => this.#watch(signal),
    });
  }

  removed(address: string, rule: string): void {
    const evidence = { observer: '', check: '', outcome: '', time: undefined, rule };
    this.#tell({ $case: 'removed', value: { endpoint: endpoint(address), evidence } });
  }

  async *#watch(signal: AbortSignal): AsyncGenerator<WatchServiceResponse, void, void> {
    const base = { sequence: 1n, observeTime: undefined, protectionActive: false };
    const endpoints = this.snapshot.map(endpoint);
    yield { ...base, event: { $case: 'snapshot', value: { endpoints } } };
    while (!signal.aborted) {
      const event = await new Promise<WatchServiceResponse['event']>((resolve) => {
        this.#tell = resolve;
        signal.addEventListener('abort', () => resolve(undefined));
      });
      yield { ...base, event };
    }
  }
}

/** A binder that follows the script, once it has seen its first snapshot. */
async function following(script: Script, node: ScriptedNode) {
  const binder = new RemoteBinder(node.link);
  const changes: EndpointChange[] = [];
  binder.follow([SERVICE], (change) => changes.push(change));
  const wanted = script.snapshot.length;
  await until(() => (changes.length === wanted ? true : undefined), 5_000);
  await until(() => (node.said.includes('the node answers') ? true : undefined), 5_000);
  return { binder, changes };
}

async function register(binder: RemoteBinder, address = ADDRESS): Promise<boolean> {
  return new Promise((resolve) => binder.register(SERVICE, address, TTL_MS, resolve));
}

describe('RemoteBinder', () => {
  it('registers with a check that is made on complaint, then renews', async () => {
    const script = new Script();
    await using node = await script.start();
    const { binder, changes } = await following(script, node);
    expect([await register(binder), await register(binder)]).toEqual([true, true]);
    expect(script.calls).toEqual([`register ${ADDRESS} legacy`, `renew ${ADDRESS} 7`]);
    expect(changes).toEqual([{ kind: 'added', service: SERVICE, address: ADDRESS }]);
  });

  it.each<[ErrorReason, boolean, number]>([
    ['LEASE_EXPIRED', true, 2],
    ['FENCING_TOKEN_STALE', true, 1],
    ['BINDER_STARTING', false, 1],
  ])('takes %s at a renewal for what it means', async (reason, isDone, registrations) => {
    const script = new Script();
    await using node = await script.start();
    const { binder } = await following(script, node);
    await register(binder);
    script.refusal = reason;
    expect(await register(binder)).toBe(isDone);
    expect(script.calls.filter((call) => call.startsWith('register'))).toHaveLength(registrations);
  });

  it('registers again what only its lease has ended of, and tells of what was proved dead', async () => {
    const script = new Script();
    await using node = await script.start();
    const { binder, changes } = await following(script, node);
    await register(binder);
    script.removed(ADDRESS, 'LEASE_ENDED');
    await until(() => (script.calls.length === 2 ? true : undefined), 5_000);
    expect(changes).toHaveLength(1);
    script.removed(ADDRESS, 'REPORT_PROVED');
    await until(() => changes[1], 5_000);
    expect(changes[1]).toEqual({ kind: 'removed', service: SERVICE, address: ADDRESS });
    expect(script.calls).toHaveLength(2);
  });

  it('tells of what others registered and lost', async () => {
    const script = new Script();
    script.snapshot = ['10.0.0.1:80'];
    await using node = await script.start();
    const { changes } = await following(script, node);
    script.removed('10.0.0.1:80', 'LEASE_ENDED');
    await until(() => changes[1], 5_000);
    expect(changes.map(({ kind }) => kind)).toEqual(['added', 'removed']);
    expect(script.calls).toEqual([]);
  });

  it('complains only about what does not answer here either', async () => {
    const script = new Script();
    await using node = await script.start();
    const { binder } = await following(script, node);
    const asked: string[] = [];
    binder.proveBy(async (address) => {
      asked.push(address);
      return address === ADDRESS;
    });
    binder.report(SERVICE, ADDRESS);
    binder.report(SERVICE, '127.0.0.1:1');
    await until(() => (script.calls.length > 0 ? true : undefined), 5_000);
    expect(asked).toEqual([ADDRESS, '127.0.0.1:1']);
    expect(script.calls).toEqual(['report 127.0.0.1:1']);
  });
});

describe('NodeLink', () => {
  it('says once that a node lacks what is needed', async () => {
    const names = Array.from({ length: 256 }, (_, type) => `legacy-${type}`);
    await using node = await ScriptedNode.start(BinderServiceService, {});
    new RemoteBinder(node.link).follow(names, () => undefined);
    const text = 'the node does not serve all that is needed';
    await until(() => (node.said.includes(text) ? true : undefined), 5_000);
    await new Promise((wake) => setTimeout(wake, 800));
    expect(node.said.filter((msg) => msg === text)).toHaveLength(1);
    const failures = node.said.filter((msg) => msg.startsWith('what went on'));
    expect(failures).toHaveLength(names.length);
  });

  it('refuses calls while no node serves, and ends at once', async () => {
    const node = await ScriptedNode.start(BinderServiceService, {});
    const { link } = node;
    await until(() => (node.said.includes('the node answers') ? true : undefined), 5_000);
    await node[Symbol.asyncDispose]();
    const call = link.call(BinderServiceService.listServices, { pageSize: 1, pageToken: '' });
    await expect(call).rejects.toMatchObject({ reason: 'PEER_UNREACHABLE' });
  });
});
