/** Bytes from the stdin of one `rb pipe` to the stdout of another, and over plain TCP. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';

const CLI = new URL('../clients/cli/main.js', import.meta.url).pathname;
const CHUNK_BYTES = 64 * 1_024;

/** Bytes per second from one node to another. */
export async function pipeThroughput(from: string, to: string, bytes: number): Promise<number> {
  const reader = rbPipe(to, '--accept');
  const writer = rbPipe(from, to);
  writer.stdout.resume();
  reader.stdin.end();
  await Promise.all([reader, writer].map(untilConnected));
  const rate = await pour(writer.stdin, reader.stdout, bytes);
  await Promise.all([reader, writer].map(async (it) => it.exitCode ?? once(it, 'exit')));
  return rate;
}

/** Bytes per second over one connection on loopback. */
export async function tcpThroughput(bytes: number): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Readable];
  const rate = await pour(socket, accepted, bytes);
  server.close();
  return rate;
}

function rbPipe(at: string, ...args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [CLI, '--server', at, 'pipe', ...args]);
}

async function untilConnected({ stderr }: ChildProcessWithoutNullStreams): Promise<void> {
  for (let said = ''; !said.includes('connected');) {
    const [chunk] = (await once(stderr, 'data')) as [Buffer];
    said += chunk.toString();
  }
}

async function pour(to: Writable, from: Readable, bytes: number): Promise<number> {
  const start = performance.now();
  let read = 0;
  from.on('data', (chunk: Buffer) => (read += chunk.length));
  const ended = once(from, 'end');
  const chunk = Buffer.alloc(CHUNK_BYTES, 0x5a);
  for (let written = 0; written < bytes; written += chunk.length) {
    if (!to.write(chunk)) await once(to, 'drain');
  }
  to.end();
  await ended;
  return (read * 1_000) / (performance.now() - start);
}
