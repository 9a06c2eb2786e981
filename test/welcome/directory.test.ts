import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distance, type PeerRef } from '../../services/peer/core/ring-space.js';
import {
  CONTACTS_MAX,
  createDirectory,
  judgeJoin,
  memberAt,
  pageOf,
  routingTableOf,
  surroundingsOf,
  withMember,
  withoutMembers,
  type Directory,
} from '../../services/welcome/core/directory.js';

const peerAt = (ringId: number, incarnation = 1): PeerRef => ({
  ringId,
  address: `10.0.0.${ringId}:7400`,
  incarnation,
});

const directoryOf = (ringSize: number, ...ringIds: readonly number[]): Directory =>
  createDirectory(
    ringSize,
    ringIds.map((ringId) => peerAt(ringId)),
  );

const idsOf = (peers: readonly PeerRef[]) => peers.map(({ ringId }) => ringId);

/** A ring size, the ring IDs of its members, and a ring ID to ask about. */
const situation = fc.integer({ min: 1, max: 80 }).chain((ringSize) =>
  fc.record({
    ringSize: fc.constant(ringSize),
    ringIds: fc.uniqueArray(fc.integer({ min: 0, max: ringSize - 1 }), { maxLength: 60 }),
    asked: fc.integer({ min: 0, max: ringSize - 1 }),
  }),
);

/** The first member found by walking position by position. */
function walk(directory: Directory, from: number, step: 1 | -1): PeerRef | undefined {
  for (let steps = 0; steps < directory.ringSize; steps += 1) {
    const position = (from + step * steps + 2 * directory.ringSize) % directory.ringSize;
    const peer = directory.peers.find(({ ringId }) => ringId === position);
    if (peer !== undefined) return peer;
  }
  return undefined;
}

describe('judgeJoin', () => {
  const held = peerAt(7, 5);
  const other = { ...held, address: 'elsewhere:1' };
  it.each([
    { title: 'it is a member in this life', peer: peerAt(7, 5), kind: 'renewal' },
    { title: 'any life of it is meant', peer: peerAt(7, 0), kind: 'renewal' },
    { title: 'it comes back in a later life', peer: peerAt(7, 6), kind: 'admission' },
    { title: 'its life is over', peer: peerAt(7, 4), kind: 'stale' },
    { title: 'another address has the ring ID', peer: other, kind: 'taken' },
    { title: 'another does, whatever the life', peer: { ...other, incarnation: 9 }, kind: 'taken' },
  ])('answers “$kind” when $title', ({ peer, kind }) => {
    expect(judgeJoin(held, peer)).toEqual(kind === 'admission' ? { kind } : { kind, holder: held });
  });

  it('answers “admission” when nobody has the ring ID', () => {
    expect(judgeJoin(undefined, peerAt(8, 5))).toEqual({ kind: 'admission' });
  });
});

describe('withMember and withoutMembers', () => {
  it('keep the members in ring order, one for each ring ID, and the old table as it was', () => {
    const change = fc.record({
      ringId: fc.integer({ min: 0, max: 20 }),
      incarnation: fc.integer({ min: 0, max: 3 }),
      isIn: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const model = new Map<number, PeerRef>();
        let directory = createDirectory(21);
        for (const { ringId, incarnation, isIn } of changes) {
          const before = directory;
          const copy = [...before.peers];
          const peer = peerAt(ringId, incarnation);
          directory = isIn
            ? withMember(directory, peer)
            : withoutMembers(directory, new Set([ringId]));
          if (isIn) model.set(ringId, peer);
          else model.delete(ringId);
          expect(before.peers).toEqual(copy);
          expect(memberAt(directory, ringId)).toEqual(model.get(ringId));
        }
        const expected = [...model.values()].sort((one, two) => one.ringId - two.ringId);
        expect(directory.peers).toEqual(expected);
      }),
    );
  });

  it('takes out many at once, and nobody who is not in', () => {
    const directory = directoryOf(10, 1, 5, 7);
    expect(idsOf(withoutMembers(directory, new Set([4, 7, 1])).peers)).toEqual([5]);
    expect(withoutMembers(directory, new Set())).toBe(directory);
  });
});

describe('createDirectory', () => {
  it('sorts by number, not by text', () => {
    expect(idsOf(directoryOf(200, 100, 9, 20).peers)).toEqual([9, 20, 100]);
  });
});

