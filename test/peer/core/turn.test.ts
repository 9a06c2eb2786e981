import { describe, expect, it } from 'vitest';
import type { RingState } from '../../../services/peer/core/state.js';
import {
  adoptSuccessor,
  answer,
  askPending,
  change,
  lose,
  stabilizeSoon,
  successorList,
  tell,
  type Turn,
} from '../../../services/peer/core/turn.js';
import { effectText, namesOf, peer, peers, placeText } from '../ring-text.js';
import { IN_RING, LIMITS } from './lone-machine.js';

const turnOf = (changes: Partial<RingState> = {}): Turn => ({
  state: { ...IN_RING, ...changes },
  effects: [],
  limits: LIMITS,
});

const effectsOf = ({ effects }: Turn) => effects.map(effectText);

describe('change', () => {
  it('replaces the state and leaves the one before as it was', () => {
    const turn = turnOf();
    change(turn, { predecessor: undefined });
    expect(turn.state).toEqual({ ...IN_RING, predecessor: undefined });
    expect(IN_RING.predecessor).toEqual(peer(10));
  });
});

describe('tell', () => {
  it('asks with a number that was never used, and waits for nothing', () => {
    const turn = turnOf({ nextRequestId: 7 });
    expect(tell(turn, peer(30), { kind: 'nudge' })).toBe(7);
    expect(tell(turn, peer(40), { kind: 'nudge' })).toBe(8);
    expect(turn.state.pending).toBeUndefined();
    expect(effectsOf(turn)).toEqual(['asks p30 nudge', 'asks p40 nudge']);
  });
});

describe('askPending', () => {
  it('asks and remembers whom and why', () => {
    const turn = turnOf({ nextRequestId: 7 });
    askPending(turn, peer(30), { kind: 'neighbors' }, 'stabilize-successor');
    expect(turn.state.pending).toEqual({
      requestId: 7,
      to: peer(30),
      purpose: 'stabilize-successor',
    });
    expect(effectsOf(turn)).toEqual(['asks p30 neighbors']);
  });
});

describe('answer', () => {
  it('answers the question of that number', () => {
    const turn = turnOf();
    answer(turn, 12, { kind: 'noted' });
    expect(effectsOf(turn)).toEqual(['answers 12 noted']);
  });
});

describe('stabilizeSoon', () => {
  it('makes the look at the successor due now', () => {
    const turn = turnOf({ tick: 3, stabilizeAtTick: 10 });
    stabilizeSoon(turn);
    expect(turn.state.stabilizeAtTick).toBe(3);
  });
});

describe('successorList', () => {
  it.each([
    {
      title: 'puts the first in front of the rest',
      first: 30,
      rest: [40, 50],
      max: 4,
      list: '[p30 p40 p50]',
    },
    { title: 'is as long as its bound', first: 30, rest: [40, 50], max: 3, list: '[p30 p40 p50]' },
    {
      title: 'leaves out the end past its bound',
      first: 30,
      rest: [40, 50, 60],
      max: 3,
      list: '[p30 p40 p50]',
    },
    { title: 'is one long at a bound of one', first: 30, rest: [40], max: 1, list: '[p30]' },
    {
      title: 'goes on past the closing of the circle',
      first: 30,
      rest: [50, 5],
      max: 4,
      list: '[p30 p50 p5]',
    },
    { title: 'stops before its owner', first: 30, rest: [40, 20, 30], max: 4, list: '[p30 p40]' },
    {
      title: 'stops before what lies past its owner',
      first: 30,
      rest: [40, 25],
      max: 4,
      list: '[p30 p40]',
    },
    { title: 'stops before a repeat', first: 30, rest: [30, 40], max: 4, list: '[p30]' },
    {
      title: 'stops where the order breaks',
      first: 30,
      rest: [50, 40, 60],
      max: 4,
      list: '[p30 p50]',
    },
    { title: 'is its first alone without a rest', first: 30, rest: [], max: 4, list: '[p30]' },
  ])('$title', ({ first, rest, max, list }) => {
    expect(namesOf(successorList(peer(20), peer(first), peers(...rest), max))).toBe(list);
  });
});

describe('adoptSuccessor', () => {
  it('takes over a new list and nudges the predecessor', () => {
    const turn = turnOf();
    adoptSuccessor(turn, peer(25), peers(30, 40, 50));
    expect(placeText(turn.state)).toBe('successors=[p25 p30 p40] predecessor=p10');
    expect(effectsOf(turn)).toEqual(['asks p10 nudge']);
  });

  it('is silent about a list that is the same', () => {
    const turn = turnOf();
    adoptSuccessor(turn, peer(30), peers(40, 50));
    expect(turn.state).toEqual(IN_RING);
    expect(turn.effects).toEqual([]);
  });

  it.each([
    { title: 'another life of a successor', rest: [peer(40, 2), peer(50)] },
    { title: 'a shorter list', rest: [peer(40)] },
    { title: 'another last successor', rest: [peer(40), peer(60)] },
  ])('takes $title for a change', ({ rest }) => {
    const turn = turnOf();
    adoptSuccessor(turn, peer(30), rest);
    expect(turn.state.successors).toEqual([peer(30), ...rest]);
    expect(effectsOf(turn)).toEqual(['asks p10 nudge']);
  });

  it('has nobody to nudge without a predecessor', () => {
    const turn = turnOf({ predecessor: undefined });
    adoptSuccessor(turn, peer(25), []);
    expect(turn.effects).toEqual([]);
  });
});

describe('lose', () => {
  it('forgets a life wherever it stands, and says so once', () => {
    const turn = turnOf({ predecessor: peer(40), rectifyWith: peer(40) });
    lose(turn, peer(40));
    expect(placeText(turn.state)).toBe('successors=[p30 p50] predecessor=nobody');
    expect(turn.state.rectifyWith).toBeUndefined();
    expect(effectsOf(turn)).toEqual(['lost p40']);
  });

  it('says so for a predecessor that is no successor', () => {
    const turn = turnOf();
    lose(turn, peer(10));
    expect(turn.state.predecessor).toBeUndefined();
    expect(effectsOf(turn)).toEqual(['lost p10']);
  });

  it.each([
    { title: 'another life', gone: peer(40, 2) },
    { title: 'a stranger', gone: peer(60) },
  ])('keeps everyone when $title is gone', ({ gone }) => {
    const turn = turnOf({ rectifyWith: peer(15) });
    lose(turn, gone);
    expect(turn.state).toEqual({ ...IN_RING, rectifyWith: peer(15) });
    expect(turn.effects).toEqual([]);
  });

  it('drops a candidate that waits without calling it lost', () => {
    const turn = turnOf({ rectifyWith: peer(15) });
    lose(turn, peer(15));
    expect(turn.state).toEqual(IN_RING);
    expect(turn.effects).toEqual([]);
  });
});
