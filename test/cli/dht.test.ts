/** What `ringbinder dht` says and prints, with a server that answers as told. */
import { describe, expect, it } from 'vitest';
import { receiptLines } from '../../clients/cli/commands/dht/shared.js';
import { printable } from '../../clients/cli/output.js';
import { DhtServer, refusal, wantEvent } from '../sdk/dht-server.js';
import { cli, cliBytes, recordsOf } from '../support/cli.js';

const RECEIPT = {
  owner: { ringId: 7n, address: '10.0.0.7:7400', incarnation: 1n },
  asked: 3,
  answered: 2,
  required: 2,
  repaired: 0,
  capped: false,
  versions: ['v1'],
};
const PLAIN_RECEIPT = {
  ...RECEIPT,
  owner: { ringId: 7, address: '10.0.0.7:7400', incarnation: 1 },
};
const EXPIRE_TIME = { seconds: 1_800_000_000n, nanos: 0 };
const EXPIRES = new Date(1_800_000_000_000).toISOString();

describe('receiptLines', () => {
  const plain = { ...RECEIPT, owner: undefined };
  it.each([
    [{}, ['2 of 3 peers have it']],
    [{ repaired: 1 }, ['2 of 3 peers have it', 'repaired: 1 had an older version or none']],
    [
      { asked: 1, answered: 1, required: 1, capped: true },
      ['1 of 1 peer has it', 'capped: only 1 peer keeps a copy'],
    ],
    [
      { asked: 2, required: 2, capped: true },
      ['2 of 2 peers have it', 'capped: only 2 peers keep a copy'],
    ],
  ])('say of %j: %j', (part, lines) => {
    expect(receiptLines({ ...plain, ...part }, ['has it', 'have it'])).toEqual(lines);
  });
});

