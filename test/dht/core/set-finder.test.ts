import { describe, expect, it } from 'vitest';
import { Keeping } from '../../../services/dht/core/keeping.js';
import { LEASE_MS } from '../../../services/dht/core/coverage.js';
import type { RingView } from '../../../services/dht/core/messages.js';
import type { ReplicaSet } from '../../../services/dht/core/replica-set.js';
import { SetFinder } from '../../../services/dht/core/set-finder.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { nameOf, peer, peers } from '../../peer/ring-text.js';
import { NOT_MEMBER, ScriptedPeers, SELF } from './scripted-peers.js';

const RING_SIZE = 64;
const REMEMBERED_MS = 2_000;

const setOf = (after: number, ...ringIds: readonly number[]): ReplicaSet => ({
  range: { after, upTo: ringIds[0]! },
  peers: peers(...ringIds),
});
const OWN = setOf(10, 20, 30, 40);
const OF_50 = setOf(40, 50, 60, 10);

/** p20 behind p10 and before p30 and p40; lookups end with these owners, one after the other. */
function scene(...owners: readonly (PeerRef | undefined)[]) {
  const scripted = new ScriptedPeers();
  const looked: number[] = [];
  let nowMs = 0;
  let view: RingView = {
    self: SELF,
    isMember: true,
    predecessor: peer(10),
    successors: peers(30, 40),
  };
  const rest = [...owners];
  const ring = {
    ringSize: RING_SIZE,
    view: () => view,
    findOwner: (position: number, done: (owner: PeerRef | undefined) => void) => {
      looked.push(position);
      done(rest.length > 1 ? rest.shift() : rest[0]);
    },
  };
  const clock = { wallMs: () => nowMs, steadyMs: () => nowMs };
  const replication = { copies: 3, readQuorum: 2, writeQuorum: 2 };
  const keeping = new Keeping({ ring, replication, clock });
  const sets = new SetFinder({ ring, keeping, clock, start: scripted.run });
  /** What is found for a position, as names; `asking` while it is not known. */
  const find = (position: number, isFresh = false) => {
    const found = { set: 'asking' };
    sets.find(position, isFresh, (set) => {
      found.set = set === undefined ? 'nobody' : set.peers.map(nameOf).join(' ');
    });
    return found;
  };
  const changeView = (changes: Partial<RingView>) => (view = { ...view, ...changes });
  const pass = (ms: number) => (nowMs += ms);
  return { scripted, looked, keeping, sets, find, changeView, pass };
}

/** p50 says that p50, p60 and p10 keep what it owns. */
function remembered(position = 45) {
  const all = scene(peer(50));
  const { find, scripted } = all;
  const found = find(position);
  expect(scripted.take()).toEqual(['p50 describe-set']);
  expect(found.set).toBe('asking');
  scripted.answer('p50', { kind: 'set', set: OF_50 });
  expect(found.set).toBe('p50 p60 p10');
  return all;
}

describe('SetFinder.find', () => {
  it.each([11, 20])('knows who keeps what this peer owns: %i', (position) => {
    const { find, looked } = scene();
    expect(find(position).set).toBe('p20 p30 p40');
    expect(find(position, true).set).toBe('p20 p30 p40');
    expect(looked).toEqual([]);
  });

  it.each([10, 21, 45])('looks up who owns %i, and asks that one', (position) => {
    const { find, looked, scripted } = scene(peer(50));
    find(position);
    expect(looked).toEqual([position]);
    expect(scripted.take()).toEqual(['p50 describe-set']);
  });

  it('believes the lease of an owner while it lasts, unless it is to ask again', () => {
    const { find, looked, keeping, pass } = scene(undefined);
    keeping.takeCover(setOf(40, 50, 20, 30), true);
    expect(find(45).set).toBe('p50 p20 p30');
    expect(looked).toEqual([]);
    expect(find(45, true).set).toBe('nobody');
    pass(LEASE_MS);
    keeping.expire();
    expect(find(45).set).toBe('nobody');
  });

  it.each([
    { afterMs: 0, position: 41, isFresh: false, asks: 0 },
    { afterMs: REMEMBERED_MS - 1, position: 50, isFresh: false, asks: 0 },
    { afterMs: REMEMBERED_MS, position: 45, isFresh: false, asks: 1 },
    { afterMs: 0, position: 40, isFresh: false, asks: 1 },
    { afterMs: 0, position: 45, isFresh: true, asks: 1 },
  ])(
    'asks $asks times about $position, $afterMs ms after the owner was asked; afresh: $isFresh',
    ({ afterMs, position, isFresh, asks }) => {
      const { find, scripted, pass } = remembered();
      pass(afterMs);
      find(position, isFresh);
      expect(scripted.take()).toHaveLength(asks);
    },
  );

  it('looks up again when the owner does not own it any more, or is no member', () => {
    const { find, looked, scripted } = scene(peer(50));
    const found = find(45);
    scripted.answer('p50', { kind: 'set', set: setOf(47, 50, 60) });
    scripted.answer('p50', NOT_MEMBER);
    expect(found.set).toBe('asking');
    scripted.answer('p50', { kind: 'set', set: OF_50 });
    expect(found.set).toBe('p50 p60 p10');
    expect(looked).toEqual([45, 45, 45]);
  });

  it('finds nobody after three owners in vain', () => {
    const { find, looked, scripted } = scene(peer(50));
    const found = find(45);
    for (let tries = 0; tries < 3; tries += 1) scripted.silence('p50');
    expect(found.set).toBe('nobody');
    expect(looked).toHaveLength(3);
  });

  it('finds nobody when no owner is found', () => {
    const { find, looked } = scene(undefined);
    expect(find(45).set).toBe('nobody');
    expect(looked).toHaveLength(1);
  });

  it('takes itself for the owner only where it knows its range', () => {
    const { find, looked, changeView, keeping } = scene(SELF);
    changeView({ predecessor: undefined });
    expect(find(15).set).toBe('nobody');
    expect(looked).toHaveLength(3);
    changeView({ predecessor: peer(5) });
    keeping.look();
    expect(find(7).set).toBe('p20 p30 p40');
  });

  it('notices at once that its own range has changed', () => {
    const { find, changeView, looked } = scene(undefined);
    expect(find(15).set).toBe('p20 p30 p40');
    changeView({ predecessor: peer(17), successors: peers(30) });
    expect(find(15).set).toBe('nobody');
    expect(find(18).set).toBe('p20 p30');
    expect(looked).toEqual([15]);
  });

  it('owns nothing while it is no member', () => {
    const { find, changeView } = scene(undefined);
    changeView({ isMember: false });
    expect(find(15).set).toBe('nobody');
  });

  it('owns the whole ring as its only member', () => {
    const { find, changeView } = scene();
    changeView({ predecessor: undefined, successors: [] });
    for (const position of [0, 20, 21, 63]) expect(find(position).set).toBe('p20');
  });
});

describe('SetFinder.forget', () => {
  it.each([
    { silent: 50, asks: 1 },
    { silent: 10, asks: 1 },
    { silent: 30, asks: 0 },
  ])('asks $asks times after p$silent did not answer', ({ silent, asks }) => {
    const { find, scripted, sets } = remembered();
    sets.forget(peer(silent));
    find(45);
    expect(scripted.take()).toHaveLength(asks);
  });

  it('keeps what this peer knows itself', () => {
    const { find, sets } = scene();
    sets.forget(peer(30));
    expect(find(15).set).toBe(OWN.peers.map(nameOf).join(' '));
  });
});
