/**
 * `HashService.GetRingId` on a node with LMDB, against a bare grpc-js handler that answers with a
 * message of the same size: the same client, each server in a process of its own, 64 in flight.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { HashServiceService } from '../proto/gen/ringbinder/v1/hash_service.js';
import { measurePairs, rateOf } from './paired.js';

const CLI = new URL('../clients/cli/main.js', import.meta.url).pathname;
const ECHO = new URL('./bare-echo.js', import.meta.url).pathname;
const LOAD = { inFlight: 64, ms: 1_000 };
const PAIRS = 25;
const TARGET = 0.9;

export async function benchGetRingId(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ringbinder-bench-'));
  const node = spawn(
    process.execPath,
    [CLI, 'serve', '--listen', '127.0.0.1:0', '--data-dir', directory],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const echo = spawn(process.execPath, [ECHO], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const ours = connect(await addressOf(node));
    const theirs = connect(await addressOf(echo));
    const { ringId } = await call(ours, HashServiceService.assignRingId, {
      address: '10.0.0.7:7400',
    });
    process.stderr.write(`get-ring-id: ${String(ringId)}, ${PAIRS} pairs of ${LOAD.ms} ms\n`);
    const result = await measurePairs(
      { name: 'GetRingId', perSecond: async () => rateOf(getRingId(ours), LOAD) },
      { name: 'bare echo', perSecond: async () => rateOf(getRingId(theirs), LOAD) },
      PAIRS,
    );
    const [us, them] = [result.ours.toFixed(0), result.theirs.toFixed(0)];
    process.stdout.write(
      `get-ring-id: GetRingId ${us}/s, bare grpc-js echo ${them}/s, ratio ${result.ratio.toFixed(2)} (target ${TARGET.toFixed(2)})\n`,
    );
    ours.close();
    theirs.close();
  } finally {
    node.kill();
    echo.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

function connect(address: string): Client {
  return new Client(address, credentials.createInsecure());
}

/** The first record on stderr that names an address. */
async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('no stderr');
  for await (const line of createInterface({ input: child.stderr })) {
    const record = JSON.parse(line) as { readonly msg: string; readonly address?: string };
    if (record.msg.endsWith('ready') && record.address !== undefined) {
      child.stderr.resume();
      return record.address;
    }
  }
  throw new Error('the server ended before it was ready');
}

function getRingId(client: Client): () => Promise<unknown> {
  return async () => call(client, HashServiceService.getRingId, { address: '10.0.0.7:7400' });
}

async function call<Request, Response>(
  client: Client,
  method: {
    readonly path: string;
    requestSerialize(request: Request): Buffer;
    responseDeserialize(bytes: Buffer): Response;
  },
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Request, Response>(
      method.path,
      (value) => method.requestSerialize(value),
      (bytes) => method.responseDeserialize(bytes),
      request,
      (error: ServiceError | null, response?: Response) => {
        if (error !== null || response === undefined) reject(error ?? new Error('no response'));
        else resolve(response);
      },
    );
  });
}