describe('surroundingsOf', () => {
  it.each([
    { title: 'nobody is in', ringIds: [], asked: 3, expected: [undefined, undefined, []] },
    { title: 'only itself is in', ringIds: [3], asked: 3, expected: [undefined, undefined, []] },
    { title: 'one other is in', ringIds: [3, 8], asked: 3, expected: [8, 8, [8]] },
    { title: 'it is not in yet', ringIds: [1, 8], asked: 3, expected: [1, 8, [1, 8]] },
    { title: 'it is the last', ringIds: [1, 5, 9], asked: 9, expected: [5, 1, [1, 5]] },
    { title: 'it is the first', ringIds: [0, 5, 9], asked: 0, expected: [9, 5, [9, 5]] },
  ])('answers when $title', ({ ringIds, asked, expected }) => {
    const around = surroundingsOf(directoryOf(10, ...ringIds), asked);
    const { predecessor, successor, contacts } = around;
    expect([predecessor?.ringId, successor?.ringId, idsOf(contacts)]).toEqual(expected);
    expect(around.isFirst).toBe(expected[0] === undefined);
  });

  it('always has both neighbours among the contacts, however far one is', () => {
    const crowd = Array.from({ length: 40 }, (_, index) => 501 + index);
    const { contacts } = surroundingsOf(directoryOf(1_000, 100, ...crowd), 500);
    expect(idsOf(contacts)).toEqual([...crowd.slice(0, CONTACTS_MAX - 1), 100]);
  });

  it('names the true neighbours and the nearest members', () => {
    fc.assert(
      fc.property(situation, ({ ringSize, ringIds, asked }) => {
        const directory = directoryOf(ringSize, ...ringIds);
        const others = withoutMembers(directory, new Set([asked]));
        const around = surroundingsOf(directory, asked);
        expect(around.isFirst).toBe(others.peers.length === 0);
        expect(around.predecessor).toEqual(walk(others, asked, -1));
        expect(around.successor).toEqual(walk(others, asked, 1));
        const farness = ({ ringId }: PeerRef) =>
          Math.min(distance(asked, ringId, ringSize), distance(ringId, asked, ringSize));
        const found = around.contacts.map(farness);
        const nearest = others.peers.map(farness).sort((one, two) => one - two);
        const count = Math.min(CONTACTS_MAX, nearest.length);
        expect(new Set(around.contacts).size).toBe(count);
        expect(found).toEqual(found.toSorted((one, two) => one - two));
        expect(found.slice(0, -1)).toEqual(nearest.slice(0, Math.max(0, count - 1)));
        if (around.successor !== undefined) expect(around.contacts).toContain(around.successor);
        if (around.predecessor !== undefined) expect(around.contacts).toContain(around.predecessor);
      }),
      { numRuns: 500 },
    );
  });
});

describe('routingTableOf', () => {
  it.each([
    { ringSize: 1, starts: [] },
    { ringSize: 2, starts: [0] },
    { ringSize: 3, starts: [2, 0] },
    { ringSize: 8, starts: [2, 3, 5] },
    { ringSize: 9, starts: [2, 3, 5, 0] },
  ])('has one entry for each power of two below a ring size of $ringSize', (example) => {
    const { ringSize, starts } = example;
    const ringId = ringSize === 1 ? 0 : 1;
    const entries = routingTableOf(directoryOf(ringSize, ringId), ringId);
    expect(entries).toEqual(starts.map((start) => ({ start, peer: peerAt(ringId) })));
  });

  it('is exact on the largest ring', () => {
    const ringSize = 2 ** 53;
    const last = ringSize - 1;
    const entries = routingTableOf(directoryOf(ringSize, 0, last), last);
    expect(entries).toHaveLength(53);
    expect(entries[0]).toEqual({ start: 0, peer: peerAt(0) });
    expect(entries[52]).toEqual({ start: 2 ** 52 - 1, peer: peerAt(last) });
    expect(entries.every(({ start }) => Number.isSafeInteger(start))).toBe(true);
  });

  it('names the first member at or behind each start', () => {
    fc.assert(
      fc.property(situation, ({ ringSize, ringIds, asked }) => {
        const directory = directoryOf(ringSize, ...ringIds);
        const expected = [];
        for (let offset = 1; offset < ringSize; offset *= 2) {
          const start = (asked + offset) % ringSize;
          const peer = walk(directory, start, 1);
          if (peer !== undefined) expected.push({ start, peer });
        }
        expect(routingTableOf(directory, asked)).toEqual(expected);
      }),
    );
  });
});

describe('pageOf', () => {
  const directory = directoryOf(20, 3, 5, 7, 11);
  it.each([
    { after: undefined, size: 4, ids: [3, 5, 7, 11], hasMore: false },
    { after: undefined, size: 3, ids: [3, 5, 7], hasMore: true },
    { after: 3, size: 2, ids: [5, 7], hasMore: true },
    { after: 4, size: 9, ids: [5, 7, 11], hasMore: false },
    { after: 11, size: 9, ids: [], hasMore: false },
    { after: 2 ** 53 - 1, size: 9, ids: [], hasMore: false },
  ])('shows $ids of size $size behind $after', ({ after, size, ids, hasMore }) => {
    const page = pageOf(directory, { after, size, lengthMax: 1_000 });
    expect([idsOf(page.peers), page.hasMore]).toEqual([ids, hasMore]);
  });

  it('ends early behind a length, but never empty', () => {
    const page = pageOf(directory, { after: undefined, size: 4, lengthMax: 0 });
    expect([idsOf(page.peers), page.hasMore]).toEqual([[3], true]);
  });
});

describe('a directory of 100,000', () => {
  it('answers right', () => {
    const ringIds = Array.from({ length: 100_000 }, (_, index) => 10 * index);
    let directory = directoryOf(2 ** 31, ...ringIds);
    directory = withMember(directory, peerAt(500_005));
    const { predecessor, successor, contacts } = surroundingsOf(directory, 500_005);
    expect([predecessor?.ringId, successor?.ringId]).toEqual([500_000, 500_010]);
    expect(contacts).toHaveLength(CONTACTS_MAX);
    expect(routingTableOf(directory, 500_005)).toHaveLength(31);
    expect(withoutMembers(directory, new Set([500_005, 4])).peers).toHaveLength(100_000);
  });
});
