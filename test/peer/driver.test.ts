import { describe, expect, it } from 'vitest';
import type { Answer } from '../../services/peer/core/messages.js';
import type { PeerEvent } from '../../services/peer/driver.js';
import { INBOUND_MAX } from '../../services/limits.js';
import { neighbors } from './core/lone-machine.js';
import { loneDriver, pairedDriver, settle, SILENCE, TICK_MS } from './lone-driver.js';
import { answerText, effectText, peer, placeText } from './ring-text.js';

const PAIRED = 'successors=[p30] predecessor=p30';
const NEIGHBORS = { kind: 'neighbors' } as const;
const OURS = neighbors(peer(30), peer(20), peer(20));

/** p20 that has asked p30 for its neighbours, and has no reply yet. */
async function waitingDriver(limits = {}) {
  const lone = await pairedDriver({ limits });
  lone.links.isHolding = true;
  await lone.driver.asked(peer(30), 0, { kind: 'nudge' });
  expect(lone.links.open.map(({ line }) => line)).toEqual(['p30 neighbors']);
  const events: string[] = [];
  lone.driver.onEvent((event: PeerEvent) => events.push(effectText(event)));
  return { ...lone, events };
}

describe('PeerDriver.asked', () => {
  it('hands the answer to the asker', async () => {
    const { driver } = loneDriver();
    const answer = await driver.asked(undefined, 0, { kind: 'ping' });
    expect(answerText(answer)).toBe('alive p20 outside predecessor=nobody');
  });

  it('hands each its own answer, also when the member holds it for a while', async () => {
    const { driver, links } = await waitingDriver();
    const answers: string[] = [];
    const note = (answer: Answer) => answers.push(answerText(answer));
    void driver.asked(peer(10), 0, NEIGHBORS).then(note);
    void driver.asked(peer(10), 7, NEIGHBORS).then(note);
    await settle();
    expect(answers).toEqual(['stale']);
    links.endAll({ kind: 'answered', answer: OURS, elapsedMs: 1 });
    await settle();
    expect(answers.slice(1)).toEqual([`neighbors p20 ${PAIRED}`]);
  });

  it('is busy when as many wait as it lets in, and lets in more when they have gone', async () => {
    const { driver, links } = await waitingDriver({ heldMax: 2 * INBOUND_MAX });
    const waiting = Array.from({ length: INBOUND_MAX }, () =>
      driver.asked(undefined, 0, NEIGHBORS),
    );
    expect(await driver.asked(undefined, 0, { kind: 'ping' })).toEqual({ kind: 'busy' });
    links.endAll({ kind: 'answered', answer: OURS, elapsedMs: 1 });
    const answers = await Promise.all(waiting);
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['neighbors']));
    expect(await driver.asked(undefined, 0, { kind: 'ping' })).toMatchObject({ kind: 'alive' });
  });
});

describe('PeerDriver, performing what its member wants', () => {
  it('asks over its links, and reports the answers', async () => {
    const { driver, links } = await pairedDriver();
    expect(links.asked).toEqual(['p30 ping', 'p30 neighbors', 'p30 nudge', 'p30 notify p20']);
    expect(placeText(driver.state)).toBe(PAIRED);
  });

  it('reports silence', async () => {
    const { driver, links, clock, events } = await waitingDriver();
    links.endAll(SILENCE);
    await settle();
    clock.advance(0);
    await settle();
    expect(events).toEqual(['lost p30']);
    expect(placeText(driver.state)).toBe('successors=[] predecessor=nobody');
  });

  it('ticks at its interval, from a moment of its own within the first', () => {
    const { driver, clock } = loneDriver({ unit: 0.5 });
    const ticks = [TICK_MS / 2 + TICK_MS - 1, 1, TICK_MS - 1, 1].map((ms) => {
      clock.advance(ms);
      return driver.state.tick;
    });
    expect(ticks).toEqual([0, 1, 1, 2]);
  });

  it.each([0, 0.5])('leaves nothing behind when it is stopped, at %d of its first tick', (unit) => {
    const { driver, clock } = loneDriver({ unit });
    clock.advance(unit === 0 ? 10 * TICK_MS : 0);
    driver.stop();
    const { tick } = driver.state;
    clock.advance(10 * TICK_MS);
    expect(driver.state.tick).toBe(tick);
    expect(clock.timerCount).toBe(0);
  });
});

