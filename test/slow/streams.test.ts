/** Peer streams between real nodes. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ringbinder, type PeerStream } from '../../clients/sdk/index.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import {
  connectionsBetween,
  crossed,
  rawOpenStream,
  restOf,
  take,
  writeUntilStuck,
} from '../support/peer-streams.js';
import { until } from '../support/until.js';

const KIB = 1_024;

let net: TestNet;
let one: TestNode;
let other: TestNode;

beforeAll(async () => {
  net = new TestNet();
  [one, other] = (await net.ring(2)) as [TestNode, TestNode];
  await untilIdeal([one, other], 10_000);
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

/** The error that ends a stream. */
async function failureOf(stream: PeerStream): Promise<Error> {
  if (stream.errored !== null) return stream.errored;
  const [error] = (await once(stream, 'error')) as [Error];
  return error;
}

/** Both ends of a new stream, at `one` and at `other`. */
async function pair(name: string): Promise<readonly [PeerStream, PeerStream]> {
  const ends = crossed(one, other, name);
  await Promise.all(ends.map(async (end) => end.connect()));
  return ends;
}

describe('a peer stream', () => {
  it('reaches an application that knows nobody, and goes both ways', async () => {
    const accepted = other.sdk.peer.acceptStream({ name: 'stranger' });
    const stream = one.sdk.peer.stream(other.address, { name: 'stranger' });
    stream.write('hello');
    const caller = await accepted.connect();
    expect(caller).toMatchObject({ ringId: one.ringId, address: one.address });
    expect((await take(accepted, 5)).toString()).toBe('hello');
    accepted.end('hey');
    expect((await restOf(stream)).toString()).toBe('hey');
    stream.end();
    await once(stream, 'close');
  });

  it('is the same one when the address is given again, and nobody else gets it', async () => {
    const stream = one.sdk.peer.stream(other.address, { name: 'same' });
    const accepted = other.sdk.peer.acceptStream({ name: 'same' });
    for (let turn = 0; turn < 10; turn += 1) {
      const again = one.sdk.peer.stream(other.address, { name: 'same' });
      expect(again === stream).toBe(true);
      again.write(String(turn));
    }
    expect((await take(accepted, 10)).toString()).toBe('0123456789');
    const rival = new Ringbinder(one.address);
    const refused = rival.peer.stream(other.address, { name: 'same' });
    await expect(refused.connect()).rejects.toMatchObject({
      reason: 'STREAM_TAKEN',
      status: 'ALREADY_EXISTS',
    });
    rival.close();
    stream.write('!');
    expect((await take(accepted, 1)).toString()).toBe('!');
    stream.destroy();
    accepted.once('error', () => undefined);
  });

  it('is one when both open it at once, 1,000 times, over one connection, without loss', async () => {
    const before = connectionsBetween(one, other);
    let most = 0;
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < 1_000) {
        const round = next;
        next += 1;
        const [here, there] = crossed(one, other, `crossed ${round}`);
        const [sent, back] = [randomBytes(1 + (round % 900)), randomBytes(1 + (round % 700))];
        here.end(sent);
        there.end(back);
        const [gotThere, gotHere] = await Promise.all([restOf(there), restOf(here)]);
        expect(gotThere.equals(sent) && gotHere.equals(back)).toBe(true);
        if (round % 100 === 0) most = Math.max(most, connectionsBetween(one, other));
      }
    };
    await Promise.all(Array.from({ length: 20 }, worker));
    expect(most).toBeLessThanOrEqual(before + 1);
  }, 60_000);

  it('can be opened again under its name as soon as it has ended', async () => {
    for (let round = 0; round < 20; round += 1) {
      const [here, there] = crossed(one, other, 'again');
      here.end(`here ${round}`);
      there.end(`there ${round}`);
      const both = await Promise.all([restOf(there), restOf(here)]);
      expect(both.map(String)).toEqual([`here ${round}`, `there ${round}`]);
      await Promise.all([here, there].map(async (end) => end.closed || once(end, 'close')));
    }
  });

  it('with the node itself brings back what was sent, once', async () => {
    for (const to of [one.address, one.ringId]) {
      const stream = one.sdk.peer.stream(to, { name: 'self' });
      const bytes = randomBytes(300 * KIB);
      stream.end(bytes);
      expect((await restOf(stream)).equals(bytes)).toBe(true);
      await once(stream, 'close');
    }
  });

  it('ends in each direction alone', async () => {
    for (const isFirst of [true, false]) {
      const ends = await pair(`half ${String(isFirst)}`);
      const [early, late] = isFirst ? ends : [ends[1], ends[0]];
      early.end('the end');
      expect((await restOf(late)).toString()).toBe('the end');
      late.write('still ');
      expect((await take(early, 6)).toString()).toBe('still ');
      late.end('here');
      expect((await restOf(early)).toString()).toBe('here');
      await Promise.all([early, late].map(async (end) => end.closed || once(end, 'close')));
    }
  });

  it('does not close before what was written is on its way, however late it is read', async () => {
    const [here, there] = await pair('late');
    const bytes = randomBytes(16 * KIB * KIB);
    here.end(bytes);
    there.end();
    expect(await restOf(here)).toHaveLength(0);
    let isClosed = false;
    here.once('close', () => (isClosed = true));
    await new Promise((wake) => setTimeout(wake, 300));
    expect(isClosed).toBe(false);
    expect((await restOf(there)).equals(bytes)).toBe(true);
    await until(() => (isClosed ? true : undefined), 2_000);
  });

  it('makes the writer wait for the reader, either way, and loses nothing', async () => {
    const ends = await pair('slow');
    for (const [writer, reader] of [ends, [ends[1], ends[0]] as const]) {
      const bytes = await writeUntilStuck(writer, 700);
      expect(bytes).toBeLessThan(24 * KIB * KIB);
      writer.end();
      const got = await restOf(reader);
      expect(got).toHaveLength(bytes);
      expect(got.every((byte) => byte === 7)).toBe(true);
    }
  });

  it('goes on beside 100 others whose readers read nothing', async () => {
    const stalled = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const ends = await pair(`stalled ${index}`);
        ends[0].write(Buffer.alloc(1_024 * KIB));
        ends[1].write(Buffer.alloc(1_024 * KIB));
        return ends;
      }),
    );
    const start = performance.now();
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const [here, there] = await pair(`brisk ${index}`);
        const bytes = randomBytes(64 * KIB);
        here.end(bytes);
        there.end(bytes);
        const both = await Promise.all([restOf(there), restOf(here)]);
        expect(both.every((got) => got.equals(bytes))).toBe(true);
      }),
    );
    expect(performance.now() - start).toBeLessThan(15_000);
    for (const end of stalled.flat()) end.on('error', () => undefined).destroy();
  }, 60_000);

  it('survives that peers join and leave', async () => {
    const [here, there] = await pair('ring');
    here.write('before');
    expect((await take(there, 6)).toString()).toBe('before');
    const third = await net.start({ join: [one.address] });
    await untilIdeal([one, other, third], 15_000);
    here.write('middle');
    expect((await take(there, 6)).toString()).toBe('middle');
    await third.end('SIGTERM');
    await untilIdeal([one, other], 15_000);
    there.end('after');
    expect((await restOf(here)).toString()).toBe('after');
    here.end();
    await once(here, 'close');
  }, 60_000);
});

