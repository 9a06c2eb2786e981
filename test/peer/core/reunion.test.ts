import { describe, expect, it } from 'vitest';
import { seekReunion, type ReunionVerdict } from '../../../services/peer/core/reunion.js';
import type { Answer } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { nameOf, namesOf, peer, peers } from '../ring-text.js';
import { alive, neighbors } from './lone-machine.js';
import { ringOf, talk, type Voices } from './talk.js';

/** p20 asks after a peer that it lost; the ring has 64 positions. */
function seek(lost: PeerRef, voices: Voices, viewsMax = 100) {
  const options = { self: peer(20), ringSize: 64, viewsMax };
  const { result, asks } = talk(seekReunion(lost, options), voices);
  return { verdict: textOf(result), asks };
}

const textOf = (verdict: ReunionVerdict) =>
  verdict.kind === 'rejoin' ? `rejoin ${namesOf(verdict.contacts)}` : verdict.kind;

/** Members each of whom has the next one for its only successor, in any order. */
function cycleOf(...ringIds: readonly number[]): Voices {
  const cycle = peers(...ringIds);
  return Object.fromEntries(
    cycle.map((self, index) => {
      const after = cycle[(index + 1) % cycle.length]!;
      return [`${nameOf(self)} neighbors`, neighbors(self, cycle.at(index - 1), after)];
    }),
  );
}

const OUR_RING = ringOf(2, 10, 20, 30, 40, 50, 60);

describe('seekReunion, of a peer that is gone', () => {
  it.each<{ title: string; answer: Answer | readonly Answer[] }>([
    { title: 'is silent', answer: [] },
    { title: 'is not in a ring', answer: { ...alive(peer(40)), stage: 'joining' } as Answer },
    { title: 'refuses', answer: { kind: 'stale' } },
  ])('leaves it at that when it $title', ({ answer }) => {
    const { verdict, asks } = seek(peer(40), { ...OUR_RING, 'p40.any ping': answer });
    expect(verdict).toBe('still-gone');
    expect(asks).toEqual(['p40.any ping']);
  });

  it('asks whatever life the peer is in', () => {
    expect(seek(peer(40, 9), {}).asks).toEqual(['p40.any ping']);
  });
});

describe('seekReunion, of a peer in our ring', () => {
  it('finds it in our own list', () => {
    const { verdict, asks } = seek(peer(40), OUR_RING);
    expect({ verdict, asks }).toEqual({
      verdict: 'found-here',
      asks: ['p40.any ping', 'p20 neighbors'],
    });
  });

  it('follows the lists ahead of us', () => {
    const { verdict, asks } = seek(peer(50), OUR_RING);
    expect({ verdict, asks: asks.slice(1) }).toEqual({
      verdict: 'found-here',
      asks: ['p20 neighbors', 'p40 neighbors'],
    });
  });

  it('follows the lists ahead of the peer when it is nearer behind us', () => {
    const { verdict, asks } = seek(peer(60), OUR_RING);
    expect({ verdict, asks: asks.slice(1) }).toEqual({
      verdict: 'found-here',
      asks: ['p60 neighbors'],
    });
  });

  it.each<{ title: string; answer: Answer | readonly Answer[] }>([
    { title: 'is silent', answer: [] },
    { title: 'is busy', answer: { kind: 'busy' } },
  ])('waits when a member on the way $title', ({ answer }) => {
    expect(seek(peer(50), { ...OUR_RING, 'p40 neighbors': answer }).verdict).toBe('wait');
  });

  it('waits when the way is longer than it may look', () => {
    expect(seek(peer(50), OUR_RING, 1).verdict).toBe('wait');
    expect(seek(peer(50), OUR_RING, 2).verdict).toBe('found-here');
  });

  it('does not take a former life in a list for the peer', () => {
    const now = {
      'p30.any ping': alive(peer(30, 2)),
      'p30.2 neighbors': neighbors(peer(30, 2), undefined),
    };
    const voices = { ...ringOf(2, 20, 30, 40), ...now };
    expect(seek(peer(30), voices).verdict).toBe('wait');
  });
});

