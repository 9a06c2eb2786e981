import { describe, expect, it } from 'vitest';
import { RingbinderError } from '../../../services/errors.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import type { PeerStream } from '../../../services/peer/stream/peer-stream.js';
import { PeerStreams } from '../../../services/peer/stream/streams.js';
import { FakeClock } from '../../support/fake-clock.js';

const LIMITS = { streamsMax: 4, unclaimedMax: 2, unclaimedMsMax: 60_000, openMsMax: 5_000 };

function peer(ringId: number, incarnation = 1): PeerRef {
  return { ringId, address: `127.0.0.1:${7_000 + ringId}`, incarnation };
}

const SELF = peer(50);
const ABOVE = peer(60);
const BELOW = peer(40);

/** A table of streams whose network is a note of what was asked of it. */
function world() {
  const clock = new FakeClock();
  const carried: PeerStream[] = [];
  const invited: string[] = [];
  const network = { invite: async (): Promise<void> => undefined };
  const streams = new PeerStreams({
    self: () => SELF,
    carries: ({ ringId }) => SELF.ringId < ringId,
    carry: (stream) => carried.push(stream),
    invite: async ({ address }, name) => {
      invited.push(`${address} ${name}`);
      return network.invite();
    },
    clock,
    limits: LIMITS,
  });
  const abort = new AbortController();
  const { signal } = abort;
  return { clock, carried, invited, network, streams, abort, signal };
}

describe('streams to a peer with a greater ring ID', () => {
  it('are carried from here, once, and stand when the other side says so', async () => {
    const { streams, carried, signal } = world();
    const opening = streams.open(ABOVE, 'a', signal);
    expect(carried).toHaveLength(1);
    await expect(streams.open(ABOVE, 'a', signal)).rejects.toMatchObject({
      reason: 'STREAM_TAKEN',
      facts: { address: ABOVE.address, name: 'a' },
    });
    carried[0]!.open();
    expect((await opening).peer).toEqual(ABOVE);
    expect(streams.count).toBe(1);
  });

  it('are carried when that peer asks for it, once for each of its lives', async () => {
    const { streams, carried, signal } = world();
    streams.invited(ABOVE, '');
    streams.invited(ABOVE, '');
    expect(carried).toHaveLength(1);
    carried[0]!.open();
    expect(await streams.accept('', signal)).toBe(carried[0]);
    streams.invited(peer(60, 2), '');
    expect(carried).toHaveLength(2);
  });
});

describe('streams to a peer with a smaller ring ID', () => {
  it('are asked for again and again until they come', async () => {
    const { streams, carried, invited, clock, signal } = world();
    const opening = streams.open(BELOW, 'b', signal);
    await clock.advanceInSteps(1_000, 100);
    expect(invited.length).toBeGreaterThan(2);
    expect(new Set(invited)).toEqual(new Set([`${BELOW.address} b`]));
    const stream = streams.carried(BELOW, 'b');
    expect(await opening).toBe(stream);
    const asked = invited.length;
    await clock.advanceInSteps(1_000, 100);
    expect(invited).toHaveLength(asked);
    expect(carried).toHaveLength(0);
  });

  it('fail with what the other side answers, and when nothing comes in time', async () => {
    const { streams, network, clock, signal } = world();
    const silent = streams.open(BELOW, 'silent', signal);
    silent.catch(() => undefined);
    await clock.advanceInSteps(LIMITS.openMsMax, 100);
    await expect(silent).rejects.toMatchObject({ reason: 'PEER_UNREACHABLE' });
    network.invite = async () => Promise.reject(new RingbinderError('STREAMS_FULL', 'full'));
    await expect(streams.open(BELOW, 'full', signal)).rejects.toMatchObject({
      reason: 'STREAMS_FULL',
    });
    expect(streams.count).toBe(0);
  });

  it('are new ones when that peer carries them anew', async () => {
    const { streams, signal } = world();
    const first = streams.carried(BELOW, '');
    await streams.accept('', signal);
    const second = streams.carried(BELOW, '');
    expect(second === first).toBe(false);
    expect(await streams.accept('', signal)).toBe(second);
  });
});

