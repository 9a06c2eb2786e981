import { describe, expect, it } from 'vitest';
import type { Neighbors } from '../../../services/peer/core/messages.js';
import { AdmissionGate } from '../../../services/node/admission-gate.js';
import { FakeClock } from '../../support/fake-clock.js';
import { peer } from '../ring-text.js';

const OPEN = { kind: 'open' };
const FORMING = { kind: 'forming', retryAfterMs: 100 };
const REFUSAL_MS_MAX = 10_000;

/** What the members of an ideal ring say, with lists of two. */
function ringOf(...ringIds: readonly number[]): readonly Neighbors[] {
  return ringIds.map((ringId, index) => {
    const others = [...ringIds.slice(index + 1), ...ringIds.slice(0, index)].map((it) => peer(it));
    return { self: peer(ringId), predecessor: others.at(-1), successors: others.slice(0, 2) };
  });
}

/** p10 and p20, of which p20 does not know its predecessor yet. */
const UNSETTLED: readonly Neighbors[] = [
  { self: peer(10), predecessor: peer(20), successors: [peer(20)] },
  { self: peer(20), predecessor: undefined, successors: [peer(10)] },
];

function create(views: readonly Neighbors[] | undefined) {
  const clock = new FakeClock();
  const ring = { views };
  const gate = new AdmissionGate({
    clock,
    successorsMax: 2,
    survey: async () => {
      if (ring.views === undefined) throw new Error('not a member');
      return { views: ring.views, unreachable: [], isComplete: true };
    },
  });
  const ask = async (ringId: number, latest?: number) =>
    gate.ask(peer(ringId), latest === undefined ? undefined : peer(latest));
  return { clock, ring, ask };
}

describe('AdmissionGate.ask', () => {
  it('lets a peer into a ring of one', async () => {
    expect(await create(ringOf(10)).ask(20)).toEqual(OPEN);
  });

  it('lets the next peer in once the one before is in the ring', async () => {
    const { ask, ring } = create(ringOf(10));
    expect(await ask(30, 20)).toEqual(FORMING);
    ring.views = ringOf(10, 20);
    expect(await ask(30, 20)).toEqual(OPEN);
  });

  it('waits for nobody when it is forgotten who was let in', async () => {
    expect(await create(ringOf(10)).ask(30)).toEqual(OPEN);
  });

  it('lets the same peer in again that was let in', async () => {
    expect(await create(ringOf(10)).ask(20, 20)).toEqual(OPEN);
  });

  it('lets nobody in while a small ring is not ideal', async () => {
    const { ask, ring } = create(UNSETTLED);
    expect(await ask(30)).toEqual(FORMING);
    ring.views = ringOf(10, 20);
    expect(await ask(30)).toEqual(OPEN);
  });

  it('lets any number in, whatever its state, once it has r + 1 principals', async () => {
    const [first, ...rest] = ringOf(10, 20, 30);
    const { ask } = create([{ ...first!, predecessor: undefined }, ...rest]);
    expect(await ask(40)).toEqual(OPEN);
    expect(await ask(50, 40)).toEqual(OPEN);
  });

  it('lets nobody in while its node is no member, however long', async () => {
    const { ask, clock } = create(undefined);
    expect(await ask(20)).toEqual(FORMING);
    clock.advance(REFUSAL_MS_MAX + 1);
    expect(await ask(20)).toEqual(FORMING);
  });

  it.each([
    { title: 'as long as it refuses', refusedMs: REFUSAL_MS_MAX, answer: FORMING },
    { title: 'and gives in after that', refusedMs: REFUSAL_MS_MAX + 1, answer: OPEN },
  ])('keeps a ring closed that does not become ideal $title', async ({ refusedMs, answer }) => {
    const { ask, clock } = create(UNSETTLED);
    for (let passedMs = 0; passedMs < refusedMs; passedMs += 2_000) {
      await ask(30);
      clock.advance(Math.min(2_000, refusedMs - passedMs));
    }
    expect(await ask(30)).toEqual(answer);
  });

  it('forgets refusals when nobody has asked for a while', async () => {
    const { ask, clock } = create(UNSETTLED);
    await ask(30);
    clock.advance(3_600_000);
    expect(await ask(40)).toEqual(FORMING);
  });

  it('begins to count its refusals anew when it has let somebody in', async () => {
    const { ask, clock, ring } = create(UNSETTLED);
    await ask(30);
    clock.advance(REFUSAL_MS_MAX);
    ring.views = ringOf(10, 20);
    expect(await ask(30)).toEqual(OPEN);
    ring.views = UNSETTLED;
    clock.advance(1);
    expect(await ask(40)).toEqual(FORMING);
  });
});