describe('seekReunion, of a peer in another ring', () => {
  it.each([
    {
      title: 'leaves the smaller one',
      ours: [20, 30],
      theirs: [5, 40, 50],
      verdict: 'rejoin [p5 p40 p50]',
    },
    { title: 'stays in the larger one', ours: [10, 20, 30], theirs: [40, 50], verdict: 'wait' },
    {
      title: 'leaves the one without the smallest ring ID',
      ours: [20, 30],
      theirs: [5, 40],
      verdict: 'rejoin [p5 p40]',
    },
    {
      title: 'stays in the one with the smallest ring ID',
      ours: [5, 20],
      theirs: [10, 40],
      verdict: 'wait',
    },
    {
      title: 'leaves a ring of its own',
      ours: [20],
      theirs: [40, 50],
      verdict: 'rejoin [p50 p40]',
    },
    { title: 'tells apart two that are alone', ours: [20], theirs: [40], verdict: 'wait' },
    {
      title: 'names 4 contacts',
      ours: [20],
      theirs: [5, 6, 7, 8, 9, 40],
      verdict: 'rejoin [p9 p40 p5 p6]',
    },
  ])('$title', ({ ours, theirs, verdict }) => {
    const voices = { ...ringOf(2, ...ours), ...ringOf(2, ...theirs) };
    expect(seek(peer(40), voices).verdict).toBe(verdict);
  });

  it('counts every member of both', () => {
    const { asks } = seek(peer(40), { ...ringOf(2, 20, 30), ...ringOf(2, 5, 40, 50) });
    expect(asks.slice(-5)).toEqual(
      ['p20', 'p30', 'p40', 'p50', 'p5'].map((it) => `${it} neighbors`),
    );
  });

  it('compares where the other one lies behind us', () => {
    const voices = { ...ringOf(2, 20, 30), ...ringOf(2, 15, 40, 50) };
    expect(seek(peer(15), voices).verdict).toBe('rejoin [p15 p40 p50]');
  });

  it.each<{ title: string; cycle: number[]; verdict: string }>([
    // Two turns, and all neighbours agree.
    {
      title: 'leaves the second turn',
      cycle: [5, 40, 60, 20, 30, 50],
      verdict: 'rejoin [p5 p40 p60]',
    },
    { title: 'stays in the first turn', cycle: [5, 20, 60, 10, 30, 40, 50], verdict: 'wait' },
  ])('$title of a ring that goes round twice', ({ cycle, verdict }) => {
    expect(seek(peer(40), { ...cycleOf(...cycle), 'p40.any ping': alive(peer(40)) }).verdict).toBe(
      verdict,
    );
  });

  it('waits while it is beside the ring, and the ring goes round without it', () => {
    const ring = cycleOf(5, 40, 60, 30, 50);
    const voices = { ...ring, 'p20 neighbors': neighbors(peer(20), peer(5), peer(30)) };
    const { verdict, asks } = seek(peer(40), { ...voices, 'p40.any ping': alive(peer(40)) });
    expect(verdict).toBe('wait');
    expect(asks.length).toBeLessThan(30);
  });

  it('waits when it loses its way in a ring that goes round twice', () => {
    const voices = { ...cycleOf(5, 40, 60, 20, 30, 50), 'p40.any ping': alive(peer(40)) };
    expect(seek(peer(40), { ...voices, 'p60 neighbors': [] }).verdict).toBe('wait');
  });

  it('waits when the rings have a member in common', () => {
    const voices = {
      ...ringOf(1, 20),
      ...ringOf(2, 40, 50),
      'p40 neighbors': neighbors(peer(40), peer(50), peer(20)),
    };
    expect(seek(peer(40), voices).verdict).toBe('wait');
  });

  it('waits when its own ring does not answer', () => {
    const voices = { ...ringOf(2, 60), ...ringOf(2, 20), 'p20 neighbors': [] };
    expect(seek(peer(60), voices).verdict).toBe('wait');
  });

  it('waits when the other ring falls silent', () => {
    const voices = { ...ringOf(1, 20), 'p40.any ping': alive(peer(40)) };
    expect(seek(peer(40), voices).verdict).toBe('wait');
  });
});
