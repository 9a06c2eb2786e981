import { describe, expect, it } from 'vitest';
import type { Reply } from '../../services/peer/core/conversation.js';
import type { LookupResult } from '../../services/peer/core/lookup.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';
import { outsideState, type RingState } from '../../services/peer/core/state.js';
import { MemoryTable } from '../../services/dht/core/memory-table.js';
import type { TableAnswer, TableQuestion } from '../../services/dht/core/messages.js';
import type { TableRecord } from '../../services/dht/core/record.js';
import { TableDriver } from '../../services/dht/driver.js';
import { TableNotes, type TableMemory } from '../../services/dht/notes.js';
import { MemoryStore } from '../../services/storage/memory-store.js';
import { nameOf, peer, peers } from '../peer/ring-text.js';
import { captureLog } from '../support/capture-log.js';
import { FakeClock } from '../support/fake-clock.js';
import { textOf, value, valueId } from './core/sample-records.js';
import { tableQuestionText } from './core/scripted-peers.js';

const RING_SIZE = 64;
const TICK_MS = 100;
const SAVE_INTERVAL_MS = 5_000;
const ALONE: RingState = { ...outsideState(peer(20)), stage: 'member' };
const OF_THREE: RingState = { ...ALONE, predecessor: peer(10), successors: peers(30, 10) };
const ALL_PARTS: TableQuestion = { kind: 'compare', parts: [{ level: 0, index: 0 }], spans: [] };

/** What becomes of questions to others, and of the notes. */
class Fakes {
  readonly asked: string[] = [];
  readonly looked: number[] = [];
  state: RingState;
  owner: PeerRef | undefined;
  answer: (to: PeerRef, question: TableQuestion) => TableAnswer | undefined = () => undefined;

  constructor(state: RingState) {
    this.state = state;
  }

  async lookup(position: number): Promise<LookupResult> {
    this.looked.push(position);
    return { owner: this.owner, predecessor: undefined, hops: [], timeouts: 0 };
  }

  async ask(from: PeerRef, to: PeerRef, question: TableQuestion): Promise<Reply<TableAnswer>> {
    this.asked.push(`${nameOf(from)} asks ${nameOf(to)} ${tableQuestionText(question)}`);
    const answer = this.answer(to, question);
    if (answer === undefined) return { kind: 'unanswered', elapsedMs: 5 };
    return { kind: 'answered', answer, elapsedMs: 5 };
  }
}

class BreakingStore extends MemoryStore {
  isBroken = false;

  override async commit(...args: Parameters<MemoryStore['commit']>): Promise<boolean> {
    if (this.isBroken) throw new Error('the disk has failed');
    return super.commit(...args);
  }
}

type Options = {
  readonly state?: RingState;
  readonly records?: readonly TableRecord[];
  readonly memory?: TableMemory;
};

async function start({ state = ALONE, records = [], memory }: Options = {}) {
  const clock = new FakeClock();
  const fakes = new Fakes(state);
  const { log, lines } = captureLog();
  const store = new BreakingStore();
  if (memory !== undefined) await new TableNotes(store).write(memory);
  const table = new MemoryTable({
    ringSize: RING_SIZE,
    graceMs: 60_000,
    recordsMax: 100_000,
    bytesMax: 2 ** 30,
    later: queueMicrotask,
  });
  const writes = records.map((record) => ({ kind: 'merge', record }) as const);
  await new Promise((resolve) => table.write(writes, resolve, clock.now()));
  const driver = await TableDriver.start({
    ringSize: RING_SIZE,
    limits: {
      copies: 3,
      readQuorum: 2,
      writeQuorum: 2,
      repairIntervalMs: 10_000,
      graceMs: 60_000,
    },
    table,
    tickMs: TICK_MS,
    clock,
    notes: new TableNotes(store),
    log,
    peer: fakes,
    links: fakes,
  });
  const notes = () => new TableNotes(store).read();
  return { driver, clock, fakes, table, store, lines, notes };
}

