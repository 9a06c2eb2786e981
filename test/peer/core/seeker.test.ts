import { describe, expect, it } from 'vitest';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { Seeker } from '../../../services/peer/core/seeker.js';
import { nameOf, peer, peers } from '../ring-text.js';
import { IN_RING } from './lone-machine.js';

const LIMITS = {
  knownMax: 9,
  knownTicksMax: 10_000,
  ringSize: 64,
  successorsMax: 2,
  seekLostTicks: 2,
  seekMetTicks: 7,
};

/** Whom p20 asks after, by tick, when it has lost p1 and met p2. */
function seek(successors: readonly PeerRef[], untilTick: number, changes = {}): readonly string[] {
  const seeker = new Seeker({ ...LIMITS, ...changes });
  seeker.known.lose(peer(1), 0);
  seeker.known.meet(peer(2), 0);
  return Array.from({ length: untilTick + 1 }, (_, tick) => tick).flatMap((tick) => {
    const sought = seeker.next({ ...IN_RING, tick, successors });
    return sought === undefined ? [] : [`${tick} ${nameOf(sought)}`];
  });
}

describe('Seeker', () => {
  it('asks after the lost often, and after the met seldom', () => {
    const sought = ['0 p2', '2 p1', '4 p1', '6 p1', '8 p2', '10 p1', '12 p1', '14 p1', '16 p2'];
    expect(seek(peers(30, 40, 52), 16)).toEqual(sought);
  });

  it('asks after both in turn while it is alone', () => {
    expect(seek([], 8)).toEqual(['0 p2', '2 p1', '4 p2', '6 p1', '8 p2']);
  });

  it('asks after the met the more seldom, the longer the way round is', () => {
    const metAt = seek(peers(21, 22), 40).filter((line) => line.endsWith('p2'));
    expect(metAt).toEqual(['0 p2', '32 p2']);
  });

  it('asks after the met no more seldom in a small ring whose members stand close together', () => {
    const afterShortList = seek(peers(21), 16).filter((line) => line.endsWith('p2'));
    const afterRoundList = seek(peers(11, 10), 16).filter((line) => line.endsWith('p2'));
    expect([afterShortList, afterRoundList]).toEqual([
      ['0 p2', '8 p2', '16 p2'],
      ['0 p2', '8 p2', '16 p2'],
    ]);
  });

  it('asks after the lost when it has met nobody', () => {
    const seeker = new Seeker(LIMITS);
    seeker.known.lose(peer(1), 0);
    expect(seeker.next({ ...IN_RING, successors: [] })).toEqual(peer(1));
  });

  it('asks after nobody when it knows nobody', () => {
    expect(new Seeker(LIMITS).next(IN_RING)).toBeUndefined();
  });
});
