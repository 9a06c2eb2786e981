import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, cliBytes } from '../support/cli.js';
import { CLI, TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

let net: TestNet;
let one: TestNode;
let other: TestNode;

beforeAll(async () => {
  net = new TestNet();
  [one, other] = (await net.ring(2)) as [TestNode, TestNode];
  await untilIdeal([one, other], 10_000);
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

/** A pipe that is still fed. */
function startPipe(at: TestNode, ...args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [CLI, '--server', at.address, 'pipe', ...args]);
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('ringbinder pipe', () => {
  it('carries 50 MB from one node to the other, and an answer back, unchanged', async () => {
    const bytes = randomBytes(50_000_000);
    const answer = randomBytes(100_000);
    const [there, here] = await Promise.all([
      cliBytes(['--server', other.address, 'pipe', '--accept', '--name', 'film'], answer),
      cliBytes(['--server', one.address, 'pipe', other.address, '--name', 'film'], bytes),
    ]);
    expect([there.code, there.err]).toEqual([
      0,
      `waiting for a stream to ${other.address}; Ctrl-C ends\nconnected with ${one.address}\n`,
    ]);
    expect([here.code, here.err]).toEqual([0, `connected with ${other.address}\n`]);
    expect(digest(there.out)).toBe(digest(bytes));
    expect(digest(here.out)).toBe(digest(answer));
  }, 60_000);

  it('brings back what goes to the node itself, by its ring ID', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
    const result = await cliBytes(
      ['--server', one.address, '--json', 'pipe', String(one.ringId)],
      bytes,
    );
    expect(result.code).toBe(0);
    expect(result.out.equals(bytes)).toBe(true);
    expect(JSON.parse(result.err)).toMatchObject({ address: one.address, ringId: one.ringId });
  });

  it('goes on reading when stdin has ended', async () => {
    const listening = startPipe(other, '--accept', '--name', 'late');
    const calling = startPipe(one, other.address, '--name', 'late');
    calling.stdin.end('question');
    const [asked] = (await once(listening.stdout, 'data')) as [Buffer];
    expect(asked.toString()).toBe('question');
    const heard = text(calling.stdout);
    listening.stdin.end('answer');
    expect(await heard).toBe('answer');
    const codes = await Promise.all(
      [listening, calling].map(
        async (it) => it.exitCode ?? ((await once(it, 'close'))[0] as number),
      ),
    );
    expect(codes).toEqual([0, 0]);
  });

  it('dials a program that speaks raw TCP', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const at = ['--server', one.address, 'pipe', '--raw'];
    const result = await cli([...at, `127.0.0.1:${port}`], 'hello');
    const address = `pair://127.0.0.1:${port}`;
    expect(result).toEqual({ code: 0, out: 'hello', err: `connected with ${address}\n` });
    server.close();
    expect((await cli([...at, 'nowhere'])).code).toBe(67);
  });

  it('ends with 130 on Ctrl-C, waiting and connected, and fails at the other end', async () => {
    const waiting = startPipe(one, '--accept', '--name', 'never');
    const listening = startPipe(other, '--accept', '--name', 'broken');
    const calling = startPipe(one, other.address, '--name', 'broken');
    await once(waiting.stderr, 'data');
    let said = '';
    listening.stderr.on('data', (chunk) => (said += String(chunk)));
    await until(() => (said.includes('connected') ? true : undefined), 10_000);
    const codes = [waiting, calling].map(async (child) => {
      const ended = once(child, 'close');
      child.kill('SIGINT');
      return (await ended)[0] as number;
    });
    const broken = once(listening, 'close');
    expect(await Promise.all(codes)).toEqual([130, 130]);
    expect((await broken)[0]).toBe(64 + 14);
    expect(said).toContain('PEER_UNREACHABLE');
  });

  it('ends when nobody reads its output', async () => {
    const child = startPipe(one, one.address, '--name', 'unread');
    const ended = once(child, 'close');
    child.stdin.on('error', () => undefined);
    child.stdout.destroy();
    child.stdin.write(randomBytes(1_000_000));
    expect((await ended)[0]).toBe(1);
  });

  it('refuses with the exit codes of other commands', async () => {
    const at = ['--server', one.address, 'pipe'];
    const nobody = [one.ringId, other.ringId].includes(7) ? '8' : '7';
    const codes = [
      [[...at], 2],
      [[...at, '1', '--accept'], 2],
      [[...at, nobody], 64 + 5],
      [[...at, '127.0.0.1:1'], 64 + 14],
      [['--server', '127.0.0.1:1', 'pipe', '7'], 64 + 14],
    ] as const;
    for (const [args, code] of codes) {
      expect(await cli(args)).toMatchObject({ code, out: '' });
    }
    const held = startPipe(one, one.address, '--name', 'held');
    await once(held.stderr, 'data');
    const taken = await cli([...at, one.address, '--name', 'held']);
    expect(taken.code).toBe(64 + 6);
    expect(taken.err).toContain('--name opens another stream');
    held.stdin.end('bye');
    expect((await buffer(held.stdout)).toString()).toBe('bye');
  });

  it('explains itself', async () => {
    const help = await cli(['pipe', '--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain('rb pipe --raw 10.0.0.9:80');
  });
});