describe('a peer stream breaks', () => {
  it.each(['one', 'other'])('when the application of %s goes away', async (who) => {
    const ends = await pair(`gone ${who}`);
    const [gone, left] = who === 'one' ? ends : [ends[1], ends[0]];
    const failing = failureOf(left);
    left.resume();
    gone.destroy();
    expect(await failing).toMatchObject({ reason: 'PEER_UNREACHABLE', status: 'UNAVAILABLE' });
  });

  it('when an application that has finished goes away, while the other is silent', async () => {
    const [here, there] = await pair('finished');
    here.end();
    expect(await restOf(there)).toHaveLength(0);
    const failing = failureOf(there);
    here.destroy();
    expect(await failing).toMatchObject({ reason: 'PEER_UNREACHABLE' });
  });

  it('within seconds at a reader when the other node is killed, with what came before', async () => {
    const victim = await net.start({ join: [one.address] });
    await untilIdeal([one, other, victim], 15_000);
    const ends = [
      one.sdk.peer.stream(victim.ringId, { name: 'killed' }),
      victim.sdk.peer.stream(one.ringId, { name: 'killed' }),
    ] as const;
    await Promise.all(ends.map(async (end) => end.connect()));
    ends[1].write('last words');
    expect((await take(ends[0], 10)).toString()).toBe('last words');
    ends[0].resume();
    ends[1].on('error', () => undefined);
    const failing = failureOf(ends[0]);
    const start = performance.now();
    await victim.end('SIGKILL');
    expect(await failing).toMatchObject({ reason: 'PEER_UNREACHABLE', status: 'UNAVAILABLE' });
    expect(performance.now() - start).toBeLessThan(5_000);
    const gone = one.sdk.peer.stream(victim.address, { name: 'killed' });
    await expect(gone.connect()).rejects.toMatchObject({ reason: 'PEER_UNREACHABLE' });
    await untilIdeal([one, other], 15_000);
  }, 60_000);
});

