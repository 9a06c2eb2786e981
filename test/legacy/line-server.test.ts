/** A port of lines, and clients that do what they should not. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Socket } from 'node:net';
import type { LineSession } from '../../services/legacy/core/session.js';
import { LineServer, type LineServerLimits } from '../../services/legacy/line-server.js';
import { systemClock, type Clock } from '../../services/system/clock.js';
import { captureLog } from '../support/capture-log.js';
import { FakeClock } from '../support/fake-clock.js';
import { until } from '../support/until.js';
import { ask, connectTo, readAll } from './ring/raw-client.js';

const MIB = 1_024 * 1_024;
/** More than the network takes without a reader. */
const LONG_REPLY = Array.from({ length: 400_000 }, (_, index) => `${index}:127.0.0.1`);

let held: (() => void)[];
/** Repeats the line; `long` gets a long reply, `later` waits for `held`. */
const session: LineSession = {
  tooLong: ['too long'],
  answer: (line, _, reply) => {
    if (line === 'long') reply(LONG_REPLY);
    else if (line === 'later') held.push(() => reply(['late']));
    else reply([`heard ${line}`, 'end']);
  },
};

const servers: LineServer[] = [];
beforeEach(() => (held = []));
afterEach(async () => {
  await Promise.all(servers.splice(0).map(async (server) => server.close()));
});

async function open(
  limits: Partial<LineServerLimits> = {},
  clock: Clock = systemClock,
): Promise<LineServer> {
  const { log } = captureLog();
  const where = { host: '127.0.0.1', port: 0 };
  const server = await LineServer.open({ where, session, clock, log, limits });
  servers.push(server);
  return server;
}

const untilConnected = async (server: LineServer, count: number): Promise<true> =>
  until(
    () => server.connectionCount === count || undefined,
    5_000,
    () => `${server.connectionCount} connections instead of ${count}`,
  );

/** Resolves when it is closed, in whatever manner. */
const closed = async (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
  });

