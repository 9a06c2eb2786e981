import { describe, expect, it } from 'vitest';
import { defaultDataDir } from '../services/config/judgement.js';
import {
  ConfigError,
  loadConfig,
  OPTIONS,
  optionsHelp,
  type GivenOptions,
} from '../services/config.js';

const load = (flags: GivenOptions = {}, env: Record<string, string | undefined> = {}) =>
  loadConfig({ flags, env });

function linesOf(flags: GivenOptions, env: Record<string, string> = {}): readonly string[] {
  try {
    load(flags, env);
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.lines : ['no ConfigError'];
  }
}

const DEFAULTS = {
  listen: '127.0.0.1:7400',
  advertise: undefined,
  join: [],
  dataDir: './.ringbinder/127.0.0.1:7400',
  ephemeral: false,
  ringSize: 2 ** 31,
  roles: ['hash', 'welcome', 'peer', 'monitor', 'dht', 'binder'],
  store: 'lmdb',
  insecureListen: false,
  logLevel: 'info',
  tickMs: 100,
  answerTimeoutMs: 2_000,
  successorsMax: 4,
  copies: 3,
  readQuorum: 2,
  writeQuorum: 2,
  repairIntervalMs: 10_000,
  graceMs: 86_400_000,
  endpointsMax: 100_000,
  protectionPercent: 50,
  legacy: {
    tlv: undefined,
    'simple-dht': undefined,
    lieur: undefined,
    pair: undefined,
    ring: { hash: undefined, welcome: undefined, monitor: undefined, peer: undefined },
  },
  legacyPeer: { tlv: [], 'simple-dht': [], lieur: [] },
  legacyRate: undefined,
  leaveTimeoutMs: 20_000,
  metrics: undefined,
  dashboard: undefined,
  stopPassword: undefined,
  routeCache: 4_096,
  membershipTtlMs: 15_000,
  joinTimeoutMs: 60_000,
  drainTimeoutMs: 5_000,
};

