import { describe, expect, it } from 'vitest';
import { INTEREST_MS, Interests } from '../../../services/dht/core/interests.js';
import { peer, peers } from '../../peer/ring-text.js';

const INTERESTS_MAX = 65_536;

function interested() {
  const interests = new Interests();
  interests.add('a', peer(20), 0);
  interests.add('a', peer(30), 1);
  interests.add('b', peer(20), 2);
  return interests;
}

describe('Interests', () => {
  it('names those who have asked for the key', () => {
    const interests = interested();
    expect(interests.of('a', 3)).toEqual(peers(20, 30));
    expect(interests.of('b', 3)).toEqual(peers(20));
    expect(interests.of('c', 3)).toEqual([]);
    expect(interests.count).toBe(3);
  });

  it.each([
    { nowMs: INTEREST_MS - 1, expected: [20, 30] },
    { nowMs: INTEREST_MS, expected: [30] },
    { nowMs: INTEREST_MS + 1, expected: [] },
  ])('names $expected at $nowMs', ({ nowMs, expected }) => {
    const interests = interested();
    expect(interests.of('a', nowMs)).toEqual(peers(...expected));
    interests.expire(nowMs);
    expect(interests.count).toBe(expected.length + 1);
    interests.expire(INTEREST_MS + 2);
    expect(interests.count).toBe(0);
  });

  it('counts an interest that is renewed once, and lets it last longer', () => {
    const interests = interested();
    interests.add('a', peer(20), 100);
    expect(interests.count).toBe(3);
    interests.expire(INTEREST_MS + 99);
    expect(interests.of('a', INTEREST_MS + 99)).toEqual(peers(20));
    expect(interests.count).toBe(1);
  });

  it('takes the later life of a peer for the same interest', () => {
    const interests = interested();
    interests.add('a', peer(20, 2), 3);
    expect(interests.of('a', 4)).toEqual([peer(20, 2), peer(30)]);
    expect(interests.count).toBe(3);
  });

  it('forgets a peer that did not answer, for that key and that life alone', () => {
    const interests = interested();
    interests.drop('a', peer(20, 2));
    interests.drop('a', peer(40));
    interests.drop('c', peer(20));
    expect(interests.count).toBe(3);
    interests.drop('a', peer(20));
    interests.drop('a', peer(20));
    expect(interests.of('a', 3)).toEqual(peers(30));
    expect(interests.of('b', 3)).toEqual(peers(20));
    expect(interests.count).toBe(2);
  });

  it('keeps no more than it may, and gives up the key that was asked for longest ago', () => {
    const interests = new Interests();
    for (let index = 0; index < INTERESTS_MAX; index += 1) interests.add(`${index}`, peer(20), 0);
    interests.add('0', peer(20), 1);
    expect(interests.count).toBe(INTERESTS_MAX);
    interests.add('more', peer(20), 1);
    expect(interests.count).toBe(INTERESTS_MAX);
    expect(interests.of('0', 1)).toEqual(peers(20));
    expect(interests.of('1', 1)).toEqual([]);
    expect(interests.of('more', 1)).toEqual(peers(20));
  });
});
