import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { LegacyProgram } from '../support/datagrams.js';
import { CLI, TestNet, type TestNode } from '../support/nodes.js';

let net: TestNet;
let node: TestNode;
let binder: string[];
let at: string[];

beforeAll(async () => {
  net = new TestNet();
  node = await net.start({
    flags: ['--legacy', 'tlv=off,simple-dht=127.0.0.1:0,lieur=127.0.0.1:0:0,pair=off'],
  });
  const legacy = node.record('ringbinder ready')!['legacy'] as Readonly<Record<string, string>>;
  binder = ['--binder', legacy['lieur']!];
  at = ['--at', legacy['simple-dht']!];
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

describe('legacy simple-dht', () => {
  const run = async (args: readonly string[], stdin?: string) =>
    cli(['--timeout-ms', '2500', 'legacy', 'simple-dht', ...args], stdin);
  const abc = '0000000000000abc';

  it('puts and gets what gRPC has too', async () => {
    const text = 'Hello, world!';
    expect(await run(['put', 'ABC', text, ...at])).toMatchObject({ code: 0, out: '' });
    expect(Buffer.from((await node.sdk.dht.get(abc))!.value).toString()).toBe(text);
    expect(await run(['get', 'abc', ...at])).toMatchObject({ code: 0, out: text });
    expect(await run(['put', '1', ...at], 'from stdin')).toMatchObject({ code: 0 });
    const { out } = await run(['--json', 'get', '1', ...at]);
    const value = Buffer.from('from stdin').toString('base64');
    expect(JSON.parse(out)).toEqual({ hash: '0000000000000001', value });
  });

  it('waits for a value that comes later', async () => {
    const waiting = run(['get', 'f1', ...at]);
    await new Promise((wake) => setTimeout(wake, 500));
    await node.sdk.dht.put('00000000000000f1', 'late');
    expect(await waiting).toMatchObject({ code: 0, out: 'late' });
  });

  it('says that there is no value, and that nobody is there', async () => {
    const [none, nobody] = await Promise.all([
      run(['get', 'dead', ...at]),
      run(['get', 'dead', '--at', '127.0.0.1:9']),
    ]);
    expect(none).toMatchObject({ code: 69, out: '' });
    expect(nobody).toMatchObject({ code: 68, out: '' });
    expect(nobody.err).toContain('127.0.0.1:9 does not answer');
  });

  it('tells a server of another', async () => {
    await using other = await LegacyProgram.open();
    expect(await run(['discover', other.address, ...at])).toMatchObject({ code: 0, out: '' });
    await other.until((hex) => hex === '02');
  });

  it('speaks as an original does, to one', async () => {
    await using original = await LegacyProgram.open();
    const there = ['--at', original.address];
    original.answer('00', '010000000000000abc000376616c6a756e6b');
    original.answer('01', `03${abc}`);
    original.answer('04', '02');
    expect(await run(['get', 'abc', ...there])).toMatchObject({ code: 0, out: 'val' });
    expect(await run(['put', 'abc', 'val', ...there])).toMatchObject({ code: 0 });
    const ipv4 = await run(['discover', '127.0.0.1:7001', ...there]);
    expect(ipv4).toMatchObject({ code: 0 });
    // A program that had this port before may still be sent KeepAlives.
    const asked = original.received.map(({ hex }) => hex).filter((hex) => hex !== '02');
    expect(asked).toEqual([`00${abc}`, `01${abc}000376616c`, '04047f0000011b59']);
  });

  it('writes an IPv6 address whole', async () => {
    await using original = await LegacyProgram.open('::1');
    original.answer('04', '02');
    const there = ['--at', `[::1]:${original.port}`];
    expect(await run(['discover', '[2001:db8::1]:9000', ...there])).toMatchObject({ code: 0 });
    expect(original.received[0]!.hex).toBe('040620010db80000000000000000000000012328');
  });

  it.concurrent.each([
    ['a hash that is too long', ['get', '0'.repeat(17)]],
    ['a hash that is none', ['get', 'xyz']],
    ['a name in place of an address', ['get', '1', '--at', 'localhost:7402']],
    ['port 0', ['discover', '127.0.0.1:0']],
    ['a server that nobody can reach', ['discover', '224.0.0.1:7402']],
    ['what would stop a server on IPv4', ['discover', '[2001:db8::1]:9000']],
  ])('takes %s for misuse', async (_, args) => {
    const result = await run(args);
    expect(result).toMatchObject({ code: 2, out: '' });
    expect(result.err).not.toBe('');
  });

  it('says that a value is too long', async () => {
    const result = await run(['put', '1', ...at], 'x'.repeat(65_497));
    expect(result).toMatchObject({ code: 1, out: '' });
    expect(result.err).toContain('65496');
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