describe('streams that others open', () => {
  it('go to those who wait, in the order of arrival, by name', async () => {
    const { streams, signal } = world();
    const [early, late, named] = ['', '', 'x'].map(async (name) => streams.accept(name, signal));
    const first = streams.carried(BELOW, '');
    const second = streams.carried(peer(30), '');
    const third = streams.carried(BELOW, 'x');
    expect(await Promise.all([early, late, named])).toEqual([first, second, third]);
  });

  it('pass by who has stopped waiting', async () => {
    const { streams, signal } = world();
    const gone = new AbortController();
    const leaving = streams.accept('', gone.signal);
    const staying = streams.accept('', signal);
    gone.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    const stream = streams.carried(BELOW, '');
    expect(await staying).toBe(stream);
  });

  it('are given up when nobody takes them in time', async () => {
    const { streams, clock } = world();
    const stream = streams.carried(BELOW, '');
    clock.advance(LIMITS.unclaimedMsMax - 1_000);
    expect(stream.isOver).toBe(false);
    clock.advance(2_000);
    expect(stream.isOver).toBe(true);
    expect(streams.count).toBe(0);
    await expect(stream.far.outgoing.settled()).rejects.toMatchObject({
      reason: 'PEER_UNREACHABLE',
    });
  });

  it('are given up when too many wait', () => {
    const { streams } = world();
    const waiting = ['a', 'b', 'c'].map((name) => streams.carried(BELOW, name));
    expect(waiting.map(({ isOver }) => isOver)).toEqual([false, false, true]);
  });

  it('make room for others as they are taken', async () => {
    const { streams, signal } = world();
    for (const name of ['a', 'b', 'c', 'd']) {
      const stream = streams.carried(BELOW, name);
      await streams.open(BELOW, name, signal);
      expect(stream.isOver).toBe(false);
    }
  });

  it('do not count as waiting once an application has opened them itself', async () => {
    const { streams, clock, signal } = world();
    const stream = streams.carried(BELOW, '');
    expect(await streams.open(BELOW, '', signal)).toBe(stream);
    clock.advance(2 * LIMITS.unclaimedMsMax);
    expect(stream.isOver).toBe(false);
  });
});

describe('the table of streams', () => {
  it('takes no more than its bound, and has room again when one is over', async () => {
    const { streams, carried, signal } = world();
    for (const name of ['a', 'b', 'c', 'd']) void streams.open(ABOVE, name, signal);
    await expect(streams.open(ABOVE, 'e', signal)).rejects.toMatchObject({
      reason: 'STREAMS_FULL',
      facts: { streamsMax: '4' },
    });
    for (const stream of carried) stream.open();
    carried[0]!.break(new Error('over'));
    streams.release(carried[0]!);
    void streams.open(ABOVE, 'e', signal);
    expect(carried).toHaveLength(5);
  });

  it('drops a stream whose caller is gone before it stands', async () => {
    const { streams, abort, signal } = world();
    const opening = streams.open(ABOVE, '', signal);
    abort.abort();
    await expect(opening).rejects.toMatchObject({ reason: 'PEER_UNREACHABLE' });
    expect(streams.count).toBe(0);
  });

  it('gives a stream with the peer itself one pipe', async () => {
    const { streams, signal } = world();
    const { incoming, outgoing } = (await streams.open(SELF, '', signal)).take();
    expect(incoming).toBe(outgoing);
  });

  it('breaks all when it closes, and leaves no timer', () => {
    const { streams, clock } = world();
    const stream = streams.carried(BELOW, '');
    streams.close();
    expect(stream.isOver).toBe(true);
    expect(clock.timerCount).toBe(0);
  });
});