describe('loadConfig', () => {
  it('completes what is not given', () => {
    expect(load()).toEqual({ config: DEFAULTS, warnings: [] });
  });

  it('freezes what it returns, lists included', () => {
    const { config } = load({ join: 'a:1' });
    expect([config, config.join, config.roles].map(Object.isFrozen)).toEqual([true, true, true]);
  });

  it('lets a flag win over the environment, and that over the default', () => {
    const env = { RINGBINDER_TICK_MS: '30', RINGBINDER_RING_SIZE: '7' };
    const { config } = load({ tickMs: '40' }, env);
    expect([config.tickMs, config.ringSize, config.successorsMax]).toEqual([40, 7, 4]);
  });

  it('counts an empty variable as not set, and ignores those it does not know', () => {
    const env = { RINGBINDER_RING_SIZE: '', RINGBINDER_UNKNOWN: 'x', PATH: '/bin' };
    expect(load({}, env).config).toEqual(DEFAULTS);
  });

  it.each<{ title: string; flags: GivenOptions; expected: object }>([
    { title: 'the smallest ring', flags: { ringSize: '1' }, expected: { ringSize: 1 } },
    {
      title: 'the largest ring',
      flags: { ringSize: '9007199254740992' },
      expected: { ringSize: 2 ** 53 },
    },
    {
      title: 'roles, in their own order and once',
      flags: { roles: 'peer, hash,peer' },
      expected: { roles: ['hash', 'peer'] },
    },
    {
      title: 'addresses in one spelling and once',
      flags: { join: 'A:1,[0::1]:2, a:1,' },
      expected: { join: ['a:1', '[::1]:2'] },
    },
    {
      title: 'an IPv6 address, and its data directory',
      flags: { listen: '[::1]:7400' },
      expected: { listen: '[::1]:7400', dataDir: './.ringbinder/[::1]:7400' },
    },
    {
      title: 'port 0, whose data directory nobody knows yet',
      flags: { listen: '127.0.0.1:0' },
      expected: { listen: '127.0.0.1:0', dataDir: undefined },
    },
    {
      title: 'port 0 with a data directory',
      flags: { listen: '127.0.0.1:0', dataDir: 'd' },
      expected: { listen: '127.0.0.1:0', dataDir: 'd' },
    },
    {
      title: '--ephemeral, which means the store in memory',
      flags: { ephemeral: 'true' },
      expected: { ephemeral: true, store: 'memory', dataDir: undefined },
    },
    {
      title: '--store memory, which means --ephemeral',
      flags: { store: 'memory' },
      expected: { ephemeral: true, store: 'memory', dataDir: undefined },
    },
    {
      title: 'an etcd for the directory, with the rest on disk',
      flags: { store: 'etcd://a:2379,[::1]:1,a:2379' },
      expected: { store: { endpoints: ['a:2379', '[::1]:1'], prefix: '/ringbinder/' } },
    },
    {
      title: 'an etcd and a prefix, with the rest in memory',
      flags: { store: 'etcd://a:2379/our/ring/', ephemeral: 'true' },
      expected: {
        ephemeral: true,
        dataDir: undefined,
        store: { endpoints: ['a:2379'], prefix: '/our/ring/' },
      },
    },
    {
      title: 'a public address when it is told that this is meant',
      flags: { listen: '10.0.0.1:7400', insecureListen: 'true' },
      expected: {
        listen: '10.0.0.1:7400',
        insecureListen: true,
        dataDir: './.ringbinder/10.0.0.1:7400',
      },
    },
  ])('accepts $title', ({ flags, expected }) => {
    expect(load(flags)).toEqual({ config: { ...DEFAULTS, ...expected }, warnings: [] });
  });

  it('names all that is wrong at once, by flag or variable, with value and range', () => {
    const flags = { ringSize: '0', listen: '7400', ephemeral: 'true', dataDir: 'd' };
    const env = { RINGBINDER_TICK_MS: 'soon', RINGBINDER_JOIN: 'a:1,b' };
    expect(linesOf(flags, env)).toEqual([
      '--listen: must be host:port, with IPv6 in brackets; it is “7400”',
      'RINGBINDER_JOIN: must be host:port that can be dialled, with IPv6 in brackets, not “b”; it is “a:1,b”',
      '--ring-size: must be an integer from 1 to 9007199254740992; it is “0”',
      'RINGBINDER_TICK_MS: must be an integer from 20 to 1000; it is “soon”',
      '--ephemeral and --data-dir exclude each other',
    ]);
  });

  it.each<GivenOptions>([
    { ringSize: '9007199254740993' },
    { ringSize: '1.5' },
    { ringSize: '-1' },
    { ringSize: '' },
    { ringSize: '0x10' },
    { advertise: '0.0.0.0:1' },
    { advertise: 'a:0' },
    { join: 'a:0' },
    { dataDir: '' },
    { ephemeral: 'yes' },
    { roles: '' },
    { roles: 'hash,unknown' },
    { store: 'sqlite' },
    { logLevel: 'loud' },
  ])('refuses %o', (flags) => {
    expect(linesOf(flags)).toEqual([expect.stringContaining(': must be ')]);
  });

  it.each(Object.entries(OPTIONS).filter(([, row]) => row.help.includes('From ')))(
    'keeps %s within the range that its help names',
    (key, { help }) => {
      const [, min = '', max = ''] = /From (\d+) to (\d+)\./.exec(help) ?? [];
      const outside = [(BigInt(min) - 1n).toString(), (BigInt(max) + 1n).toString()];
      // As many copies as there may be need as many successors.
      const others = key === 'copies' ? { successorsMax: '16' } : {};
      for (const text of [min, max]) expect(linesOf({ ...others, [key]: text })).toEqual([]);
      for (const text of outside) expect(linesOf({ ...others, [key]: text })).toHaveLength(1);
    },
  );

  it.each([
    'etcd://',
    'etcd://127.0.0.1',
    'etcd://127.0.0.1:2379,',
    'etcd://0.0.0.0:2379',
    'etcd://127.0.0.1:0',
    'etcd://a:1/ä',
    'etcd:/a:1',
  ])('refuses %s as a store, and says what it must be', (store) => {
    const mustBe = store.startsWith('etcd://')
      ? 'etcd://host:port,host:port with an optional /prefix'
      : 'lmdb, memory, or etcd://host:port,…';
    expect(linesOf({ store })).toEqual([`--store: must be ${mustBe}; it is “${store}”`]);
  });

  it.each<{ flags: GivenOptions; env?: Record<string, string>; line: string }>([
    {
      flags: { ephemeral: 'true' },
      env: { RINGBINDER_DATA_DIR: 'd' },
      line: '--ephemeral and RINGBINDER_DATA_DIR exclude each other',
    },
    {
      flags: { copies: '4', successorsMax: '2' },
      line: '--copies: must be at most 3, one more than successors',
    },
    {
      flags: { store: 'memory', dataDir: 'd' },
      line: '--store memory and --data-dir exclude each other',
    },
    {
      flags: { store: 'lmdb', ephemeral: 'true' },
      line: '--ephemeral and --store lmdb exclude each other',
    },
    {
      flags: { listen: '10.0.0.1:7400' },
      line: '--listen 10.0.0.1:7400 can be reached from other machines, without TLS; --insecure-listen allows that',
    },
    {
      flags: { listen: '0.0.0.0:7400', insecureListen: 'true', join: 'a:1' },
      line: "--listen 0.0.0.0:7400 can't be dialled; --advertise says where others reach this node",
    },
    { flags: { join: '127.0.0.1:7400' }, line: '--join 127.0.0.1:7400 is this node itself' },
    { flags: { join: 'LOCALHOST:7400' }, line: '--join localhost:7400 is this node itself' },
    {
      flags: {
        listen: '[::]:7400',
        insecureListen: 'true',
        advertise: 'me:1',
        join: '127.0.0.1:7400,me:1',
      },
      line: '--join 127.0.0.1:7400, me:1 is this node itself',
    },
  ])('refuses what does not go together: $line', ({ flags, env, line }) => {
    expect(linesOf(flags, env)).toEqual([line]);
  });

  it('leaves itself out of those it joins, and says so', () => {
    const { config, warnings } = load({ join: '127.0.0.1:7400,127.0.0.1:7500' });
    expect(config.join).toEqual(['127.0.0.1:7500']);
    expect(warnings).toEqual([
      '--join 127.0.0.1:7400 is this node itself; only the others are asked',
    ]);
  });

  it('warns when it founds a ring where nobody could dial it', () => {
    const { warnings } = load({ listen: '0.0.0.0:7400', insecureListen: 'true' });
    expect(warnings).toEqual([
      "--listen 0.0.0.0:7400 can't be dialled; --advertise says where others reach this node",
    ]);
  });
});

describe('optionsHelp', () => {
  it('tells flag, variable, default and help of every option', () => {
    const rows = optionsHelp();
    expect(rows.map(({ key }) => key)).toEqual(Object.keys(OPTIONS));
    expect(rows.every(({ help, default: text }) => help !== '' && text !== '')).toBe(true);
    expect(rows).toContainEqual({
      key: 'dataDir',
      flag: '--data-dir <dir>',
      env: 'RINGBINDER_DATA_DIR',
      default: './.ringbinder/<listen address>',
      help: 'Where this node keeps what must survive.',
    });
    expect(rows.find(({ key }) => key === 'ephemeral')?.flag).toBe('--ephemeral');
  });
});

describe('defaultDataDir', () => {
  it('is named after the address', () => {
    expect(defaultDataDir('127.0.0.1:41234')).toBe('./.ringbinder/127.0.0.1:41234');
  });
});
