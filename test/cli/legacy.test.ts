import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { CLI, TestNet, type TestNode } from '../support/nodes.js';

let net: TestNet;
let node: TestNode;
let binder: string[];

beforeAll(async () => {
  net = new TestNet();
  node = await net.start({ flags: ['--legacy', 'tlv=off,simple-dht=off,lieur=127.0.0.1:0:0'] });
  const { lieur } = node.record('ringbinder ready')!['legacy'] as { readonly lieur: string };
  binder = ['--binder', lieur];
}, 30_000);

afterAll(async () => net[Symbol.asyncDispose]());

describe('legacy lieur', () => {
  it('is a service, a client, and one that complains', async () => {
    const service = spawn(process.execPath, [CLI, 'legacy', 'lieur', 'subscribe', '3', ...binder]);
    const [said] = (await once(service.stderr, 'data')) as [Buffer];
    const port = /port (\d+)/.exec(said.toString())![1]!;
    const where = `127.0.0.1:${port}`;
    expect(await cli(['legacy', 'lieur', 'ask', '3', ...binder])).toMatchObject({
      code: 0,
      out: `${where}\n`,
    });
    const ended = once(service, 'close');
    service.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    await cli(['legacy', 'lieur', 'complain', '3', where, ...binder]);
    const { verdict } = await node.sdk.binder.report('legacy-3', where).catch(() => ({
      verdict: 'removed',
    }));
    expect(verdict).toBe('removed');
    expect(await cli(['legacy', 'lieur', 'ask', '3', ...binder])).toMatchObject({ code: 69 });
  }, 30_000);

  it('says when nobody answers', async () => {
    const nobody = await cli(['legacy', 'lieur', 'ask', '3', '--binder', '127.0.0.1:9']);
    expect(nobody).toMatchObject({ code: 68, out: '' });
    expect(nobody.err).toContain('does not answer');
  });
});

describe('legacy decode', () => {
  it('explains a datagram', async () => {
    const { out } = await cli(['--json', 'legacy', 'decode', 'lieur', '03017f0000013b30']);
    expect(JSON.parse(out)).toEqual({
      kind: 'answer',
      entry: { type: 1, host: '127.0.0.1', port: 12_347 },
      bytesUsed: 8,
    });
  });

  it.each([
    ['bytes that are none', ['lieur', 'xy'], 2],
    ['an unknown dialect', ['klingon', '00'], 2],
    ['what is no message', ['lieur', '63'], 1],
    ['what ends too early', ['lieur', '0301'], 1],
  ])('says what is wrong with %s', async (_, args, code) => {
    const result = await cli(['legacy', 'decode', ...args]);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).not.toBe('');
  });
});
