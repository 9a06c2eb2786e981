import { describe, expect, it } from 'vitest';
import { lookupAbreast } from '../../../services/peer/core/lookup-abreast.js';
import type { Answer } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import type { RouteStep } from '../../../services/peer/core/routing.js';
import { nameOf, namesOf, peer, peers } from '../ring-text.js';
import { alive } from './lone-machine.js';
import { talk, type Voices } from './talk.js';

const hop = (ringId: number, ...others: readonly number[]): Answer => ({
  kind: 'next-hop',
  peer: peer(ringId),
  alternates: peers(...others),
});
const owner = (ringId: number, ...others: readonly number[]): Answer => ({
  kind: 'owner',
  peer: peer(ringId),
  alternates: peers(...others),
});

/** p20, after p10, knows p50, p40 and p30, the closest first, and looks up 65. */
function look(voices: Voices, changes: Partial<Parameters<typeof lookupAbreast>[0]> = {}) {
  const here = (avoided: readonly PeerRef[]): RouteStep => {
    const next = peers(50, 40, 30).find(
      ({ ringId }) => !avoided.some((it) => it.ringId === ringId),
    );
    return next === undefined ? { kind: 'nowhere' } : { kind: 'next-hop', peer: next };
  };
  const conversation = lookupAbreast({
    self: peer(20),
    position: 65,
    here,
    predecessor: () => peer(10),
    asksMax: 20,
    parallelism: 3,
    ...changes,
  });
  const { result, asks } = talk(conversation, voices);
  const found = result.owner === undefined ? 'nobody' : nameOf(result.owner);
  const hops = namesOf(result.hops.map((it) => it.peer));
  return { owner: found, hops, timeouts: result.timeouts, asks };
}

const WAY: Voices = {
  'p50 find-successor': hop(60, 55),
  'p60 find-successor': owner(70, 80),
  'p70 ping': alive(peer(70), peer(60)),
  'p80 ping': alive(peer(80), peer(70)),
};

/** All of them but one, who is silent. */
const without = (silent: string): Voices =>
  Object.fromEntries(Object.entries(WAY).filter(([voice]) => voice !== silent));

describe('lookupAbreast', () => {
  it('asks the three best at once, and goes on with the first useful answer', () => {
    const { asks, owner: found, hops } = look(WAY);
    expect(asks).toEqual([
      'p50 find-successor 65',
      'p40 find-successor 65',
      'p30 find-successor 65',
      'p60 find-successor 65',
      'p70 ping',
    ]);
    expect({ found, hops }).toEqual({ found: 'p70', hops: '[p50 p60 p70]' });
  });

  it('waits for no silent one while another answers', () => {
    const voices = { ...without('p50 find-successor'), 'p40 find-successor': hop(60) };
    expect(look(voices)).toMatchObject({ owner: 'p70', hops: '[p40 p60 p70]', timeouts: 0 });
  });

  it('waits for no dead owner when the next one proves that it took over', () => {
    const voices = {
      ...WAY,
      'p60 find-successor': owner(62, 70, 80),
      'p50 find-successor': hop(60),
      'p40 find-successor': hop(60),
      'p30 find-successor': hop(60),
    };
    expect(look(voices)).toMatchObject({ owner: 'p70', timeouts: 0 });
  });

  it('waits for the nearest claimant where the next one does not know that it is dead', () => {
    const voices = {
      ...without('p70 ping'),
      'p50 find-successor': hop(60),
      'p40 find-successor': hop(60),
      'p30 find-successor': hop(60),
    };
    expect(look(voices)).toMatchObject({ owner: 'p80', timeouts: 1 });
  });

  it('tries a predecessor at or after the position first', () => {
    const voices = { ...WAY, 'p60 find-successor': owner(80) };
    expect(look(voices)).toMatchObject({ owner: 'p70', hops: '[p50 p60 p80 p70]' });
  });

  it('asks a hop again when all that it named is dead', () => {
    const voices = { 'p50 find-successor': [hop(60), owner(70)], 'p70 ping': WAY['p70 ping']! };
    expect(look(voices, { parallelism: 2 })).toMatchObject({ owner: 'p70', hops: '[p50 p70]' });
  });

  it('finds nobody when nobody answers, within its bounds', () => {
    expect(look({})).toMatchObject({ owner: 'nobody', timeouts: 3 });
    expect(look(WAY, { asksMax: 4 }).owner).toBe('nobody');
  });

  it('asks the remembered one beside the way, and believes only its proof', () => {
    const voices = { ...WAY, 'p70.any ping': WAY['p70 ping']!, 'p80.any ping': WAY['p80 ping']! };
    expect(look(voices, { claimant: peer(70) })).toMatchObject({ owner: 'p70', hops: '[p70]' });
    const { owner: found, asks } = look(voices, { claimant: peer(80) });
    expect(found).toBe('p70');
    expect(asks[0]).toBe('p80.any ping');
    expect(look(WAY, { claimant: peer(66) })).toMatchObject({ owner: 'p70', timeouts: 0 });
  });

  it('asks nobody about what its own peer owns', () => {
    const found = look({}, { here: () => ({ kind: 'self' }) });
    expect(found).toEqual({ owner: 'p20', hops: '[]', timeouts: 0, asks: [] });
  });
});
