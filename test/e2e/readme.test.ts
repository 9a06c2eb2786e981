/** What the README says is what happens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../services/errors.js';
import { optionsHelp } from '../../services/config.js';
import { legacyFlags } from '../support/legacy-flags.js';
import { collect } from '../support/collect.js';
import { LoggedProcess } from '../support/logged-process.js';
import { CLI, TestNet, untilIdeal } from '../support/nodes.js';
import { until } from '../support/until.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const readme = readFileSync(`${ROOT}README.md`, 'utf8');
const guide = readFileSync(`${ROOT}proto/README.md`, 'utf8');

/** The shell lines under a heading. */
function linesUnder(heading: string): readonly string[] {
  const section = readme.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
  return blocks.join('').split('\n').filter(Boolean);
}

type Shell = { readonly code: number; readonly out: string; readonly err: string };

async function shell(line: string): Promise<Shell> {
  const child = spawn('bash', ['-c', line], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { code, out: out.toString(), err: err.toString() };
}

describe('README', () => {
  it('lists every option of a node, and nothing else', () => {
    const rows = readme.match(/^\| `--.*$/gm) ?? [];
    const options = optionsHelp().map(({ flag, env, default: byDefault, help }) => {
      return `| \`${flag.replaceAll('|', '\\|')}\` | \`${env}\` | ${byDefault} | ${help} |`;
    });
    expect(rows).toEqual(options);
  });

  it('names only scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm (?:run )?(start|test|[a-z:]+)/g)].map(([, it]) => it);
    for (const name of new Set(named)) expect(Object.keys(scripts)).toContain(name);
  });

  it('shows calls that work as they are typed', async () => {
    await using net = new TestNet();
    const founder = await net.start();
    const [alias = '', ...calls] = linesUnder('The first calls by hand');
    const command = /'(.*)'/.exec(alias)?.[1] ?? '';
    expect(calls.length).toBeGreaterThan(2);
    for (const line of calls) {
      const typed = line.replace(/^call/, command).replace('127.0.0.1:7400', founder.address);
      const { code, out, err } = await shell(typed);
      expect({ line, code, err }).toMatchObject({ line, code: 0 });
      expect(out).toMatch(/ringId|ringbinder\.v1\.HashService\/AssignRingId/);
    }
  });

  it('shows a ring of three that works as it is typed', async () => {
    await using net = new TestNet();
    const founder = await net.start();
    const lines = linesUnder('A ring of three, and a message').map((line) =>
      line.split('#')[0]!.trim(),
    );
    const serves = lines.filter((line) => line.includes(' serve '));
    expect(serves).toHaveLength(2);
    const others = serves.map(() => net.launch({ join: [founder.address] }));
    await Promise.all(others.map(async (node) => node.ready()));
    await untilIdeal([founder, ...others], 10_000);
    const typed = (line: string): string =>
      line
        .replace(/ &$/, '')
        .replace('npx ringbinder', `${process.execPath} ${CLI}`)
        .replace('127.0.0.1:7410', others[0]!.address)
        .replace('RING_ID', String(others[0]!.ringId));
    const reading = typed(lines.find((it) => it.includes('inbox'))!);
    const inbox = spawn('sh', ['-c', `exec ${reading}`], { stdio: ['ignore', 'pipe', 'ignore'] });
    let read = '';
    inbox.stdout.on('data', (bytes: Buffer) => {
      read += bytes.toString();
    });
    for (const line of lines.filter((it) => !serves.includes(it) && !it.includes('inbox'))) {
      const result = await shell(`RINGBINDER_SERVER=${founder.address} ${typed(line)}`);
      expect({ line, ...result }).toMatchObject({ line, code: 0 });
    }
    await until(() => (read.includes('good morning') ? true : undefined), 10_000);
    inbox.kill('SIGINT');
  });

  it('shows streams that work as they are typed', async () => {
    await using net = new TestNet();
    const [founder, other] = await net.ring(2);
    const copy = net.dataDir('copy');
    const typed = (line: string): string =>
      line
        .split('#')[0]!
        .replace(/ & *$/, '')
        .replace('npx ringbinder', `${process.execPath} ${CLI}`)
        .replace('127.0.0.1:7400', founder!.address)
        .replace('127.0.0.1:7410', other!.address)
        .replace('/tmp/copy', copy);
    const run = (line: string) => shell(`RINGBINDER_SERVER=${founder!.address} ${typed(line)}`);
    const [accept = '', send = '', echo = ''] = linesUnder('Streams between peers');
    const [taken, sent, echoed] = await Promise.all([run(accept), run(send), run(echo)]);
    expect([taken, sent, echoed].map(({ code }) => code)).toEqual([0, 0, 0]);
    const license = readFileSync(`${ROOT}LICENSE`, 'utf8');
    expect(readFileSync(copy, 'utf8')).toBe(license);
    expect(echoed.out).toBe(license);
  }, 30_000);

  it('shows keys and values that work as they are typed', async () => {
    await using net = new TestNet();
    const [founder, other] = await net.ring(3);
    const lines = linesUnder('Keys and values').map((line) => line.split('#')[0]!.trim());
    const typed = (line: string): string =>
      line
        .replace(/ &$/, '')
        .replace('npx ringbinder', `${process.execPath} ${CLI}`)
        .replace('127.0.0.1:7420', other!.address);
    const [first = '', ...rest] = lines;
    const run = (line: string) => shell(`RINGBINDER_SERVER=${founder!.address} ${typed(line)}`);
    const wanted = run(first);
    const said: string[] = [];
    for (const line of rest) {
      const result = await run(line);
      expect({ line, ...result }).toMatchObject({ line, code: 0 });
      said.push(result.out);
    }
    expect((await wanted).out).toContain('good morning');
    expect(said.join('\n')).toContain('good morning');
    expect(said.at(-1)).toContain('10.0.0.9:9000');
  }, 30_000);

  it('shows services by name that work as they are typed', async () => {
    await using net = new TestNet();
    const nodes = await net.ring(3);
    const [founder, one, other] = nodes.map(({ address }) => address);
    const typed = (line: string): string =>
      line
        .split('#')[0]!
        .replace(/ & *$/, '')
        .replace('npx ringbinder', `exec ${process.execPath} ${CLI}`)
        .replace('=127.0.0.1:7400', `=${founder!}`)
        .replaceAll('127.0.0.1:7410', one!)
        .replaceAll('127.0.0.1:7420', other!);
    const lines = linesUnder('Discover services by name');
    const env = { ...process.env, RINGBINDER_SERVER: founder! };
    const held = lines
      .filter((line) => / &\s*(?:#|$)/.test(line))
      .map((line) => spawn('bash', ['-c', typed(line)], { cwd: ROOT, env, stdio: 'ignore' }));
    expect(held).toHaveLength(2);
    const { binder } = nodes[0]!.sdk;
    await until(async () => {
      const healthy = (await collect(binder.endpoints('health'))).filter(
        ({ health }) => health === 'healthy',
      );
      return healthy.length === 2 ? true : undefined;
    }, 20_000);
    const said: string[] = [];
    for (const line of lines.filter((it) => !/ &\s*(?:#|$)/.test(it))) {
      const result = await shell(`export RINGBINDER_SERVER=${founder!}; ${typed(line)}`);
      expect({ line, ...result }).toMatchObject({
        line,
        code: 0,
        err: expect.any(String) as string,
      });
      said.push(result.out);
    }
    const all = said.join('');
    expect(all).toContain('zone=b');
    expect(all).toContain('REPORT_PROVED');
    expect(all).toMatch(new RegExp(`^${one!}  well$`, 'm'));
    expect(all).toMatch(new RegExp(`^${other!}  well$`, 'm'));
    for (const child of held) child.kill('SIGTERM');
    await until(async () => {
      return (await collect(binder.endpoints('health'))).length === 0 ? true : undefined;
    }, 10_000);
  }, 60_000);

  it('shows old programs that work as they are typed', async () => {
    await using net = new TestNet();
    const founder = await net.start({
      flags: legacyFlags({
        ...{ 'simple-dht': '127.0.0.1:0', lieur: '127.0.0.1:0:0' },
        ...{ 'ring-hash': '127.0.0.1:0', 'ring-welcome': '127.0.0.1:0' },
      }),
    });
    const where = founder.record('ringbinder ready')!['legacy'] as Readonly<Record<string, string>>;
    const ring = ` --hash ${where['ring hash']!} --welcome ${where['ring welcome']!}`;
    const lines = linesUnder('Old programs').map((line) => line.split('  #')[0]!.trim());
    const typed = (line: string, bridged = ''): string => {
      const command = line
        .replace(/ &$/, '')
        .replace('npx ringbinder', `${process.execPath} ${CLI}`)
        .replace('--at 127.0.0.1:7502', `--at ${bridged}`)
        .replace('127.0.0.1:7502', '127.0.0.1:0');
      const binder = / (?:ask|subscribe) /.test(line) ? ` --binder ${where['lieur']!}` : '';
      const at = / simple-dht put /.test(line) ? ` --at ${where['simple-dht']!}` : '';
      const servers = / ring join /.test(line) ? ring : '';
      return `exec env RINGBINDER_SERVER=${founder.address} ${command}${binder}${at}${servers}`;
    };
    const [subscribe = '', startBridge = ''] = lines.filter((line) => line.endsWith(' &'));
    const service = spawn('sh', ['-c', typed(subscribe)], { stdio: ['ignore', 'ignore', 'pipe'] });
    await once(service.stderr, 'data');
    const bridge = new LoggedProcess(['sh', '-c', typed(startBridge)]);
    const ready = await bridge.said('ringbinder bridge ready', 20_000);
    await bridge.said('the node answers', 10_000);
    const bridged = (ready['legacy'] as Record<string, string>)['simple-dht']!;
    const said: string[] = [];
    for (const line of lines.filter((it) => !it.endsWith(' &'))) {
      const result = await shell(typed(line, bridged));
      expect({ line, ...result }).toMatchObject({ line, code: 0 });
      said.push(result.out);
    }
    expect(said[0]).toContain('healthy');
    expect(said[1]).toMatch(/^127\.0\.0\.1:\d+\n$/);
    expect(said[2]).toContain('0123456789abcdef');
    expect(said[4]).toBe('Hello, world!');
    expect(said[6]).toContain('ring://10.9.0.1');
    expect(said[7]).toBe('Hello, world!');
    const ended = once(service, 'close');
    service.kill('SIGINT');
    await ended;
    expect(await bridge.end('SIGINT')).toBe(0);
  }, 40_000);

  it('starts a node with npm start alone', async () => {
    const child = spawn(
      'npm',
      ['start', '--', ...['--listen', '127.0.0.1:0', '--ephemeral', '--legacy', 'off']],
      {
        cwd: ROOT,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let log = '';
    child.stderr.on('data', (chunk) => (log += String(chunk)));
    await until(
      () => (log.includes('ringbinder ready') ? true : undefined),
      60_000,
      () => log,
    );
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    await ended;
    expect(log).toContain('ringbinder stopped');
  }, 90_000);
});

describe('proto/README', () => {
  it.each(Object.keys(ERRORS))('explains %s', (reason) => {
    expect(guide).toContain(`### ${reason}`);
  });

  it('explains no reason that does not exist', () => {
    const explained = [...guide.matchAll(/^### ([A-Z_]+)$/gm)].map(([, reason]) => reason);
    expect(explained.sort()).toEqual(Object.keys(ERRORS).sort());
  });
});
