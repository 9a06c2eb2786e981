import { describe, expect, it } from 'vitest';
import {
  AVOIDED_MAX,
  lookup,
  type LookupOptions,
  type LookupResult,
} from '../../../services/peer/core/lookup.js';
import type { Answer } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import type { RouteStep } from '../../../services/peer/core/routing.js';
import { nameOf, namesOf, peer, peers } from '../ring-text.js';
import { alive } from './lone-machine.js';
import { ELAPSED_MS, talk, type Voices } from './talk.js';

const hop = (ringId: number): RouteStep & Answer => ({ kind: 'next-hop', peer: peer(ringId) });
const owner = (ringId: number): RouteStep & Answer => ({ kind: 'owner', peer: peer(ringId) });

/** From p20 one goes to the first of these that is not avoided. */
function startingAt(...ringIds: readonly number[]) {
  return (avoided: readonly PeerRef[]): RouteStep => {
    const first = peers(...ringIds).find(
      ({ ringId }) => !avoided.some((it) => it.ringId === ringId),
    );
    return first === undefined ? { kind: 'nowhere' } : { kind: 'next-hop', peer: first };
  };
}

/** p20, after p10, looks up 65; p40 is the first that it asks. */
function look(voices: Voices, changes: Partial<LookupOptions> = {}) {
  const options = {
    self: peer(20),
    position: 65,
    here: startingAt(40, 30),
    predecessor: () => peer(10),
    asksMax: 20,
    ...changes,
  };
  const { result, asks } = talk(lookup(options), voices);
  return { ...textOf(result), timeouts: result.timeouts, hops: result.hops, asks };
}

const textOf = ({ owner: found, predecessor }: LookupResult) => ({
  owner: found === undefined ? 'nobody' : nameOf(found),
  predecessor: predecessor === undefined ? 'nobody' : nameOf(predecessor),
});

const hopsOf = (hops: LookupResult['hops']) => namesOf(hops.map((it) => it.peer));

/** p40 knows p60, which lies before p70 and p80. */
const WAY: Voices = {
  'p40 find-successor': hop(60),
  'p60 find-successor': [owner(70), owner(80)],
  'p70 ping': alive(peer(70), peer(60)),
  'p80 ping': alive(peer(80), peer(70)),
};

describe('lookup', () => {
  it('walks from peer to peer until the owner says that it is one', () => {
    const { asks, hops, ...rest } = look(WAY);
    expect(rest).toEqual({ owner: 'p70', predecessor: 'p60', timeouts: 0 });
    expect(asks).toEqual(['p40 find-successor 65', 'p60 find-successor 65', 'p70 ping']);
    expect(hops).toEqual(peers(40, 60, 70).map((it) => ({ peer: it, elapsedMs: ELAPSED_MS })));
  });

  it('asks nobody about what its own peer owns', () => {
    const found = look(WAY, { here: () => ({ kind: 'self' }) });
    expect(found).toEqual({ owner: 'p20', predecessor: 'p10', timeouts: 0, hops: [], asks: [] });
  });

  it('asks the successor that owns the position whether it lives', () => {
    const { owner: found, predecessor, asks } = look(WAY, { here: () => owner(70) });
    expect({ found, predecessor, asks }).toEqual({
      found: 'p70',
      predecessor: 'p60',
      asks: ['p70 ping'],
    });
  });

  it('believes a peer that names itself', () => {
    const found = look({ 'p40 find-successor': owner(40) });
    expect(found).toMatchObject({ owner: 'p40', predecessor: 'nobody' });
    expect(found.asks).toEqual(['p40 find-successor 65']);
  });

  it('takes an owner that knows no predecessor at its word', () => {
    expect(look({ ...WAY, 'p70 ping': alive(peer(70)) }).owner).toBe('p70');
  });

  it('names the life of the owner that answered', () => {
    expect(look({ ...WAY, 'p70 ping': alive(peer(70, 9), peer(60)) }).owner).toBe('p70.9');
  });

  it('finds nobody where no way begins', () => {
    const found = look(WAY, { here: () => ({ kind: 'nowhere' }) });
    expect(found).toMatchObject({ owner: 'nobody', predecessor: 'nobody', asks: [] });
  });
});