describe('PeerDriver.onEvent', () => {
  it('tells every listener until it is cancelled', () => {
    const { driver } = loneDriver();
    const heard: string[] = [];
    const cancel = driver.onEvent(({ kind }) => heard.push(`one ${kind}`));
    driver.onEvent(({ kind }) => heard.push(`other ${kind}`));
    driver.found();
    cancel();
    driver.found();
    expect(heard).toEqual(['one founded', 'other founded', 'other founded']);
  });
});

describe('PeerDriver, after its process stood still', () => {
  /** Stands still for so long; then silence is what all questions have met with. */
  async function standStill(ms: number, reply = SILENCE) {
    const lone = await waitingDriver();
    lone.clock.advance(TICK_MS);
    lone.clock.stall(ms);
    lone.links.endAll(reply);
    await settle();
    lone.clock.advance(0);
    await settle();
    return { ...lone, messages: lone.lines().map(({ msg }) => msg) };
  }

  it('takes nobody for dead that it could not hear', async () => {
    const { driver, events, messages, lines } = await standStill(10 * TICK_MS + 1);
    expect(placeText(driver.state)).toBe(PAIRED);
    expect(events).toEqual([]);
    expect(messages).toContain('this process stood still');
    expect(lines()).toContainEqual(expect.objectContaining({ level: 'warn', gapMs: 1001 }));
  });

  it('takes silence for death when it was no longer than a few ticks', async () => {
    const { events, messages } = await standStill(10 * TICK_MS);
    expect(events).toEqual(['lost p30']);
    expect(messages).toEqual([]);
  });

  it('hears the answers that came', async () => {
    const answer = neighbors(peer(30), peer(20), peer(40), peer(20));
    const { driver } = await standStill(5_000, { kind: 'answered', answer, elapsedMs: 5_000 });
    expect(placeText(driver.state)).toBe('successors=[p30 p40] predecessor=p30');
  });

  it('takes silence to later questions for death', async () => {
    const { driver, links, clock, lines, events } = await waitingDriver();
    links.endAll({ kind: 'answered', answer: OURS, elapsedMs: 1 });
    await settle();
    clock.stall(5_000);
    clock.advance(TICK_MS);
    expect(lines()).toHaveLength(1);
    await driver.asked(peer(30), 0, { kind: 'nudge' });
    expect(links.open.map(({ line }) => line)).toEqual(['p30 neighbors']);
    links.endAll(SILENCE);
    await settle();
    clock.advance(0);
    await settle();
    expect(events).toEqual(['lost p30']);
    expect(driver.state.successors).toEqual([]);
  });
});

describe('PeerDriver.leave', () => {
  it.each([
    {
      title: 'its neighbours know',
      reply: { kind: 'answered', answer: { kind: 'noted' }, elapsedMs: 1 } as const,
    },
    { title: 'its neighbours are silent', reply: SILENCE },
  ])('is out at once, and waits until $title', async ({ reply }) => {
    const { driver, links, clock } = await waitingDriver();
    let isDone = false;
    void driver.leave().then(() => (isDone = true));
    expect(driver.state.stage).toBe('left');
    await settle();
    expect(isDone).toBe(false);
    const [, departure] = links.open;
    expect(departure?.line).toBe('p30 departure p20');
    departure?.end(reply);
    await settle();
    clock.advance(0);
    await settle();
    expect(isDone).toBe(true);
  });

  it('waits for nobody when it has no neighbours', async () => {
    const { driver } = loneDriver();
    await driver.leave();
    expect(driver.state.stage).toBe('left');
  });
});

describe('PeerDriver, for applications', () => {
  it('finds, sends and surveys while it is a member', async () => {
    const { driver, letters } = await pairedDriver();
    expect(await driver.lookup(25)).toMatchObject({ owner: peer(30) });
    const draft = { messageId: 'm', payload: Buffer.of(1) };
    expect(await driver.send(20, draft)).toEqual({ kind: 'delivered', path: [peer(20)] });
    expect(letters).toHaveLength(1);
    expect((await driver.survey()).views.map(({ self }) => self)).toEqual([peer(20), peer(30)]);
  });

  it('refuses while it is no member', async () => {
    const { driver } = loneDriver();
    const refusal = { reason: 'PEER_NOT_MEMBER', facts: { ringId: '20' } };
    await expect(driver.lookup(25)).rejects.toMatchObject(refusal);
    const draft = { messageId: 'm', payload: Buffer.of() };
    await expect(driver.send(25, draft)).rejects.toMatchObject(refusal);
    await expect(driver.survey()).rejects.toMatchObject(refusal);
  });
});
