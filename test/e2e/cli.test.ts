import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { CLI, TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

let net: TestNet;
let nodes: readonly TestNode[];
let at: readonly string[];

beforeAll(async () => {
  net = new TestNet();
  nodes = await net.ring(3);
  await untilIdeal(nodes, 10_000);
  at = ['--server', nodes[0]!.address];
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

const linesOf = (text: string): readonly unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('ringbinder peers', () => {
  it('lists the members in ring order, for people and for machines', async () => {
    const sorted = nodes.map(({ ringId }) => ringId).sort((one, other) => one - other);
    const people = await cli([...at, 'peers']);
    expect(people.code).toBe(0);
    expect(people.out.match(/^\s*\d+/gm)?.map(Number)).toEqual(sorted);
    const machines = await cli(['peers', ...at, '--json']);
    expect(linesOf(machines.out)).toMatchObject(sorted.map((ringId) => ({ ringId })));
    expect(machines.err).toBe('');
  });

  it('goes on with every change until Ctrl-C', async () => {
    const watch = spawn(process.execPath, [CLI, ...at, '--json', 'peers', '--watch']);
    let out = '';
    watch.stdout.on('data', (chunk) => (out += String(chunk)));
    await until(() => (out.split('\n').length > 3 ? true : undefined), 10_000);
    const joined = await net.start({ join: [nodes[0]!.address] });
    await until(() => (out.includes('"change":"joined"') ? true : undefined), 10_000);
    await joined.end('SIGTERM');
    await until(() => (out.includes('"change":"left"') ? true : undefined), 10_000);
    const ended = new Promise((resolve) => watch.once('exit', resolve));
    watch.kill('SIGINT');
    expect(await ended).toBe(130);
  });
});

describe('ringbinder lookup', () => {
  it('names the owner of a key and of a position', async () => {
    const { ringId, address } = nodes[1]!;
    const byId = await cli([...at, 'lookup', '--ring-id', String(ringId)]);
    expect(byId).toMatchObject({ code: 0, out: `${ringId}  ${address}\n` });
    const byKey = await cli([...at, 'lookup', 'hello', '--json']);
    expect(JSON.parse(byKey.out)).toMatchObject({ ringId: 1_605_411_598 });
  });

  it('wants either a key or a position', async () => {
    for (const args of [['lookup'], ['lookup', 'a', '--ring-id', '1']]) {
      const { code, out, err } = await cli([...at, ...args]);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain('give either a key or --ring-id');
    }
  });
});

describe('ringbinder send and inbox', () => {
  it('carry text, standard input and nothing', async () => {
    const { ringId, address } = nodes[2]!;
    const inbox = cli(['--server', address, 'inbox', '--count', '3', '--json']);
    expect((await cli([...at, 'send', String(ringId), 'good morning'])).code).toBe(0);
    expect((await cli([...at, 'send', String(ringId), '-'], 'from a pipe\n')).code).toBe(0);
    expect((await cli([...at, 'send', String(ringId)], '')).code).toBe(0);
    const { code, out } = await inbox;
    expect(code).toBe(0);
    const payloads = linesOf(out).map((it) =>
      Buffer.from((it as { payload: string }).payload, 'base64').toString(),
    );
    expect(payloads.sort()).toEqual(['', 'from a pipe\n', 'good morning']);
  });

  it('say with 64 + NOT_FOUND that nobody is there, and what to do', async () => {
    const { code, out, err } = await cli([...at, 'send', '12345', 'hello?']);
    expect({ code, out }).toEqual({ code: 64 + 5, out: '' });
    expect(err).toMatch(/^\[PEER_NOT_FOUND\] .*\nrb peers lists/);
  });
});

describe('ringbinder simulate', () => {
  it('prints the same for the same seed, and ends with 0', async () => {
    const runs = [await cli(['simulate', '--seed', '7']), await cli(['simulate', '--seed', '7'])];
    expect(runs[0]).toMatchObject({ code: 0, err: '' });
    expect(runs[0]!.out).toMatch(/^seed 7: \d+ nodes, \d successors each, \d+ events/);
    expect(runs[1]).toEqual(runs[0]);
  });

  it('prints one object for each seed', async () => {
    const { code, out } = await cli(['simulate', '--seeds', '2', '--nodes', '6', '--json']);
    expect(code).toBe(0);
    expect(linesOf(out)).toMatchObject([
      { seed: 1, nodes: 6, violations: [] },
      { seed: 2 },
      { seeds: 2, failed: [] },
    ]);
  });

  it('prints the same on one processor as on several', async () => {
    const seeds = ['simulate', '--seeds', '6', '--nodes', '6', '--json'];
    const [one, several] = [
      await cli([...seeds, '--jobs', '1']),
      await cli([...seeds, '--jobs', '3']),
    ];
    expect(one).toMatchObject({ code: 0 });
    expect(several).toEqual(one);
  });

  it('suffers what a plan says, and says what is wrong with a plan', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringbinder-plan-'));
    const plan = join(directory, 'plan.yaml');
    writeFileSync(plan, 'nodes: 7\ntime: 5s\nfaults:\n  - { at: 1s, kind: crash, nodes: [p3] }\n');
    const run = await cli(['simulate', '--plan', plan, '--json']);
    expect(linesOf(run.out)).toMatchObject([{ nodes: 7, faults: { crash: 1 } }]);
    writeFileSync(plan, 'nodes: 7\nspeed: 9\n');
    expect(await cli(['simulate', '--plan', plan])).toEqual({
      code: 2,
      out: '',
      err: `${plan}:2: speed: is no key of a plan here\n`,
    });
    expect(await cli(['simulate', '--plan', directory])).toMatchObject({ code: 2, out: '' });
    rmSync(directory, { recursive: true });
  });
});

describe('misuse', () => {
  it.each([
    [['lokup', 'x'], 'Did you mean lookup?'],
    [['peers', '--jsn'], 'Did you mean --json?'],
    [['send'], "missing required argument 'ring-id'"],
    [['send', 'x', 'y'], 'must be a whole number'],
    [['--timeout-ms', '0', 'peers'], 'must be a whole number from 1'],
    [['serve', '--tick-ms', '5'], '--tick-ms'],
    [['simulate', '--nodes', '0'], 'must be a whole number from 1'],
  ])('is exit code 2 and a hint: %j', async (args, hint) => {
    const { code, out, err } = await cli(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(hint);
  });

  it('of a server that is not there is 64 + UNAVAILABLE', async () => {
    const { code, err } = await cli(['--server', '127.0.0.1:1', 'peers']);
    expect(code).toBe(64 + 14);
    expect(err).toContain('is a node running there?');
  });
});

describe('help', () => {
  it('lists the commands, and every option of a node', async () => {
    const help = await cli(['--help']);
    expect(help.code).toBe(0);
    for (const name of ['serve', 'peers', 'lookup', 'send', 'inbox', 'simulate']) {
      expect(help.out).toContain(name);
    }
    const serve = await cli(['serve', '--help']);
    expect(serve.out).toContain('--data-dir');
    expect(serve.out).toContain('RINGBINDER_JOIN');
  });
});

describe('stopping a node', () => {
  it('ends with 0 on SIGTERM and on Ctrl-C, after telling its watchers', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const node = await net.start();
      const watching = (async () => {
        for await (const { kind } of node.sdk.welcome.watch()) {
          expect(['snapshot', 'left']).toContain(kind);
        }
      })();
      await node.sdk.peer.neighbors();
      const start = performance.now();
      node.process.kill(signal);
      await expect(watching).rejects.toMatchObject({ reason: 'NODE_STOPPING' });
      expect(await node.exited()).toBe(0);
      expect(performance.now() - start).toBeLessThan(4_000);
    }
  });
});