const draftOf =
  (key: string, text = 'text') =>
  (version: TableRecord['version']) => ({
    ...value(key, 1, text),
    version,
  });
/** A key that p20, behind p10, does not own. */
function keyOfOthers({ member }: TableDriver): string {
  const isOwn = (position: number) => position > 10 && position <= 20;
  return ['b', 'c', 'd', 'e', 'f'].find((key) => !isOwn(member.positionOf(key)))!;
}

const target = (key: string) => ({ kind: 'record', id: valueId(key) }) as const;

describe('TableDriver.start', () => {
  it('takes up what is in the table, however much it is', async () => {
    const records = Array.from({ length: 5_001 }, (_, index) => value(`k${index}`, 1, ''));
    const { driver, lines } = await start({ records });
    const answer = await driver.asked(peer(30), ALL_PARTS);
    expect(answer).toMatchObject({ kind: 'digests', digests: [{ count: 5_001 }] });
    expect(lines()).toContainEqual(expect.objectContaining({ level: 'info', records: 5_001 }));
  });

  it('counts on the members that it counted in its life before', async () => {
    const { clock } = await start();
    const memory = { counted: [30, 40], inTouchAtMs: clock.now() };
    const { driver, clock: later } = await start({ memory });
    later.advance(TICK_MS);
    expect(driver.member.headcount.ringIds).toEqual([20, 30, 40]);
  });

  it('knows how long it was out of touch', async () => {
    const inTouchAtMs = new FakeClock().now() - 60_000;
    const { driver } = await start({ memory: { counted: [], inTouchAtMs }, state: OF_THREE });
    expect(driver.member.inTouchAtMs).toBe(inTouchAtMs);
    expect(await driver.asked(peer(30), ALL_PARTS)).toEqual({ kind: 'not-member' });
  });

  it('ticks at its interval', async () => {
    const { driver, clock } = await start();
    clock.advance(TICK_MS - 1);
    expect(driver.member.headcount.count).toBe(0);
    clock.advance(1);
    expect(driver.member.headcount.count).toBe(1);
  });

  it('keeps on disk now and then what it has to remember', async () => {
    const { clock, notes } = await start();
    await clock.advanceInSteps(SAVE_INTERVAL_MS - 1, TICK_MS);
    expect(await notes()).toBeUndefined();
    await clock.advanceInSteps(1, 1);
    expect(await notes()).toMatchObject({ counted: [20] });
  });

  it('goes on when the notes can not be written, and says so', async () => {
    const { driver, clock, store, notes, lines } = await start();
    store.isBroken = true;
    await clock.advanceInSteps(SAVE_INTERVAL_MS, TICK_MS);
    expect(lines()).toContainEqual(expect.objectContaining({ level: 'error' }));
    store.isBroken = false;
    await clock.advanceInSteps(SAVE_INTERVAL_MS, TICK_MS);
    expect(await notes()).toMatchObject({ counted: [20] });
    await driver.stop();
  });
});

describe('TableDriver.stop', () => {
  it('leaves no timer behind, and keeps what it has to remember', async () => {
    const { driver, clock, notes } = await start();
    clock.advance(TICK_MS);
    await driver.stop();
    expect(clock.timerCount).toBe(0);
    expect(await notes()).toMatchObject({ counted: [20] });
    await driver.stop();
  });
});