describe('one line, one reply', () => {
  it('answers in one segment, then closes first', async () => {
    const server = await open();
    const socket = await connectTo(server.address);
    const chunks: string[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    const end = new Promise((resolve) => socket.once('end', resolve));
    socket.write('a\n');
    await end;
    expect(chunks).toEqual(['heard a\nend\n']);
    socket.end();
    await untilConnected(server, 0);
  });

  it.each([
    ['an extra newline, as group 2 sends it', 'a\n\n'],
    ['a second request', 'a\nb\n'],
    ['100 kB behind the line', `a\r\n${'x'.repeat(100_000)}`],
  ])('bears %s, and resets nobody', async (_, request) => {
    const server = await open();
    const answers = await Promise.all(
      Array.from({ length: 30 }, async () => ask(server.address, request)),
    );
    expect(new Set(answers)).toEqual(new Set(['heard a\nend\n']));
  });

  it('lets a client speak on until it reads its reply', async () => {
    const server = await open();
    const socket = await connectTo(server.address);
    for (const part of ['a\n', 'b\n', 'c\n']) {
      socket.write(part);
      await new Promise((wake) => setTimeout(wake, 50));
    }
    expect(await readAll(socket)).toBe('heard a\nend\n');
  });

  it('answers a line of 1 MB that it is too long, without a reset', async () => {
    const server = await open();
    expect(await ask(server.address, `${'x'.repeat(MIB)}\n`)).toBe('too long\n');
    expect(await ask(server.address, 'x'.repeat(MIB))).toBe('too long\n');
  });

  it('knows the longest line from the next longer one', async () => {
    const server = await open({ lineBytesMax: 1_000 });
    const longest = 'x'.repeat(1_000);
    expect(await ask(server.address, `${longest}\n`)).toBe(`heard ${longest}\nend\n`);
    expect(await ask(server.address, `${longest}x\n`)).toBe('too long\n');
  });

  it('takes zero bytes as part of the line', async () => {
    const server = await open();
    expect(await ask(server.address, '\0\0a\0\n')).toBe('heard \0\0a\0\nend\n');
  });

  it('answers what a close of the other side ends, and nothing to no line', async () => {
    const server = await open();
    expect(await ask(server.address, 'a', { halfCloses: true })).toBe('heard a\nend\n');
    expect(await ask(server.address, '', { halfCloses: true })).toBe('');
  });

  it('sends the whole of a long reply', async () => {
    const server = await open();
    const reply = await ask(server.address, 'long\n', { halfCloses: true });
    expect(reply).toBe(LONG_REPLY.map((line) => `${line}\n`).join(''));
  });
});

describe('a client that resets', () => {
  it.each([
    ['at once', async () => undefined],
    ['amid its line', async (socket: Socket) => void socket.write('a')],
    [
      'before its reply',
      async (socket: Socket) => {
        socket.write('later\n');
        await until(() => held[0], 5_000);
      },
    ],
    [
      'amid its reply',
      async (socket: Socket) => {
        socket.write('long\n');
        await new Promise((resolve) => socket.once('readable', resolve));
      },
    ],
    [
      'behind its reply',
      async (socket: Socket) => {
        socket.write('a\n');
        await new Promise((resolve) => socket.once('end', resolve).resume());
      },
    ],
  ])('%s harms nobody', async (_, act) => {
    const server = await open();
    const socket = await connectTo(server.address);
    await act(socket);
    await untilConnected(server, 1);
    socket.resetAndDestroy();
    for (const release of held) release();
    await untilConnected(server, 0);
    expect(await ask(server.address, 'b\n')).toBe('heard b\nend\n');
  });
});

describe('a client that does not go on', () => {
  it('is closed when it sends no line for five minutes, or does not end it for as long', async () => {
    const clock = new FakeClock();
    const server = await open({}, clock);
    const sockets = [await connectTo(server.address), await connectTo(server.address)];
    const [silent, slow] = sockets.map(closed);
    await untilConnected(server, 2);
    clock.advance(4 * 60_000);
    sockets[1]!.write('a');
    const untilHeard = async (): Promise<string> => ask(server.address, 'b', { halfCloses: true });
    expect(await untilHeard()).toBe('heard b\nend\n');
    clock.advance(60_000);
    await silent;
    await untilConnected(server, 1);
    sockets[1]!.write('a');
    await untilHeard();
    clock.advance(4 * 60_000);
    await slow;
    await untilConnected(server, 0);
    expect(clock.timerCount).toBe(0);
  });

  it('is closed when it does not read', async () => {
    const server = await open({ replyMs: 200, drainMs: 200 });
    const socket = await connectTo(server.address);
    socket.pause();
    socket.write('long\n');
    await untilConnected(server, 1);
    await untilConnected(server, 0);
    socket.destroy();
  });

  it('is closed when it does not close, after its reply', async () => {
    const server = await open({ drainMs: 200 });
    const socket = await connectTo(server.address);
    socket.write('a\n');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await untilConnected(server, 1);
    await untilConnected(server, 0);
    expect(Buffer.concat(chunks).toString()).toBe('heard a\nend\n');
    socket.destroy();
  });

  it('is closed when it sends without an end', async () => {
    const server = await open({ drainBytesMax: MIB, drainMs: 60_000 });
    const socket = await connectTo(server.address);
    const end = closed(socket);
    socket.write('later\n');
    const more = Buffer.alloc(65_536);
    const pour = (): void => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.on('drain', pour);
    pour();
    await end;
    await untilConnected(server, 0);
  });
});

describe('many clients', () => {
  it('refuses the newest of too many, until one has gone', async () => {
    const server = await open({ connectionsMax: 2 });
    const first = await connectTo(server.address);
    const second = await connectTo(server.address);
    await untilConnected(server, 2);
    await closed(await connectTo(server.address));
    const answer = readAll(first);
    first.write('a\n');
    expect(await answer).toBe('heard a\nend\n');
    await untilConnected(server, 1);
    expect(await ask(server.address, 'b\n')).toBe('heard b\nend\n');
    second.destroy();
  });

  it('answers within 100 ms while 500 others send a byte a second', async () => {
    const server = await open();
    const slow = await Promise.all(
      Array.from({ length: 500 }, async () => connectTo(server.address)),
    );
    const trickle = setInterval(() => {
      for (const socket of slow) socket.write('x');
    }, 1_000);
    for (const socket of slow) socket.write('x');
    try {
      await untilConnected(server, 500);
      const tookMs: number[] = [];
      const end = performance.now() + 1_500;
      while (performance.now() < end) {
        const askedAt = performance.now();
        expect(await ask(server.address, 'a\n', { halfCloses: true })).toBe('heard a\nend\n');
        tookMs.push(performance.now() - askedAt);
        await new Promise((wake) => setTimeout(wake, 10));
      }
      // Other tests run beside this one: one in twenty may have had to wait for the processor.
      tookMs.sort((a, b) => a - b);
      expect(tookMs[Math.floor(tookMs.length * 0.95)]).toBeLessThan(100);
    } finally {
      clearInterval(trickle);
      for (const socket of slow) socket.destroy();
    }
  });

  it('holds only so much of what is not read, and answers others meanwhile', async () => {
    const server = await open({ unreadBytesMax: 10 * MIB });
    const idlers = await Promise.all([1, 2, 3, 4].map(async () => connectTo(server.address)));
    await untilConnected(server, idlers.length);
    for (const socket of idlers) socket.pause().write('long\n');
    await until(() => server.connectionCount < idlers.length || undefined, 5_000);
    expect(server.connectionCount).toBeGreaterThan(0);
    expect(await ask(server.address, 'a\n')).toBe('heard a\nend\n');
    for (const socket of idlers) socket.destroy();
  });

  it('cuts off who is connected when it closes, and leaves no timer', async () => {
    const clock = new FakeClock();
    const server = await open({}, clock);
    const sockets = [await connectTo(server.address), await connectTo(server.address)];
    sockets[0]!.write('later\n');
    await untilConnected(server, 2);
    const ends = sockets.map(closed);
    await server.close();
    servers.splice(0);
    await Promise.all(ends);
    expect(clock.timerCount).toBe(0);
  });
});