describe('lookup, past peers that are gone', () => {
  it('goes back to the peer that named a silent one, and avoids that from then on', () => {
    const voices = { ...WAY, 'p40 find-successor': [hop(50), hop(60)] };
    const { owner: found, timeouts, hops, asks } = look(voices);
    expect(asks).toEqual([
      'p40 find-successor 65',
      'p50 find-successor 65',
      'p40 find-successor 65 without [p50]',
      'p60 find-successor 65 without [p50]',
      'p70 ping',
    ]);
    expect({ found, timeouts }).toEqual({ found: 'p70', timeouts: 1 });
    expect(hopsOf(hops)).toBe('[p40 p40 p60 p70]');
  });

  it('starts again from here when the first one is silent', () => {
    const voices = { ...WAY, 'p40 find-successor': [], 'p30 find-successor': hop(60) };
    const { owner: found, asks } = look(voices);
    expect(found).toBe('p70');
    expect(asks.slice(0, 2)).toEqual([
      'p40 find-successor 65',
      'p30 find-successor 65 without [p40]',
    ]);
  });

  it('finds the next owner when the first is silent', () => {
    const { owner: found, predecessor, timeouts, asks } = look({ ...WAY, 'p70 ping': [] });
    expect(asks.slice(2)).toEqual(['p70 ping', 'p60 find-successor 65 without [p70]', 'p80 ping']);
    expect({ found, predecessor, timeouts }).toEqual({
      found: 'p80',
      predecessor: 'p60',
      timeouts: 1,
    });
  });

  it.each<{ title: string; answer: Answer }>([
    { title: 'is not in the ring', answer: { kind: 'not-member' } },
    { title: 'is in another life', answer: { kind: 'stale' } },
    { title: 'knows no way', answer: { kind: 'busy' } },
    { title: 'points backwards', answer: hop(30) },
    { title: 'points past the position', answer: hop(70) },
    { title: 'points at the position', answer: hop(65) },
  ])('goes another way when a peer $title', ({ answer }) => {
    const voices = { ...WAY, 'p40 find-successor': answer, 'p30 find-successor': hop(60) };
    const { owner: found, timeouts, asks } = look(voices);
    expect({ found, timeouts }).toEqual({ found: 'p70', timeouts: 0 });
    expect(asks[1]).toBe('p30 find-successor 65 without [p40]');
  });

  it('goes another way when a peer names again who is avoided', () => {
    const voices = { ...WAY, 'p40 find-successor': hop(50), 'p30 find-successor': hop(60) };
    const { asks } = look(voices);
    expect(asks.slice(1, 4)).toEqual([
      'p50 find-successor 65',
      'p40 find-successor 65 without [p50]',
      'p30 find-successor 65 without [p50 p40]',
    ]);
  });

  it('passes over an owner that has left', () => {
    const gone: Answer = { kind: 'alive', self: peer(70), predecessor: undefined, stage: 'left' };
    expect(look({ ...WAY, 'p70 ping': gone })).toMatchObject({ owner: 'p80', timeouts: 0 });
  });

  it('avoids from the start whom it is told to', () => {
    const { asks } = look(WAY, { avoided: peers(55) });
    expect(asks[0]).toBe('p40 find-successor 65 without [p55]');
  });
});

describe('lookup, where the owner has a predecessor at or after the position', () => {
  const voices = { ...WAY, 'p60 find-successor': owner(80) };

  it('tries that first', () => {
    const found = look(voices);
    expect(found.asks.slice(2)).toEqual(['p80 ping', 'p70 ping']);
    expect(found).toMatchObject({ owner: 'p70', predecessor: 'p60' });
  });

  it('tries one that stands at the position itself', () => {
    const at65 = { ...voices, 'p80 ping': alive(peer(80), peer(65)), 'p65 ping': alive(peer(65)) };
    expect(look(at65).owner).toBe('p65');
  });

  it('comes back to the owner when that is silent', () => {
    const found = look({ ...voices, 'p70 ping': [] });
    expect(found.asks.slice(2)).toEqual(['p80 ping', 'p70 ping', 'p80 ping']);
    expect(found).toMatchObject({ owner: 'p80', timeouts: 1 });
  });
});

