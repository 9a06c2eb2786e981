/** The vectors of original servers, against our ports on real sockets (wire/ring.md, section 6). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryRing } from './memory-ring.js';
import { ask, connectTo, readAll } from './raw-client.js';
import { Rig } from './rig.js';
import {
  ANY_MEMBER,
  EXCLUSIVE_SUCCESSORS,
  LISTS,
  TABLE_SIZES,
  type Vector,
  WELCOME_SESSION,
} from './vectors.js';

describe('block A, one session of a WelcomeServer of size 16', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.open(new MemoryRing(16));
  });
  afterAll(async () => rig[Symbol.asyncDispose]());

  it.each(WELCOME_SESSION)('$title', async ({ request, reply, halfCloses = false }: Vector) => {
    const hosts = rig.ring.inOrder.map(({ host }) => `${host}\n`);
    const given = await ask(rig.address('welcome'), request, { halfCloses });
    if (reply === ANY_MEMBER) expect(hosts).toContain(given);
    else expect(given).toBe(reply);
  });

  it('W45: waits for the end of the line', async () => {
    const socket = await connectTo(rig.address('welcome'));
    socket.write('ip?:0');
    let heard = false;
    socket.once('readable', () => (heard = true));
    await new Promise((wake) => setTimeout(wake, 300));
    expect(heard).toBe(false);
    const answer = readAll(socket);
    socket.write('\n');
    expect(await answer).toBe('127.0.0.10\n');
  });

  it('gives the first place again when everybody has left', async () => {
    const welcome = rig.address('welcome');
    for (const { ringId } of rig.ring.inOrder) {
      expect(await ask(welcome, `a+:${ringId}\n`)).toBe('ok\n');
    }
    expect(await ask(welcome, 'yo:2:127.0.0.2\n')).toBe('yaf\n');
  });
});

it('W58, where the ring has the number: its own row is not reduced, others are', async () => {
  const hosts = { 0: 10, 1: 11, 3: 1, 7: 7, 9: 2, 1000: 12 };
  const members = Object.entries(hosts).map(([ringId, last]) => ({
    ringId: Number(ringId),
    host: `127.0.0.${last}`,
  }));
  await using rig = await Rig.open(new MemoryRing(16, members));
  expect(await ask(rig.address('welcome'), 'rt?:1000\n')).toBe(
    '1000:0:127.0.0.10\n10:1000:127.0.0.12\n12:1000:127.0.0.12\n0:1:127.0.0.11\nend\n',
  );
});

it.each(EXCLUSIVE_SUCCESSORS)('block B: $title', async ({ request, reply }) => {
  const members = [0, 1, 2, 4].map((ringId) => ({ ringId, host: `127.0.0.${10 + ringId}` }));
  await using rig = await Rig.open(new MemoryRing(8, members));
  expect(await ask(rig.address('welcome'), request)).toBe(reply);
});

it.each(TABLE_SIZES)('block C: the rows at size %i', async (size, rows) => {
  const members = [
    { ringId: 0, host: '127.0.0.1' },
    { ringId: 50, host: '127.0.0.50' },
  ];
  await using rig = await Rig.open(new MemoryRing(size, members));
  expect(await ask(rig.address('welcome'), 'rt?:0\n')).toBe(`${rows}end\n`);
});

it.each(LISTS)('block D: $title, in ring order', async ({ size, entered, left = [], there }) => {
  await using rig = await Rig.open(new MemoryRing(size));
  const welcome = rig.address('welcome');
  const list = async (): Promise<string> => ask(welcome, 'li?\n');
  const inOrder = (ringIds: readonly number[]): string =>
    [...ringIds]
      .sort((a, b) => a - b)
      .map((it) => `${it}:ip${it}\n`)
      .join('') + 'end\n';
  for (const ringId of entered) await ask(welcome, `yo:${ringId}:ip${ringId}\n`);
  expect(await list()).toBe(inOrder(entered));
  for (const ringId of left) expect(await ask(welcome, `a+:${ringId}\n`)).toBe('ok\n');
  expect(await list()).toBe(inOrder(there));
});

describe('block E, one session of a HashServer of size 5', () => {
  let rig: Rig;
  let hash: (request: string, halfCloses?: boolean) => Promise<string>;
  beforeAll(async () => {
    rig = await Rig.open(new MemoryRing(5));
    hash = async (request, halfCloses = false) => ask(rig.address('hash'), request, { halfCloses });
  });
  afterAll(async () => rig[Symbol.asyncDispose]());

  it('H1 to H18', async () => {
    const first = await hash('127.0.0.1\n');
    expect(first).toMatch(/^[0-4]\n$/);
    for (const same of ['127.0.0.1\n', '127.0.0.1\r\n', '127.0.0.1\r']) {
      expect(await hash(same)).toBe(first);
    }
    expect(await hash('127.0.0.1', true)).toBe(first);
    expect(await hash('', true)).toBe('');
    const empty = await hash('\n');
    expect(await hash('\n')).toBe(empty);
    const spaced = await hash(' 127.0.0.1\n');
    const invalid = await hash('\xff\n');
    expect(await hash('\xfe\n')).toBe(invalid);
    const last = await hash('10.0.0.2\n10.0.0.3\n');
    const all = [first, empty, spaced, invalid, last];
    expect([...all].sort()).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n']);
    expect(await hash('10.0.0.3\n')).toBe('aht\n');
    expect(await hash('127.0.0.1\n')).toBe(first);
    expect(await hash('yo:1:127.0.0.1\n')).toBe('aht\n');
    const socket = await connectTo(rig.address('hash'));
    const answer = readAll(socket);
    for (const part of ['127.', '0.0', '.1\n']) {
      socket.write(part);
      await new Promise((wake) => setTimeout(wake, 20));
    }
    expect(await answer).toBe(first);
  });

  it.each([
    ['H17', 0, ['a\n', 'aht\n']],
    ['H18', 1, ['a\n', '0\n', 'b\n', 'aht\n']],
  ] as const)('%s, of size %i', async (_, size, exchanges) => {
    await using small = await Rig.open(new MemoryRing(size));
    for (let at = 0; at < exchanges.length; at += 2) {
      expect(await ask(small.address('hash'), exchanges[at]!)).toBe(exchanges[at + 1]);
    }
  });
});
