/** What `ringbinder bind` says and does, with a small binder in this process. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Health, Verdict } from '../../proto/gen/ringbinder/v1/binder_service.js';
import { evidenceLines } from '../../clients/cli/commands/bind/shared.js';
import { BinderServer } from '../sdk/binder-server.js';
import { BinderTable } from '../sdk/binder-table.js';
import { refusal } from '../sdk/dht-server.js';
import { cli, recordsOf } from '../support/cli.js';
import { CLI } from '../support/nodes.js';
import { until } from '../support/until.js';

const LONG = 600_000;
const TIME = '2027-01-15T08:00:00.000Z';

/** Runs `rb bind` against these binders. */
async function bind(servers: readonly BinderServer[], ...args: readonly string[]) {
  const server = servers.map(({ address }) => address).join(',');
  return cli(['--server', server, 'bind', ...args]);
}

/** Starts `rb bind` and does not wait for its end. */
function start(server: BinderServer, ...args: readonly string[]) {
  const child = spawn(process.execPath, [CLI, '--server', server.address, 'bind', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (said.out += String(chunk)));
  child.stderr.on('data', (chunk) => (said.err += String(chunk)));
  const ended = new Promise<object>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, said, ended };
}

const registered = (server: BinderServer, address = 'a:1') =>
  server.table.at('orders', address) === undefined ? undefined : true;

describe('bind register', () => {
  it('holds the lease until Ctrl-C, then deregisters', async () => {
    await using server = await BinderServer.start();
    const { child, said, ended } = start(server, 'register', 'orders', 'a:1', '--ttl', '2s');
    await until(() => registered(server), 5_000);
    await until(
      () => server.calls.filter((it) => it === 'renewLease').length > 3 || undefined,
      8_000,
    );
    expect(registered(server)).toBe(true);
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, signal: null });
    expect(registered(server)).toBeUndefined();
    expect(said).toEqual({
      out: 'e1 1\n',
      err: 'orders at a:1, lease of 2s; Ctrl-C deregisters\n',
    });
  });

  it('deregisters when it is told to end', async () => {
    await using server = await BinderServer.start();
    const { child, ended } = start(server, 'register', 'orders', 'a:1');
    await until(() => registered(server), 5_000);
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 143, signal: null });
    expect(registered(server)).toBeUndefined();
  });

  it('registers anew when the binder has lost it, and says so', async () => {
    await using server = await BinderServer.start();
    const { child, said, ended } = start(
      server,
      'register',
      'orders',
      'a:1',
      '--ttl',
      '1s',
      '--json',
    );
    await until(() => registered(server), 5_000);
    server.table.forget();
    await until(() => recordsOf(said.out).length === 2 || undefined, 5_000);
    child.kill('SIGINT');
    await ended;
    expect(recordsOf(said.out)).toMatchObject([
      { endpoint: { endpointId: 'e1', address: 'a:1' }, fencingToken: '1', leaseTtlMs: 1_000 },
      { endpoint: { endpointId: 'e2', address: 'a:1' }, fencingToken: '2', leaseTtlMs: 1_000 },
    ]);
    expect(said.err).toBe('the binders had lost it; registered anew\n');
  });

  it('ends when somebody else has registered the endpoint', async () => {
    await using server = await BinderServer.start();
    const { said, ended } = start(server, 'register', 'orders', 'a:1', '--ttl', '1s');
    await until(() => registered(server), 5_000);
    server.table.register('orders', 'a:1', LONG);
    expect(await ended).toEqual({ code: 64 + 10, signal: null });
    expect(said.err).toContain('[FENCING_TOKEN_STALE]');
    expect(said.err).toContain('was registered anew since');
    expect(registered(server)).toBe(true);
  });

  it('registers once, with what the flags say', async () => {
    await using server = await BinderServer.start();
    const flags = ['--ttl', '1h', '--meta', 'zone=a', '--meta', 'note=x=y', '--once'];
    const check = ['--http', '/well', '--check-interval', '1.5s', '--check-port', '8080'];
    const once = await bind([server], 'register', 'orders', 'a:1', ...flags, ...check);
    expect(once).toEqual({ code: 0, out: 'e1 1\n', err: '' });
    expect(server.table.at('orders', 'a:1')).toMatchObject({
      ttlMs: 3_600_000,
      endpoint: {
        metadata: { zone: 'a', note: 'x=y' },
        healthCheck: {
          kind: { $case: 'http', value: { path: '/well', port: 8080, tls: false } },
          interval: { seconds: 1n, nanos: 500_000_000 },
        },
      },
    });
  });

  it.each([
    [['--tcp'], { $case: 'tcp', value: { port: 0 } }],
    [['--http'], { $case: 'http', value: { path: '', port: 0, tls: false } }],
    [['--grpc'], { $case: 'grpc', value: { service: '', port: 0, tls: false } }],
    [
      ['--grpc', 'x.Y', '--check-tls'],
      { $case: 'grpc', value: { service: 'x.Y', port: 0, tls: true } },
    ],
    [['--tcp', '--remove-after', '7'], { $case: 'tcp', value: { port: 0 } }],
  ])('checks as %j says', async (flags, kind) => {
    await using server = await BinderServer.start();
    await bind([server], 'register', 'orders', 'a:1', '--once', ...flags);
    expect(server.table.at('orders', 'a:1')?.endpoint.healthCheck?.kind).toEqual(kind);
  });
});