describe('TableDriver.write and read', () => {
  it('writes to its own table and reads from it, alone in its ring', async () => {
    const { driver, clock, table, fakes } = await start();
    clock.advance(TICK_MS);
    const { outcome, quorum, version } = await driver.write('a', 2, draftOf('a'));
    expect(outcome).toMatchObject({ counted: 1 });
    expect(quorum).toMatchObject({ required: 1, isCapped: true });
    expect(version).toEqual({ wallMs: clock.now(), counter: 0, writer: 20 });
    expect(textOf(table.read(valueId('a')))).toBe('text');
    const read = await driver.read('a', 2, target('a'));
    expect(read.outcome?.records.map(textOf)).toEqual(['text']);
    expect([fakes.asked, fakes.looked]).toEqual([[], []]);
  });

  it('asks those who keep the key, in its own name, and hears what they answer', async () => {
    const { driver, clock, fakes } = await start({ state: OF_THREE });
    clock.advance(TICK_MS);
    fakes.owner = peer(30);
    fakes.answer = (_to, { kind }) => {
      if (kind === 'describe-set') {
        return { kind: 'set', set: { range: { after: 20, upTo: 20 }, peers: peers(30, 10) } };
      }
      return { kind: 'fetched', record: value('b', 7, 'theirs'), isWhole: true };
    };
    fakes.asked.splice(0);
    const key = keyOfOthers(driver);
    const { outcome } = await driver.read(key, 2, target(key));
    expect(fakes.looked).toEqual([driver.member.positionOf(key)]);
    expect(fakes.asked).toEqual([
      'p20 asks p30 describe-set',
      `p20 asks p30 fetch ${key}`,
      `p20 asks p10 fetch ${key}`,
    ]);
    expect(outcome).toMatchObject({ counted: 2 });
    expect(outcome?.records.map(textOf)).toEqual(['theirs']);
  });

  it('hears silence', async () => {
    const { driver, clock, fakes } = await start({ state: OF_THREE });
    clock.advance(TICK_MS);
    fakes.owner = peer(30);
    fakes.asked.splice(0);
    const key = keyOfOthers(driver);
    const read = await driver.read(key, 2, target(key));
    expect(read).toMatchObject({ set: undefined, outcome: undefined });
    expect(new Set(fakes.asked)).toEqual(new Set(['p20 asks p30 describe-set']));
  });

  it.each([
    { title: 'it is no member', state: outsideState(peer(20)), looks: 0 },
    {
      title: 'no way to the owner is found',
      state: { ...OF_THREE, predecessor: undefined },
      looks: 1,
    },
  ])('finds nobody when $title', async ({ state, looks }) => {
    const { driver, fakes } = await start({ state });
    const read = await driver.read('a', 2, target('a'));
    expect(read).toMatchObject({ set: undefined, outcome: undefined });
    expect(fakes.looked).toHaveLength(looks);
  });

  it('sees the ring as its peer sees it now', async () => {
    const { driver, clock, fakes } = await start({ state: outsideState(peer(20)) });
    expect((await driver.write('a', 1, draftOf('a'))).set).toBeUndefined();
    fakes.state = ALONE;
    clock.advance(TICK_MS);
    expect((await driver.write('a', 1, draftOf('a'))).outcome).toMatchObject({ counted: 1 });
  });
});

describe('TableDriver.asked', () => {
  it('gives each its own answer, also when the disk takes its time', async () => {
    const { driver } = await start({ records: [value('a', 1, 'mine')] });
    const record = value('b', 2, 'given');
    const [stored, fetched] = await Promise.all([
      driver.asked(peer(30), { kind: 'store', records: [record], purpose: 'write' }),
      driver.asked(peer(40), { kind: 'fetch', id: valueId('a'), known: undefined }),
    ]);
    expect(stored).toMatchObject({ kind: 'stored' });
    expect(fetched).toMatchObject({ kind: 'fetched', isWhole: true });
  });

  it('answers that it is no member while it is none', async () => {
    const { driver } = await start({ state: outsideState(peer(20)) });
    expect(await driver.asked(peer(30), ALL_PARTS)).toEqual({ kind: 'not-member' });
  });
});

describe('TableDriver.handAllOver', () => {
  it('is done at once when there is nobody else', async () => {
    const { driver, clock } = await start({ records: [value('a', 1)] });
    clock.advance(TICK_MS);
    expect(await driver.handAllOver()).toBe(true);
  });

  it('tells when others did not take it', async () => {
    const { driver, clock, fakes } = await start({ records: [value('a', 1)], state: OF_THREE });
    clock.advance(TICK_MS);
    expect(await driver.handAllOver()).toBe(false);
    expect(fakes.asked.some((line) => line.endsWith('compare'))).toBe(true);
  });
});