describe('a peer stream is refused', () => {
  it('to whom nobody knows, and where nobody listens', async () => {
    const nobody = [one.ringId, other.ringId].includes(7) ? 8 : 7;
    const reasons: readonly (readonly [number | string, string])[] = [
      [nobody, 'PEER_NOT_FOUND'],
      [2 ** 40, 'RING_ID_OUT_OF_RANGE'],
      ['127.0.0.1:1', 'PEER_UNREACHABLE'],
      ['nonsense', 'PEER_UNREACHABLE'],
      ['pair://nonsense', 'REQUEST_INVALID'],
      ['pair://127.0.0.1:1', 'PEER_UNREACHABLE'],
    ];
    for (const [to, reason] of reasons) {
      await expect(one.sdk.peer.stream(to).connect()).rejects.toMatchObject({ reason });
    }
  });

  it('to a peer of another ring', async () => {
    const stranger = await net.start();
    const stream = one.sdk.peer.stream(stranger.address);
    await expect(stream.connect()).rejects.toMatchObject({ reason: 'PEER_NOT_FOUND' });
    await stranger.end('SIGKILL');
  });

  it('with requests that break its rules', async () => {
    const open = {
      action: {
        $case: 'open',
        value: { target: { $case: 'toAddress', value: one.address }, name: 'bad' },
      },
    } as const;
    const chunk = (bytes: number) =>
      ({ action: { $case: 'chunk', value: Buffer.alloc(bytes) } }) as const;
    const wrong = [
      [chunk(1)],
      [{ action: undefined }],
      [open, open],
      [open, chunk(0)],
      [open, chunk(KIB * KIB + 1)],
      [{ action: { ...open.action, value: { target: undefined, name: '' } } }],
      [{ action: { ...open.action, value: { ...open.action.value, name: 'x'.repeat(65) } } }],
    ];
    for (const requests of wrong) {
      const { call, failure, close } = rawOpenStream(one);
      for (const request of requests) call.write(request);
      expect((await failure).message).toContain('[REQUEST_INVALID]');
      close();
    }
    const whole = one.sdk.peer.stream(one.address, { name: 'bad' });
    whole.end('fine');
    expect((await restOf(whole)).toString()).toBe('fine');
  });
});

describe('an end of a peer stream in the SDK', () => {
  it('does not connect once it is destroyed', async () => {
    const unused = one.sdk.peer.stream(other.address, { name: 'unused' });
    unused.destroy();
    await expect(unused.connect()).rejects.toThrow('the stream is closed');
    const waiting = one.sdk.peer.acceptStream({ name: 'nobody comes' });
    const connecting = waiting.connect();
    waiting.destroy();
    await expect(connecting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('takes empty and very large writes', async () => {
    const stream = one.sdk.peer.stream(one.address, { name: 'large' });
    const bytes = randomBytes(3 * KIB * KIB + 17);
    stream.write(Buffer.alloc(0));
    stream.write(bytes);
    stream.end();
    expect((await restOf(stream)).equals(bytes)).toBe(true);
  });
});

describe('peer streams of four nodes with each other', () => {
  it('take six connections', async () => {
    await using mesh = new TestNet();
    const nodes = await mesh.ring(4);
    await untilIdeal(nodes, 15_000);
    const couples = nodes.flatMap((left, index) =>
      nodes.slice(index + 1).map((right) => [left, right] as const),
    );
    const count = (): number =>
      couples.reduce((sum, [left, right]) => sum + connectionsBetween(left, right), 0);
    // The ring's own: all have asked all others before it is counted.
    await Promise.all(
      nodes.flatMap((from) => nodes.map(async (to) => from.sdk.peer.lookupRingId(to.ringId))),
    );
    const before = count();
    const ends = couples.flatMap(([left, right]) => [
      ...crossed(left, right),
      ...crossed(left, right, 'second'),
    ]);
    await Promise.all(ends.map(async (end) => end.connect()));
    expect(couples).toHaveLength(6);
    const after = count();
    expect(after - before).toBeGreaterThan(0);
    expect(after - before).toBeLessThanOrEqual(6);
    for (const end of ends) end.on('error', () => undefined).destroy();
  }, 60_000);
});
