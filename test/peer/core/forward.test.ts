import { describe, expect, it } from 'vitest';
import { FORWARD_MS_MAX, forwardLookup } from '../../../services/peer/core/forward.js';
import type { Question } from '../../../services/peer/core/messages.js';
import { namesOf, nameOf, peer } from '../ring-text.js';
import { IdealRing } from './ideal-ring.js';
import { ELAPSED_MS, talk, type Voices } from './talk.js';

const RING = [10, 100, 200, 300, 400, 500, 600, 700, 800, 900];

/** p10 looks a position up recursively. */
function find(ring: IdealRing, position: number, hopsMax = 32) {
  const options = ring.optionsOf(peer(10), position);
  const bounds = { avoided: [], hopsMax, budgetMs: FORWARD_MS_MAX };
  const { owner, hops } = ring.run(forwardLookup({ ...options, ...bounds }));
  const found = owner === undefined ? 'nobody' : nameOf(owner);
  return { owner: found, hops: namesOf(hops.map((hop) => hop.peer)) };
}

/** p20 passes a lookup on to p50, else p40, else p30. */
function pass(voices: Voices, budgetMs = 1_000) {
  const { result, questions, asks } = talk(
    forwardLookup({
      self: peer(20),
      position: 65,
      predecessor: () => peer(10),
      here: (avoided) => ({ kind: 'next-hop', peer: peer([50, 40, 30, 25][avoided.length]!) }),
      avoided: [],
      hopsMax: 5,
      budgetMs,
    }),
    voices,
  );
  return { result, questions, asks };
}

const FOUND = { kind: 'found', owner: peer(70), hops: [{ peer: peer(70), elapsedMs: 1 }] } as const;
const budgetOf = (question: Question | undefined) =>
  question?.kind === 'forward-lookup' ? question.budgetMs : undefined;

describe('forwardLookup', () => {
  it('comes back along the path, which is the way there', () => {
    expect(find(new IdealRing(RING), 750)).toEqual({ owner: 'p800', hops: '[p600 p800]' });
  });

  it('goes round a silent peer', () => {
    const ring = new IdealRing(RING);
    ring.silent.add('p600');
    expect(find(ring, 750).owner).toBe('p800');
  });

  it('names the next live owner when the owner is dead', () => {
    const ring = new IdealRing(RING);
    ring.silent.add('p800');
    expect(find(ring, 750).owner).toBe('p900');
  });

  it('is passed on no more often than it may', () => {
    expect(find(new IdealRing(RING), 750, 0).owner).toBe('nobody');
    expect(find(new IdealRing(RING), 750, 1).owner).toBe('p800');
  });

  it('gives along a part of the time that is left', () => {
    const { questions, result } = pass({ 'p40 forward-lookup': FOUND });
    expect(questions.map(budgetOf)).toEqual([750, Math.floor((1_000 - ELAPSED_MS) * 0.75)]);
    expect(namesOf(result.hops.map((hop) => hop.peer))).toBe('[p40 p70]');
    expect(result).toMatchObject({ timeouts: 1, elapsedMs: 2 * ELAPSED_MS });
  });

  it('tries three peers, and avoids those that failed', () => {
    const { result, questions } = pass({ 'p50 forward-lookup': { kind: 'not-member' } });
    expect(result).toMatchObject({ owner: undefined, timeouts: 2 });
    expect(questions).toHaveLength(3);
    expect(questions[2]).toMatchObject({ avoided: [peer(50), peer(40)], hopsMax: 4 });
  });

  it('does not try again what another peer has tried', () => {
    const { asks, result } = pass({ 'p50 forward-lookup': { kind: 'not-found' } });
    expect(asks).toHaveLength(1);
    expect(result.owner).toBeUndefined();
  });

  it('asks nobody when there is no time', () => {
    expect(pass({}, 60).asks).toEqual([]);
  });
});