describe('printable', () => {
  it.each([
    ['plain, né, 日本', 'plain, né, 日本'],
    ['a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['\u001b[31m\u0000\u007f\u009b', '\\x1b[31m\\x00\\x7f\\x9b'],
  ])('shows %j as %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

describe('ringbinder dht put', () => {
  it('stores text, and says what the OK rests on', async () => {
    const seen: unknown[] = [];
    await using server = await DhtServer.start({
      put({ request }, done) {
        seen.push(request);
        done(null, { version: 'v1', receipt: RECEIPT, expireTime: EXPIRE_TIME });
      },
    });
    const at = ['--server', server.address];
    const flags = ['--ttl', '1.5s', '--write-quorum', '3'];
    const people = await cli([...at, 'dht', 'put', 'k', 'good morning', ...flags]);
    const err = `2 of 3 peers have it\nexpires ${EXPIRES}\n`;
    expect(people).toEqual({ code: 0, out: 'v1\n', err });
    const machines = await cli([...at, '--json', 'dht', 'put', 'k', '-'], new Uint8Array([0, 255]));
    expect(machines).toMatchObject({ code: 0, err: '' });
    expect(recordsOf(machines.out)).toEqual([
      { version: 'v1', expireTime: EXPIRES, receipt: PLAIN_RECEIPT },
    ]);
    const value = Buffer.from('good morning');
    const ttl = { seconds: 1n, nanos: 500_000_000 };
    expect(seen).toEqual([
      { key: 'k', value, ttl, writeQuorum: 3 },
      { key: 'k', value: Buffer.from([0, 255]), ttl: undefined, writeQuorum: 0 },
    ]);
  });

  it.each([
    ['QUORUM_NOT_REACHED', 'UNAVAILABLE', 14, 'too few peers answered'],
    ['TABLE_FULL', 'RESOURCE_EXHAUSTED', 8, 'no room left'],
    ['VALUE_TOO_LARGE', 'RESOURCE_EXHAUSTED', 8, 'at most 1 MiB'],
  ] as const)('gives advice at %s', async (reason, status, code, advice) => {
    await using server = await DhtServer.start({
      put: (_call, done) => done(refusal(status, reason)),
    });
    const result = await cli(['--server', server.address, 'dht', 'put', 'k', 'v']);
    expect(result).toMatchObject({ code: 64 + code, out: '' });
    expect(result.err).toContain(`[${reason}]`);
    expect(result.err).toContain(advice);
  });
});

describe('ringbinder dht get', () => {
  it('writes the bytes and nothing else to stdout', async () => {
    const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await using server = await DhtServer.start({
      get(_call, done) {
        const receipt = { ...RECEIPT, repaired: 1 };
        done(null, { value, version: 'v1', receipt, expireTime: undefined });
      },
    });
    const at = ['--server', server.address];
    for (const flags of [[], ['--raw']]) {
      const people = await cliBytes([...at, 'dht', 'get', 'k', ...flags]);
      const err = '2 of 3 peers answered\nrepaired: 1 had an older version or none\n';
      expect(people).toEqual({ code: 0, out: value, err });
    }
    const machines = await cli([...at, '--json', 'dht', 'get', 'k']);
    expect(recordsOf(machines.out)).toEqual([
      {
        value: value.toString('base64'),
        version: 'v1',
        receipt: { ...PLAIN_RECEIPT, repaired: 1 },
      },
    ]);
  });

  it('says with 64 + NOT_FOUND that there is no value', async () => {
    await using server = await DhtServer.start({
      get: (_call, done) => done(refusal('NOT_FOUND', 'KEY_NOT_FOUND')),
    });
    for (const flags of [[], ['--json']]) {
      const result = await cli(['--server', server.address, ...flags, 'dht', 'get', 'a\nb']);
      expect(result).toEqual({ code: 69, out: '', err: 'no value under a\\nb\n' });
    }
  });
});

describe('ringbinder dht want', () => {
  it('prints values as lines, says the rest, and goes on after a loss', async () => {
    let streams = 0;
    await using server = await DhtServer.start({
      want(call) {
        streams += 1;
        if (streams % 2 === 1) {
          call.write(wantEvent(1, 'one\ntwo'));
          call.write(wantEvent(2, 'v2', { $case: 'deleted', value: { expired: false } }));
          call.emit('error', refusal('UNAVAILABLE', 'NODE_STOPPING'));
        } else {
          call.write(wantEvent(1));
          call.write(wantEvent(2, 'v3'));
        }
      },
    });
    const at = ['--server', server.address];
    expect(await cli([...at, 'dht', 'want', 'k', '--count', '3'])).toEqual({
      code: 0,
      out: 'one\\ntwo\nv3\n',
      err: 'waiting for k; Ctrl-C ends\ndeleted\n[NODE_STOPPING] refused by the test; trying again\n',
    });
    const machines = await cli([...at, 'dht', 'want', 'k', '--count', '3', '--json']);
    expect(recordsOf(machines.out)).toEqual([
      { kind: 'value', version: 'one\ntwo', value: Buffer.from('one\ntwo').toString('base64') },
      { kind: 'deleted', version: 'v2', isExpired: false },
      { kind: 'value', version: 'v3', value: Buffer.from('v3').toString('base64') },
    ]);
  });
});

describe('misuse', () => {
  it.each([
    [['dht'], 'Usage: ringbinder dht'],
    [['dht', 'gett', 'k'], 'Did you mean get?'],
    [['dht', 'get'], "missing required argument 'key'"],
    [['dht', 'put', 'k', 'v', '--file', 'x'], 'give either a text or --file'],
    [['dht', 'put', 'k', '--file', '/no/such/file'], 'cannot read /no/such/file'],
    [['dht', 'put', 'k', 'v', '--ttl', '5'], 'must be a time with its unit'],
    [['dht', 'announce', 'k', 'a', '--ttl', '0s'], 'must be a time with its unit'],
    [['dht', 'put', 'k', 'v', '--write-quorum', '0'], 'must be a whole number from 1 to 16'],
    [['dht', 'get', 'k', '--read-quorum', '17'], 'must be a whole number from 1 to 16'],
    [['dht', 'want', 'k', '--count', 'all'], 'must be a whole number from 1'],
    [['dht', 'announce', 'k'], "missing required argument 'address'"],
    [['send', '1', 'text', '--file', 'x'], 'give either a text or --file'],
  ])('is exit code 2 and a hint: %j', async (args, hint) => {
    const { code, out, err } = await cli(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(hint);
  });
});
