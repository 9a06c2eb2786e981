import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, cliBytes, recordsOf } from '../support/cli.js';
import { CLI, TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const NOT_FOUND = 64 + 5;
const RESOURCE_EXHAUSTED = 64 + 8;
const VALUE_BYTES_MAX = 1_048_576;
/** As many as there are nodes: each of them has it when the call is answered. */
const ON_ALL = ['--write-quorum', '3'];

let net: TestNet;
let nodes: readonly TestNode[];
let lone: TestNode;
let at: readonly string[];

beforeAll(async () => {
  net = new TestNet();
  nodes = await net.ring(3);
  lone = await net.start();
  await untilIdeal(nodes, 10_000);
  at = ['--server', nodes[0]!.address];
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

describe('ringbinder dht put and get', () => {
  it('carry text from one node to another', async () => {
    const put = await cli([...at, 'dht', 'put', 'text', 'good morning', ...ON_ALL]);
    expect(put).toMatchObject({ code: 0, err: '3 of 3 peers have it\n' });
    expect(put.out).toMatch(/^\S+\n$/);
    for (const { address } of nodes) {
      const got = await cli(['--server', address, 'dht', 'get', 'text']);
      expect(got).toMatchObject({ code: 0, out: 'good morning' });
      expect(got.err).toMatch(/^\d of \d peers answered\n$/);
    }
  });

  it('carry bytes from stdin and from a file as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
    for (const value of [[], ['-']]) {
      expect(await cli([...at, 'dht', 'put', 'stdin', ...value], bytes)).toMatchObject({ code: 0 });
      expect(await cliBytes([...at, 'dht', 'get', 'stdin'])).toMatchObject({ code: 0, out: bytes });
    }
    const large = randomBytes(VALUE_BYTES_MAX);
    const path = net.dataDir('large');
    writeFileSync(path, large);
    expect(await cli([...at, 'dht', 'put', 'file', '--file', path])).toMatchObject({ code: 0 });
    const got = await cliBytes([...at, 'dht', 'get', 'file', '--raw']);
    expect(got.code).toBe(0);
    expect(got.out.equals(large)).toBe(true);
  });

  it('carry nothing, which is a value too', async () => {
    expect(await cli([...at, 'dht', 'put', 'empty', ''])).toMatchObject({ code: 0 });
    expect(await cli([...at, 'dht', 'get', 'empty'])).toMatchObject({ code: 0, out: '' });
  });

  it('print one object for machines, with the value as base64', async () => {
    const [put] = recordsOf((await cli([...at, '--json', 'dht', 'put', 'json', '\u00ff'])).out);
    expect(put).toEqual({
      version: expect.any(String) as string,
      receipt: {
        owner: {
          ringId: expect.any(Number) as number,
          address: expect.any(String) as string,
          incarnation: expect.any(Number) as number,
        },
        asked: 3,
        answered: expect.any(Number) as number,
        required: 2,
        repaired: 0,
        capped: false,
        versions: expect.any(Array) as unknown[],
      },
    });
    const { code, out, err } = await cli([...at, 'dht', 'get', 'json', '--json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(recordsOf(out)).toMatchObject([
      { value: Buffer.from('\u00ff').toString('base64'), version: put!['version'] },
    ]);
  });

  it('say that a ring of one has fewer peers than the quorum', async () => {
    const put = await cli(['--server', lone.address, 'dht', 'put', 'k', 'v']);
    const err = '1 of 1 peer has it\ncapped: only 1 peer keeps a copy\n';
    expect(put).toMatchObject({ code: 0, err });
  });

  it('refuse a value that is too large', async () => {
    const { code, out, err } = await cli(
      [...at, 'dht', 'put', 'too-large'],
      Buffer.alloc(VALUE_BYTES_MAX + 1),
    );
    expect({ code, out }).toEqual({ code: RESOURCE_EXHAUSTED, out: '' });
    expect(err).toMatch(/^\[VALUE_TOO_LARGE\] .*\na value has at most 1 MiB\n$/);
  });

  it('say with 64 + NOT_FOUND that there is no value', async () => {
    for (const flags of [[], ['--json'], ['--raw']]) {
      const missing = await cli([...at, 'dht', 'get', 'missing', ...flags]);
      expect(missing).toEqual({ code: NOT_FOUND, out: '', err: 'no value under missing\n' });
    }
  });
});

describe('ringbinder dht put --ttl', () => {
  it('keeps a value for so long', async () => {
    const start = Date.now();
    const put = await cli([...at, '--json', 'dht', 'put', 'brief', 'v', '--ttl', '4s']);
    const expires = Date.parse(String(recordsOf(put.out)[0]!['expireTime']));
    expect(expires).toBeGreaterThanOrEqual(start + 4_000);
    expect(expires).toBeLessThanOrEqual(Date.now() + 4_000);
    const got = await cli([...at, 'dht', 'get', 'brief']);
    expect(got).toMatchObject({ code: 0, out: 'v' });
    expect(got.err).toContain(`expires ${new Date(expires).toISOString()}\n`);
    await until(async () => {
      const { code } = await cli([...at, 'dht', 'get', 'brief']);
      return code === NOT_FOUND || undefined;
    }, 10_000);
    expect(Date.now()).toBeGreaterThanOrEqual(expires);
  });
});

describe('ringbinder dht delete', () => {
  it('takes a value away, and does not mind that there is none', async () => {
    await cli([...at, 'dht', 'put', 'gone', 'v', ...ON_ALL]);
    const deleted = await cli([...at, 'dht', 'delete', 'gone', ...ON_ALL]);
    const err = '3 of 3 peers have the deletion\n';
    expect(deleted).toMatchObject({ code: 0, err: `deleted\n${err}` });
    expect(await cli([...at, 'dht', 'get', 'gone'])).toMatchObject({ code: NOT_FOUND });
    const again = await cli([...at, 'dht', 'delete', 'gone', ...ON_ALL]);
    expect(again).toMatchObject({ code: 0, err: `there was no value\n${err}` });
    const machines = await cli([...at, '--json', 'dht', 'delete', 'gone']);
    expect(recordsOf(machines.out)).toMatchObject([
      { version: expect.any(String) as string, existed: false, receipt: { required: 2 } },
    ]);
  });
});

describe('ringbinder dht want', () => {
  it('prints each value as it comes, and ends after the last one that is wanted', async () => {
    const args = [CLI, ...at, '--json', 'dht', 'want', 'wanted', '--count', '3'];
    const want = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(want, 'close');
    let out = '';
    want.stdout.on('data', (chunk) => (out += String(chunk)));
    const records = (count: number) =>
      until(() => (recordsOf(wholeLines(out)).length >= count ? true : undefined), 15_000);
    const from = ['--server', nodes[1]!.address, 'dht'];
    await cli([...from, 'put', 'wanted', 'one']);
    await records(1);
    await cli([...from, 'delete', 'wanted']);
    await records(2);
    await cli([...from, 'put', 'wanted', 'two', '--ttl', '1h']);
    expect(await ended).toEqual([0, null]);
    expect(recordsOf(out)).toEqual([
      { kind: 'value', version: expect.any(String) as string, value: 'b25l' },
      { kind: 'deleted', version: expect.any(String) as string, isExpired: false },
      {
        kind: 'value',
        version: expect.any(String) as string,
        value: 'dHdv',
        expireTime: expect.any(String) as string,
      },
    ]);
  });

  it('begins with the value that there is, as one line', async () => {
    await cli([...at, 'dht', 'put', 'lines', 'one\ntwo']);
    expect(await cli([...at, 'dht', 'want', 'lines', '--count', '1'])).toEqual({
      code: 0,
      out: 'one\\ntwo\n',
      err: 'waiting for lines; Ctrl-C ends\n',
    });
  });

  it('ends with 130 at Ctrl-C', async () => {
    const args = [CLI, ...at, 'dht', 'want', 'never'];
    const want = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(want, 'close');
    await once(want.stderr, 'data');
    want.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
  });
});

describe('ringbinder dht announce, withdraw and holders', () => {
  it('keep the holders of a key in order of arrival', async () => {
    const holders = async (): Promise<string> =>
      (await cli([...at, 'dht', 'holders', 'file.iso'])).out;
    expect(await cli([...at, 'dht', 'holders', 'file.iso'])).toEqual({
      code: 0,
      out: '',
      err: 'no holders\n',
    });
    for (const address of ['10.0.0.2:9000', '10.0.0.1:9000', '10.0.0.3']) {
      const announced = await cli([...at, 'dht', 'announce', 'file.iso', address, ...ON_ALL]);
      const err = '3 of 3 peers have it\n';
      expect(announced).toEqual({ code: 0, out: `${address}\n`, err });
    }
    await cli([...at, 'dht', 'announce', 'file.iso', '10.0.0.2:9000', ...ON_ALL]);
    expect(await holders()).toBe('10.0.0.2:9000\n10.0.0.1:9000\n10.0.0.3\n');
    const withdraw = ['dht', 'withdraw', 'file.iso', '10.0.0.1:9000', ...ON_ALL];
    expect(await cli([...at, ...withdraw])).toMatchObject({ code: 0, out: 'withdrawn\n' });
    expect(await cli([...at, ...withdraw])).toMatchObject({ code: 0, out: 'was no holder\n' });
    expect(await holders()).toBe('10.0.0.2:9000\n10.0.0.3\n');
    expect(await cli([...at, 'dht', 'get', 'file.iso'])).toMatchObject({ code: NOT_FOUND });
  });

  it('print one object for each holder, with its end', async () => {
    const key = ['json.iso', '10.0.0.4:9000'];
    const announced = await cli([...at, '--json', 'dht', 'announce', ...key, '--ttl', '1h']);
    const [record] = recordsOf(announced.out);
    expect(record).toMatchObject({ receipt: { asked: 3, required: 2 } });
    const expireTime = String(record!['expireTime']);
    expect(Date.parse(expireTime)).toBeGreaterThan(Date.now() + 3_500_000);
    await cli([...at, 'dht', 'announce', 'json.iso', '10.0.0.5:9000']);
    const listed = await cli([...at, '--json', 'dht', 'holders', 'json.iso']);
    expect(listed).toMatchObject({ code: 0, err: '' });
    expect(recordsOf(listed.out)).toEqual([
      { address: '10.0.0.4:9000', expireTime },
      { address: '10.0.0.5:9000' },
    ]);
    const people = await cli([...at, 'dht', 'holders', 'json.iso']);
    expect(people.out).toBe(`10.0.0.4:9000  expires ${expireTime}\n10.0.0.5:9000\n`);
    const withdrawn = await cli([...at, '--json', 'dht', 'withdraw', ...key]);
    expect(recordsOf(withdrawn.out)).toMatchObject([{ existed: true, receipt: { asked: 3 } }]);
  });
});

describe('ringbinder dht keys', () => {
  it('lists what the node has, by prefix, in order of the bytes', async () => {
    for (const key of ['list/b', 'list/a', 'list/\u00e9', 'lisp']) {
      await cli([...at, 'dht', 'put', key, 'value', ...ON_ALL]);
    }
    await cli([...at, 'dht', 'put', 'list/c', 'brief', '--ttl', '1h', ...ON_ALL]);
    await cli([...at, 'dht', 'put', 'list/d', 'gone', ...ON_ALL]);
    await cli([...at, 'dht', 'delete', 'list/d', ...ON_ALL]);
    for (const { address } of nodes) {
      const listed = await cli(['--server', address, 'dht', 'keys', '--prefix', 'list/']);
      expect(listed).toMatchObject({ code: 0, err: '' });
      expect(listed.out).toMatch(
        /^ +5 {2}list\/a\n +5 {2}list\/b\n +5 {2}list\/c {2}expires \S+Z\n +5 {2}list\/\u00e9\n$/,
      );
    }
    const machines = await cli([...at, '--json', 'dht', 'keys', '--prefix', 'list/']);
    const version = expect.any(String) as string;
    expect(recordsOf(machines.out)).toEqual([
      { key: 'list/a', sizeBytes: 5, version },
      { key: 'list/b', sizeBytes: 5, version },
      { key: 'list/c', sizeBytes: 5, version, expireTime: expect.any(String) as string },
      { key: 'list/\u00e9', sizeBytes: 5, version },
    ]);
    expect((await cli([...at, 'dht', 'keys'])).out).toContain('  lisp\n');
    const none = await cli([...at, 'dht', 'keys', '--prefix', 'nothing/']);
    expect(none).toEqual({ code: 0, out: '', err: 'no keys\n' });
  });
});

function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}
