/** The example program, as a person would start it. */
import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { Server } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.js';
import { KillableServer } from '../support/killable-server.js';
import { BinderServer } from './binder-server.js';

const EXAMPLE = new URL('../../dist/clients/sdk/examples/binder-resolver.js', import.meta.url);

async function startHealthy(): Promise<KillableServer> {
  const server = new Server();
  server.addService(HealthService, {
    check: (_call: unknown, done: (error: null, response: object) => void) =>
      done(null, { status: 1 }),
  });
  return KillableServer.listen(server);
}

async function run(binders: string, ...args: readonly string[]) {
  const env = { ...process.env, RINGBINDER_BINDERS: binders };
  const child = spawn(process.execPath, [EXAMPLE.pathname, ...args], { env });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  return { code: await code, lines: out.toString().trim().split('\n'), err: err.toString() };
}

describe('the example of the resolver', () => {
  it('calls the endpoints by the name of their service, and ends', async () => {
    await using binder = await BinderServer.start();
    await using one = await startHealthy();
    await using two = await startHealthy();
    for (const { address } of [one, two]) binder.table.register('orders', address, 60_000);
    const { code, lines, err } = await run(binder.address, 'orders', '8');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(lines).toHaveLength(8);
    expect(new Set(lines)).toEqual(new Set([`${one.address}  well`, `${two.address}  well`]));
  });

  it('says why when there is nobody', async () => {
    await using binder = await BinderServer.start();
    const { code, lines } = await run(binder.address, 'nobody', '1');
    expect(code).toBe(0);
    expect(lines[0]).toContain('nobody has registered for service nobody');
  });
});
