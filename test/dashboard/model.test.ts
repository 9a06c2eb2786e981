/** What the page makes of events, and where it draws what. */
import { describe, expect, it } from 'vitest';
import { applyEvent, EMPTY, type ModelEvent } from '../../clients/dashboard/model.js';
import { arcPath, chordPath, roomFor, sample } from '../../clients/dashboard/ring/geometry.js';
import { DRAWN_MAX, sceneOf } from '../../clients/dashboard/ring/scene.js';
import { bytes, shortName } from '../../clients/dashboard/words.js';
import { evenRing, RING_SIZE, VERDICT } from '../support/scripted-dashboard.js';

const NODE = { ringId: 0, address: '10.0.0.0:7000', ringName: 'ring-1', ringSize: RING_SIZE };
const views = evenRing(4);
const snapshot: ModelEvent = { name: 'snapshot', data: { views, unreachable: [] } };
const play = (...events: readonly ModelEvent[]) => events.reduce(applyEvent, EMPTY);
const newsOf = (...events: readonly ModelEvent[]) =>
  play({ name: 'node', data: NODE }, snapshot, ...events).news.map(({ text }) => text);

describe('the model of the page', () => {
  const [, view] = views;
  const { peer } = view!;

  it('says nothing of what was there when it was opened', () => {
    expect(newsOf()).toEqual([]);
  });

  it('tells in words who fell silent, answers again, went and came', () => {
    const silent = { name: 'unreachable', data: peer } as const;
    const back = { name: 'changed', data: view! } as const;
    const gone = { name: 'removed', data: peer } as const;
    expect(newsOf(silent)).toEqual([`${peer.address} does not answer.`]);
    expect(newsOf(silent, back)[0]).toBe(`${peer.address} answers again.`);
    expect(newsOf(silent, gone)[0]).toBe(`${peer.address} is gone.`);
    expect(newsOf(gone, back)[0]).toBe(`${peer.address} joined.`);
    expect(play(snapshot, silent).peers[1]).toEqual({ peer, view, isAnswering: false });
  });

  it('keeps the order of the ring, and what was seen while its node is away', () => {
    const node = { name: 'node', data: NODE } as const;
    const model = play(node, snapshot, { name: 'changed', data: view! }, { name: 'lost' });
    expect(model.peers.map((shown) => shown.peer.ringId)).toEqual(
      views.map((it) => it.peer.ringId),
    );
    expect(model.connection).toBe('lost');
    const again = applyEvent(model, node);
    expect(again.connection).toBe('open');
    expect(again.peers).toHaveLength(4);
    const other = applyEvent(model, { name: 'node', data: { ...NODE, ringName: 'ring-2' } });
    expect(other.peers).toEqual([]);
  });

  it('tells of a verdict when it is another one', () => {
    const ideal = { name: 'verdict', data: VERDICT } as const;
    const broken = { name: 'verdict', data: { ...VERDICT, state: 'broken' } } as const;
    expect(newsOf(ideal, ideal)).toEqual([]);
    expect(newsOf(ideal, broken, broken)).toEqual(['The ring is broken.']);
  });

  it('forgets old news', () => {
    const flapping = Array.from({ length: 30 }, () => [
      { name: 'unreachable', data: peer } as const,
      { name: 'changed', data: view! } as const,
    ]).flat();
    expect(newsOf(...flapping)).toHaveLength(20);
  });
});

describe('the drawing', () => {
  const circle = { centre: { x: 100, y: 100 }, radius: 80, ringSize: RING_SIZE };
  const size = { width: 600, height: 600, selected: undefined, trace: undefined };
  const sceneFor = (count: number, showsFingers = false) => {
    const data = { views: evenRing(count), unreachable: [] };
    const { peers } = play({ name: 'snapshot', data });
    return sceneOf({ ...size, peers, ringSize: RING_SIZE, ownRingId: 0, showsFingers });
  };

  it('goes clockwise along the circle, and across it', () => {
    expect(arcPath(0, Math.PI / 2, circle, 0)).toBe('M100.0 20.0A80.0 80.0 0 0 1 180.0 100.0');
    expect(arcPath(Math.PI / 2, 0, circle, 0)).toBe('M180.0 100.0A80.0 80.0 0 1 1 100.0 20.0');
    expect(arcPath(0, 0.01, circle, 4)).toBe('');
    expect(chordPath(0, Math.PI, circle, 0)).toBe('M100.0 20.0Q100.0 100.0 100.0 180.0');
  });

  it('labels all of 3 and some of 300', () => {
    expect(sceneFor(3).spots.filter(({ hasRoom }) => hasRoom)).toHaveLength(3);
    const labelled = sceneFor(300).spots.filter(({ hasRoom }) => hasRoom).length;
    expect(labelled).toBeGreaterThan(20);
    expect(labelled).toBeLessThan(150);
    const box = { left: 0, right: 10, top: 0, bottom: 10 };
    const beside = { ...box, left: 10, right: 20 };
    const over = { ...box, left: 5, right: 15 };
    expect(roomFor([box, beside, over])).toEqual([true, true, false]);
    expect(roomFor([over, box, beside])).toEqual([true, false, false]);
  });

  it('draws 300 whole, and a sample of more with whom one asks for', () => {
    expect(sceneFor(300).spots).toHaveLength(300);
    expect(sceneFor(300).successors).toHaveLength(300);
    expect(sceneFor(1_000).spots).toHaveLength(DRAWN_MAX);
    expect(sample([1, 2, 3, 4, 5, 6], 2, (it) => it === 6)).toEqual([1, 4, 6]);
  });

  it('draws the fingers of some peers of many', () => {
    expect(sceneFor(8, true).fingeredCount).toBe(8);
    expect(sceneFor(300, true).fingeredCount).toBe(24);
    expect(sceneFor(8).fingers).toEqual([]);
  });

  it('shortens names and sizes', () => {
    const peer = { ringId: 1, address: '10.0.0.1:7400' };
    expect(shortName(peer, '10.0.0.1', 20)).toBe(':7400');
    expect(shortName(peer, undefined, 7)).toBe('…1:7400');
    expect(shortName({ ...peer, address: 'ring://10.0.0.9', host: 'x:1' }, undefined, 20)).toBe(
      'ring guest',
    );
    expect(shortName({ ...peer, address: 'ring://10.0.0.9', host: 'x:1' }, undefined, 7)).toBe(
      'ring',
    );
    expect([0, 1_023, 1_024, 150 * 2 ** 20].map(bytes)).toEqual([
      ...['0 B', '1023 B', '1.0 KiB', '150 MiB'],
    ]);
  });
});
