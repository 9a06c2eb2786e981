import { describe, expect, it } from 'vitest';
import type { RecordId } from '../../services/dht/core/record.js';
import { entryOf } from '../../services/dht/core/settle.js';
import type { Entry } from '../../services/dht/core/table.js';
import { openLmdbTable, type LmdbTable } from '../../services/storage/lmdb-table.js';
import { Child } from './child.js';
import { temporaryDirectory } from './temporary-directory.js';

const LINES_BEFORE_KILL = 2_000;
const RING_SIZE = 2 ** 32;
const OPTIONS = {
  ringSize: RING_SIZE,
  graceMs: 1_000,
  recordsMax: 1_000_000,
  bytesMax: 2 ** 30,
};

/** Runs the writer until it has acknowledged so many writes, kills it, and returns each lane's last. */
async function roundsUntilKilled(path: string) {
  await using child = new Child('table-write.mjs', path);
  const rounds = new Map<string, number>();
  let lines = 0;
  for (let line = await child.line(); line !== undefined; line = await child.line()) {
    const [lane = '', round] = line.split(' ');
    rounds.set(lane, Number(round));
    lines += 1;
    if (lines === LINES_BEFORE_KILL) await child.kill();
  }
  return rounds;
}

function entriesOf(table: LmdbTable): readonly Entry[] {
  const entries: Entry[] = [];
  for (let after: string | undefined; ;) {
    const { items, next } = table.list(0, RING_SIZE - 1, after, 1_000);
    entries.push(...items);
    if (next === undefined) return entries;
    after = next;
  }
}

function roundOf(table: LmdbTable, key: string): number | undefined {
  const record = table.read(valueOf(key));
  return record === undefined || record === 'damaged' ? undefined : record.version.wallMs;
}

const valueOf = (key: string): RecordId => ({ key, address: undefined });

describe('LmdbTable after kill -9', () => {
  it('has every acknowledged write, whole, and entries that agree with the records', async () => {
    using directory = temporaryDirectory();
    const rounds = await roundsUntilKilled(directory.path);
    expect(rounds.size).toBe(65);
    const wide = rounds.get('wide')!;
    rounds.delete('wide');
    const table = await openLmdbTable(directory.path, OPTIONS);
    const widths = Array.from({ length: 1_200 }, (_, index) => roundOf(table, `wide/${index}`));
    expect(new Set(widths).size).toBe(1);
    expect([wide, wide + 1]).toContain(widths[0]);
    for (const [lane, last] of rounds) {
      for (let round = 1; round <= last; round += 1) {
        const version = { wallMs: round, counter: 0, writer: Number(lane) };
        const ids = [valueOf(`${lane}/${round}`), { key: lane, address: `host/${round}` }];
        for (const id of ids) expect(table.read(id)).toMatchObject({ ...id, version });
      }
      // One more round may be on disk than was acknowledged, all of it or nothing.
      const isThere = [last, last + 1].map((round) => table.read(valueOf(`${lane}/${round}`)));
      const reached = isThere[1] === undefined ? last : last + 1;
      const again = table.read(valueOf(`${lane}/again`));
      if (reached % 5 === 0) expect(again).toBeUndefined();
      else expect(again).toMatchObject({ version: { wallMs: reached } });
      expect(table.read({ key: lane, address: `host/${reached}` })).toBeDefined();
      expect(table.read({ key: lane, address: `host/${reached + 1}` })).toBeUndefined();
    }
    const entries = entriesOf(table);
    for (const entry of entries) {
      const record = table.read(entry);
      if (record === undefined || record === 'damaged') throw new Error(`no ${entry.key}`);
      expect(entryOf(record, entry.position)).toEqual(entry);
    }
    expect(table.size.records).toBe(entries.length);
    const values = table.values('', undefined, 1_000_000, 0).items.length;
    const holders = [...rounds.keys()].map((lane) => table.holders(lane, undefined, 1e6));
    const held = holders.reduce((sum, { items }) => sum + items.length, 0);
    expect(values + held).toBe(entries.length);
    await table.close();
  });
});
