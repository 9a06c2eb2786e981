import { describe, expect, it } from 'vitest';
import { KnownPeers } from '../../../services/peer/core/known-peers.js';
import { nameOf, namesOf, peer } from '../ring-text.js';

const create = (limits = { knownMax: 3, knownTicksMax: 100 }) => new KnownPeers(limits);

/** The next ones of a queue, as it asks after them. */
const ask = (next: (tick: number) => ReturnType<KnownPeers['nextLost']>, count: number, tick = 0) =>
  Array.from({ length: count }, () => {
    const found = next(tick);
    return found === undefined ? 'nobody' : nameOf(found);
  });

const lostOf = (known: KnownPeers, count: number, tick = 0) =>
  ask((at) => known.nextLost(at), count, tick);
const metOf = (known: KnownPeers, count: number, tick = 0) =>
  ask((at) => known.nextMet(at), count, tick);

describe('KnownPeers', () => {
  it('knows nobody at first', () => {
    expect([...lostOf(create(), 1), ...metOf(create(), 1)]).toEqual(['nobody', 'nobody']);
  });

  it('asks after the lost in turn, again and again', () => {
    const known = create();
    for (const ringId of [1, 2, 3]) known.lose(peer(ringId), 0);
    expect(lostOf(known, 5)).toEqual(['p1', 'p2', 'p3', 'p1', 'p2']);
  });

  it('keeps the lost and the met apart', () => {
    const known = create();
    known.lose(peer(1), 0);
    known.meet(peer(2), 0);
    expect(lostOf(known, 2)).toEqual(['p1', 'p1']);
    expect(metOf(known, 2)).toEqual(['p2', 'p2']);
    expect(namesOf(known.all())).toBe('[p1 p2]');
  });

  it('takes a peer that was met for lost, and one that was lost for met', () => {
    const known = create();
    known.meet(peer(1), 0);
    known.lose(peer(1), 0);
    expect([...lostOf(known, 1), ...metOf(known, 1)]).toEqual(['p1', 'nobody']);
    known.meet(peer(1), 0);
    expect([...lostOf(known, 1), ...metOf(known, 1)]).toEqual(['nobody', 'p1']);
  });

  it('has met whoever speaks to it, unless that one was lost', () => {
    const known = create();
    known.lose(peer(1), 0);
    known.hear(peer(1), 0);
    known.hear(peer(2), 0);
    expect([...lostOf(known, 1), ...metOf(known, 1)]).toEqual(['p1', 'p2']);
  });

  it('knows one life of a peer, the latest that it was told of', () => {
    const known = create();
    known.lose(peer(1), 0);
    known.lose(peer(1, 2), 0);
    expect(lostOf(known, 2)).toEqual(['p1.2', 'p1.2']);
  });

  it('makes room by forgetting whom it asked after longest ago', () => {
    const known = create();
    for (const ringId of [1, 2, 3]) known.lose(peer(ringId), 0);
    lostOf(known, 1);
    known.lose(peer(4), 0);
    expect(lostOf(known, 4)).toEqual(['p3', 'p1', 'p4', 'p3']);
  });

  it.each([
    { title: 'the last tick', tick: 105, expected: ['p1', 'p2', 'p1'] },
    { title: 'the tick after', tick: 106, expected: ['p2', 'p2', 'p2'] },
  ])('remembers a peer not heard of until $title', ({ tick, expected }) => {
    const known = create();
    known.lose(peer(1), 5);
    known.lose(peer(2), 50);
    expect(lostOf(known, 3, tick)).toEqual(expected);
  });

  it('begins to count anew when it hears of a peer', () => {
    const known = create();
    known.hear(peer(1), 0);
    known.hear(peer(1), 90);
    expect(metOf(known, 1, 190)).toEqual(['p1']);
    expect(metOf(known, 1, 191)).toEqual(['nobody']);
    expect(known.all()).toEqual([]);
  });
});