describe('bind register -- command', () => {
  const node = [process.execPath, '-e'];

  it('keeps the lease while the command runs, and ends as it does', async () => {
    await using server = await BinderServer.start();
    const code =
      'process.stdin.once("data", (it) => { console.log("got", String(it)); process.exit(7) })';
    const { child, said, ended } = start(server, 'register', 'orders', 'a:1', '--', ...node, code);
    await until(() => registered(server), 5_000);
    child.stdin.write('x');
    expect(await ended).toEqual({ code: 7, signal: null });
    expect(registered(server)).toBeUndefined();
    expect(said).toEqual({ out: 'got x\n', err: '' });
  });

  it('leaves the flags behind -- to the command', async () => {
    await using server = await BinderServer.start();
    const print = 'console.log(process.argv.slice(1).join())';
    const result = await bind(
      [server],
      'register',
      'orders',
      'a:1',
      '--ttl',
      '2s',
      '--',
      ...node,
      print,
      '--',
      '--json',
      '--ttl',
      '-h',
    );
    expect(result).toEqual({ code: 0, out: '--json,--ttl,-h\n', err: '' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('passes %s on', async (signal) => {
    await using server = await BinderServer.start();
    const code = `process.on("${signal}", () => process.exit(5)); console.log("up"); setInterval(() => 0, 1e6)`;
    const { child, said, ended } = start(server, 'register', 'orders', 'a:1', '--', ...node, code);
    await until(() => said.out === 'up\n' || undefined, 5_000);
    child.kill(signal);
    expect(await ended).toEqual({ code: 5, signal: null });
    expect(registered(server)).toBeUndefined();
  });

  it('ends with 128 and the signal that has killed the command', async () => {
    await using server = await BinderServer.start();
    const code = 'process.kill(process.pid, "SIGKILL")';
    const result = await bind([server], 'register', 'orders', 'a:1', '--', ...node, code);
    expect(result.code).toBe(137);
    expect(registered(server)).toBeUndefined();
  });

  it('ends with 127 when there is no such command, and starts none when it is refused', async () => {
    await using server = await BinderServer.start();
    const missing = await bind([server], 'register', 'orders', 'a:1', '--', '/no/such/command');
    expect(missing).toMatchObject({ code: 127, out: '' });
    expect(missing.err).toContain('cannot start /no/such/command');
    expect(registered(server)).toBeUndefined();
    await using full = await BinderServer.start({
      methods: { registerEndpoint: (_, done) => done(refusal('RESOURCE_EXHAUSTED', 'TABLE_FULL')) },
    });
    const refused = await bind(
      [full],
      'register',
      'orders',
      'a:1',
      '--',
      ...node,
      'console.log(1)',
    );
    expect(refused).toMatchObject({ code: 64 + 8, out: '' });
  });

  it('lets the command run on when somebody else has registered the endpoint', async () => {
    await using server = await BinderServer.start();
    const code = 'process.stdin.once("data", () => process.exit(0))';
    const { child, said, ended } = start(
      server,
      'register',
      'orders',
      'a:1',
      '--ttl',
      '1s',
      '--',
      ...node,
      code,
    );
    await until(() => registered(server), 5_000);
    server.table.register('orders', 'a:1', LONG);
    await until(() => said.err.includes('without a lease') || undefined, 5_000);
    child.stdin.write('x');
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(registered(server)).toBe(true);
  });
});

describe('bind renew and deregister', () => {
  it('take what register has printed', async () => {
    await using server = await BinderServer.start();
    const { out } = await bind([server], 'register', 'orders', 'a:1', '--ttl', '30s', '--once');
    const [id = '', token = ''] = out.trim().split(' ');
    expect(await bind([server], 'renew', id, token)).toEqual({ code: 0, out: '30s\n', err: '' });
    const json = await bind([server], 'renew', id, token, '--json');
    expect(recordsOf(json.out)).toEqual([{ leaseTtlMs: 30_000 }]);
    const stale = await bind([server], 'deregister', id, '--token', '99');
    expect(stale).toMatchObject({ code: 64 + 10, out: '' });
    const gone = { code: 0, out: 'deregistered\n', err: '' };
    expect(await bind([server], 'deregister', id)).toEqual(gone);
    const expired = await bind([server], 'renew', id, token);
    expect(expired.code).toBe(64 + 5);
    expect(expired.err).toContain('register it again');
    server.table.register('orders', 'a:1', LONG);
    expect(await bind([server], 'deregister', 'orders', 'a:1')).toEqual(gone);
    const unknown = await bind([server], 'deregister', 'orders', 'a:1');
    expect(unknown).toMatchObject({ code: 64 + 5, out: '' });
    expect(unknown.err).toContain('[ENDPOINT_UNKNOWN]');
  });
});

describe('bind resolve', () => {
  it('prints the address whose turn it is', async () => {
    await using server = await BinderServer.start();
    for (const port of [1, 2]) server.table.register('orders', `a:${port}`, LONG);
    const turns = [];
    for (let turn = 0; turn < 3; turn += 1)
      turns.push((await bind([server], 'resolve', 'orders')).out);
    expect(turns).toEqual(['a:1\n', 'a:2\n', 'a:1\n']);
    const json = await bind([server], 'resolve', 'orders', '--json');
    expect(recordsOf(json.out)).toMatchObject([
      { endpoint: { address: 'a:2', health: 'healthy' }, protectionActive: false },
    ]);
  });

  it('says why there is none', async () => {
    await using server = await BinderServer.start();
    const unknown = await bind([server], 'resolve', 'orders');
    expect(unknown).toMatchObject({ code: 64 + 5, out: '' });
    expect(unknown.err).toContain('[SERVICE_UNKNOWN]');
    expect(unknown.err).toContain('rb bind list names the services');
    server.table.register('orders', 'a:1', LONG);
    server.table.set('orders', 'a:1', Health.HEALTH_UNHEALTHY);
    const nobody = await bind([server], 'resolve', 'orders');
    expect(nobody).toMatchObject({ code: 64 + 14, out: '' });
    expect(nobody.err).toContain('[NO_HEALTHY_ENDPOINT]');
  });

  it('says so in protection mode, and when the answer is old', async () => {
    const endpoint = { ...new BinderTable().register('orders', 'a:1', LONG).endpoint };
    await using server = await BinderServer.start({
      methods: {
        resolve: (_, done) => {
          const age = { seconds: 12n, nanos: 0 };
          done(null, { endpoint, protectionActive: true, age });
        },
      },
    });
    const { out, err } = await bind([server], 'resolve', 'orders');
    expect(out).toBe('a:1\n');
    expect(err).toContain('protection mode');
    expect(err).toContain('12s old');
  });

  it('goes on to the next binder, and says when there is none', async () => {
    const table = new BinderTable();
    await using one = await BinderServer.start({ table });
    await using two = await BinderServer.start({ table });
    table.register('orders', 'a:1', LONG);
    await one.kill();
    for (let call = 0; call < 3; call += 1) {
      expect(await bind([one, two], 'resolve', 'orders')).toMatchObject({ code: 0, out: 'a:1\n' });
    }
    await two.kill();
    const away = await bind([one, two], 'resolve', 'orders');
    expect(away.code).toBe(64 + 14);
    expect(away.err).toContain('is a node running there?');
  });
});

describe('bind list', () => {
  it('lists services, and the endpoints of one', async () => {
    await using server = await BinderServer.start({ pageSize: 1 });
    expect(await bind([server], 'list')).toEqual({ code: 0, out: '', err: 'no services\n' });
    server.table.register('orders', 'a:1', LONG, { metadata: { zone: 'a\n' } });
    server.table.register('orders', 'a:2', LONG);
    server.table.set('orders', 'a:2', Health.HEALTH_UNHEALTHY);
    server.table.register('mail', 'm:1', LONG);
    const services = await bind([server], 'list');
    expect(services.out).toBe('mail  1 of 1 healthy\norders  1 of 2 healthy\n');
    const endpoints = await bind([server], 'list', 'orders');
    expect(endpoints.out).toBe('a:1  healthy  zone=a\\n\na:2  unhealthy\n');
    const nobody = await bind([server], 'list', 'nobody');
    expect(nobody).toEqual({ code: 0, out: '', err: 'no endpoints of nobody\n' });
    const json = recordsOf((await bind([server], 'list', '--json')).out);
    expect(json[0]).toMatchObject({ service: 'mail', endpointCount: 1, healthyCount: 1 });
    const records = recordsOf((await bind([server], 'list', 'orders', '--json')).out);
    expect(records[0]).toMatchObject({ address: 'a:1', registerTime: TIME });
  });
});

describe('bind watch', () => {
  it('prints all endpoints, then each change', async () => {
    await using server = await BinderServer.start();
    server.table.register('orders', 'a:1', LONG);
    const people = start(server, 'watch', 'orders', '--count', '4');
    const machines = start(server, 'watch', 'orders', '--count', '4', '--json');
    await until(() => server.table.watcherCount === 2 || undefined, 5_000);
    server.table.register('orders', 'a:2', LONG);
    server.table.set('orders', 'a:1', Health.HEALTH_UNHEALTHY);
    server.table.remove('orders', 'a:2', 'LEASE', 'LEASE_ENDED');
    expect(await people.ended).toMatchObject({ code: 0 });
    expect(people.said).toEqual({
      out: '= a:1  healthy\n+ a:2  healthy\n~ a:1  unhealthy\n- a:2  LEASE, removed, LEASE_ENDED\n',
      err: 'watching orders; Ctrl-C ends\n',
    });
    expect(await machines.ended).toMatchObject({ code: 0 });
    expect(recordsOf(machines.said.out)).toMatchObject([
      { kind: 'snapshot', endpoints: [{ address: 'a:1' }] },
      { kind: 'added', endpoint: { address: 'a:2' } },
      { kind: 'changed', endpoint: { address: 'a:1', health: 'unhealthy' } },
      { kind: 'removed', endpoint: { address: 'a:2' }, evidence: { rule: 'LEASE_ENDED' } },
    ]);
  });

  it('ends with Ctrl-C', async () => {
    await using server = await BinderServer.start();
    const { child, ended } = start(server, 'watch', 'orders');
    await until(() => server.table.watcherCount === 1 || undefined, 5_000);
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, signal: null });
  });
});

describe('bind explain and report', () => {
  it('print the evidence as a table', async () => {
    await using server = await BinderServer.start();
    server.table.register('orders', 'a:1', LONG);
    const explained = await bind([server], 'explain', 'orders', 'a:1');
    const heading = 'TIME                      OBSERVER  CHECK         OUTCOME     RULE\n';
    expect(explained).toEqual({
      code: 0,
      out: `${heading}${TIME}  test:1    REGISTRATION  registered  REGISTERED\n`,
      err: 'a:1  healthy\n',
    });
    const reported = await bind([server], 'report', 'orders', 'a:1');
    expect(reported.code).toBe(0);
    expect(reported.out).toMatch(
      /^removed\nTIME .*\n.*REGISTERED\n.*connection refused +REPORT_PROVED\n$/,
    );
    expect((await bind([server], 'explain', 'orders', 'a:1')).err).toBe('a:1  removed\n');
    const json = await bind([server], 'explain', 'orders', 'a:1', '--json');
    expect(recordsOf(json.out)).toMatchObject([
      { evidence: [{ time: TIME, rule: 'REGISTERED' }, {}, {}], protectionActive: false },
    ]);
    for (const verb of ['explain', 'report']) {
      const unknown = await bind([server], verb, 'orders', 'a:9');
      expect(unknown).toMatchObject({ code: 64 + 5, out: '' });
      expect(unknown.err).toContain('[ENDPOINT_UNKNOWN]');
    }
  });

  it.each([
    [Verdict.VERDICT_REMOVED, 'removed'],
    [Verdict.VERDICT_STILL_ALIVE, 'still alive'],
    [Verdict.VERDICT_PROTECTED, 'protected'],
  ])('say what became of a complaint: %s', async (verdict, text) => {
    await using server = await BinderServer.start({
      methods: { reportUnreachable: (_, done) => done(null, { verdict, evidence: [] }) },
    });
    const json = await bind([server], 'report', 'orders', 'a:1', '--json');
    expect(recordsOf(json.out)).toEqual([{ verdict: text, evidence: [] }]);
  });

  it('keep what others say in its line', () => {
    const evidence = { observer: 'o:1', check: 'HTTP', outcome: 'a\nb\u001b[2J', rule: '' };
    expect(evidenceLines([evidence])).toEqual([
      'TIME  OBSERVER  CHECK  OUTCOME      RULE',
      '-     o:1       HTTP   a\\nb\\x1b[2J  -',
    ]);
  });
});

describe('misuse of bind', () => {
  it.each([
    [['bind'], 'Usage: ringbinder bind'],
    [['bind', 'resolv', 's'], 'Did you mean resolve?'],
    [['bind', 'register', 's'], "missing required argument 'address'"],
    [['bind', 'register', 's', 'a:1', '--ttl', '5'], 'must be a time with its unit'],
    [['bind', 'register', 's', 'a:1', '--meta', 'x'], 'must be key=value'],
    [['bind', 'register', 's', 'a:1', '--tcp', '--http'], 'cannot be used with'],
    [['bind', 'register', 's', 'a:1', '--check-interval', '1s'], 'say how to check it'],
    [['bind', 'register', 's', 'a:1', '--tcp', '--check-tls'], 'goes with --grpc or --http'],
    [['bind', 'register', 's', 'a:1', '--once', '--', 'true'], 'either --once or a command'],
    [['bind', 'renew', 'e1', 'x'], 'must be a fencing token'],
    [['bind', 'renew', 'e1', '0'], 'must be a fencing token'],
    [['bind', 'renew', 'e1', '18446744073709551616'], 'must be a fencing token'],
    [['bind', 'resolve', 's', 'more'], 'too many arguments'],
    [['--server', ' , ', 'bind', 'resolve', 's'], '--server names no node'],
  ])('is exit code 2 and a hint: %j', async (args, hint) => {
    const { code, out, err } = await cli(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(hint);
  });
});