describe('lookup, led back to its own peer', () => {
  it('asks itself nothing when it is named as the owner', () => {
    const found = look({ 'p40 find-successor': owner(20) }, { position: 15 });
    expect(found).toMatchObject({ owner: 'p20', predecessor: 'p40' });
    expect(found.asks).toHaveLength(1);
  });

  it('tries its own predecessor first, as with any owner', () => {
    const voices = { 'p40 find-successor': owner(20), 'p18 ping': alive(peer(18), peer(10)) };
    const found = look(voices, { position: 15, predecessor: () => peer(18) });
    expect(found).toMatchObject({ owner: 'p18', predecessor: 'p10' });
  });

  it('goes on from what it knows by then when it is named as a hop', () => {
    const steps = [hop(40), hop(60)];
    const here = () => steps.shift() ?? { kind: 'nowhere' as const };
    const voices = { ...WAY, 'p40 find-successor': hop(5), 'p5 find-successor': hop(20) };
    const found = look(voices, { here });
    expect(found.asks.slice(0, 2)).toEqual([
      'p40 find-successor 65',
      'p60 find-successor 65 without [p40]',
    ]);
  });

  it('goes on from here when a peer before it names it as a hop', () => {
    const steps = [hop(10), hop(60)];
    const here = () => steps.shift() ?? { kind: 'nowhere' as const };
    const found = look({ ...WAY, 'p10 find-successor': hop(20) }, { here });
    expect(found.asks).toEqual(['p10 find-successor 65', 'p60 find-successor 65', 'p70 ping']);
  });
});

describe('lookup, within its bounds', () => {
  it('needs no more questions than it may ask', () => {
    expect(look(WAY, { asksMax: 3 }).owner).toBe('p70');
  });

  it('gives up when it would need one more', () => {
    expect(look(WAY, { asksMax: 2 }).owner).toBe('nobody');
  });

  it('names no more avoided peers than a question may', () => {
    const many = Array.from({ length: 2 * AVOIDED_MAX }, (_, index) => 100 + index);
    const found = look({}, { position: 99, here: startingAt(...many), asksMax: 1_000 });
    expect(found).toMatchObject({ owner: 'nobody', timeouts: 2 * AVOIDED_MAX });
    const named = found.asks.at(-1)?.split('without')[1]?.split(' ').length;
    expect(named).toBe(AVOIDED_MAX + 1);
  });

  it('names those avoided from the start, and the last ones found dead', () => {
    const many = Array.from({ length: AVOIDED_MAX + 1 }, (_, index) => 100 + index);
    const here = startingAt(...many);
    const { asks } = look({}, { position: 99, here, avoided: peers(99), asksMax: 1_000 });
    expect(asks.at(-1)).toMatch(/without \[p99 p101 .* p131\]$/);
  });

  it('ends unasked at a candidate that it is to accept', () => {
    const found = look(WAY, { accept: (candidate) => candidate.ringId === 70 });
    expect(found.owner).toBe('p70');
    expect(found.asks).toEqual(['p40 find-successor 65', 'p60 find-successor 65']);
  });

  it('accepts no peer on the way to the owner', () => {
    expect(look(WAY, { accept: (candidate) => candidate.ringId === 60 }).asks).toHaveLength(3);
  });
});

describe('lookup, answered by an owner that lives', () => {
  it('takes a busy one for the owner', () => {
    expect(look({ ...WAY, 'p70 ping': { kind: 'busy' } }).owner).toBe('p70');
  });

  it('finds it in the life it is in', () => {
    const replies = {
      ...WAY,
      'p70 ping': { kind: 'stale' },
      'p80 ping': alive(peer(80), peer(70, 2)),
      'p70.2 ping': alive(peer(70, 2), peer(60)),
    } as const;
    expect(look(replies).owner).toBe('p70.2');
  });
});
