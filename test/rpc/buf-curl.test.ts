import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RingbinderError } from '../../services/errors.js';
import { startServer } from './started-server.js';

const BUF = 'node_modules/.bin/buf';
const COMMON = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];

type Run = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs it in an empty environment of schemas: all that it knows, it asked the server. */
function bufCurl(...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(BUF, [...COMMON, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

let node: Awaited<ReturnType<typeof startServer>>;
let root = '';

beforeAll(async () => {
  node = await startServer({
    hash: {
      getRingId: async ({ address }) => {
        if (address === 'nobody') {
          throw new RingbinderError('ADDRESS_UNKNOWN', 'nobody has no ring ID', { address });
        }
        return { ringId: 2n ** 64n - 1n };
      },
    },
    peer: {
      watchMessages: async function* () {
        yield { sequence: 1n, event: { $case: 'heartbeat', value: {} } };
        yield { sequence: 2n, event: { $case: 'heartbeat', value: {} } };
      },
      openStream: async function* (requests) {
        for await (const { action } of requests) {
          if (action?.$case === 'chunk') yield { event: action };
        }
      },
    },
  });
  root = `http://${node.address}`;
});

afterAll(() => node[Symbol.asyncDispose]());

describe.each(['grpc-v1', 'grpc-v1alpha'])('buf curl with reflection %s', (protocol) => {
  const curl = (...args: readonly string[]) => bufCurl('--reflect-protocol', protocol, ...args);

  it.concurrent('lists services', async () => {
    const { code, stdout } = await curl('--list-services', root);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').sort()).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'ringbinder.v1.HashService',
      'ringbinder.v1.PeerService',
    ]);
  });

  it.concurrent('lists methods', async () => {
    const { code, stdout } = await curl('--list-methods', root);
    expect(code).toBe(0);
    expect(stdout).toContain('ringbinder.v1.HashService/GetRingId');
    expect(stdout).toContain('grpc.health.v1.Health/Watch');
  });

  it.concurrent('calls a method', async () => {
    const url = `${root}/ringbinder.v1.HashService/GetRingId`;
    const { code, stdout } = await curl('--data', '{"address":"a"}', url);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ringId: String(2n ** 64n - 1n) });
  });

  it.concurrent('calls a server stream', async () => {
    const { code, stdout } = await curl(`${root}/ringbinder.v1.PeerService/WatchMessages`);
    expect(code).toBe(0);
    expect(stdout.match(/"sequence"/g)).toHaveLength(2);
  });
});

describe('buf curl', () => {
  it.concurrent('shows an error with its details', async () => {
    const url = `${root}/ringbinder.v1.HashService/GetRingId`;
    const { code, stderr } = await bufCurl('--data', '{"address":"nobody"}', url);
    expect(code).toBe(8 * 5);
    expect(stderr).toContain('[ADDRESS_UNKNOWN] nobody has no ring ID');
    expect(stderr).toContain('google.rpc.ErrorInfo');
  });

  it.concurrent('calls a stream both ways', async () => {
    const url = `${root}/ringbinder.v1.PeerService/OpenStream`;
    const { code, stdout } = await bufCurl('--data', '{"chunk":"AQ=="}{"chunk":"Ag=="}', url);
    expect(code).toBe(0);
    expect(stdout.match(/"chunk": ?"A[gQ]=="/g)).toHaveLength(2);
  });

  it.concurrent('calls the health service', async () => {
    const { code, stdout } = await bufCurl(`${root}/grpc.health.v1.Health/Check`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ status: 'SERVING' });
  });
});
