// Writes to the table in argv[2], many at a time and without end; prints what is acknowledged.
import { writeSync } from 'node:fs';
import { openLmdbTable } from '../../../dist/services/storage/lmdb-table.js';

const table = await openLmdbTable(process.argv[2], {
  ringSize: 2 ** 32,
  graceMs: 1_000,
  recordsMax: 1_000_000,
  bytesMax: 2 ** 30,
});

function write(writes) {
  return new Promise((resolve, reject) => {
    table.write(
      writes,
      (written) => (written instanceof Error ? reject(written) : resolve()),
      1_000,
    );
  });
}

/** Each round puts two new records, and writes a third anew that is there already or was dropped. */
async function writeForEver(lane) {
  for (let round = 1; ; round += 1) {
    const version = { wallMs: round, counter: 0, writer: lane };
    const value = (key) => ({
      key,
      address: undefined,
      version,
      content: { kind: 'value', bytes: Buffer.from(`${key} ${round} `.repeat(round % 97)) },
      expiresAtMs: undefined,
    });
    const holder = { ...value(`${lane}`), address: `host/${round}` };
    const again = value(`${lane}/again`);
    const writes = [
      { kind: 'merge', record: value(`${lane}/${round}`) },
      { kind: 'merge', record: { ...holder, content: { kind: 'holder', since: version } } },
      { kind: 'merge', record: again },
    ];
    if (round % 5 === 0) writes.push({ kind: 'drop', id: again, version });
    await write(writes);
    writeSync(1, `${lane} ${round}\n`);
  }
}

/** Each round writes so many records in one call that lmdb begins with them before it has them all. */
async function writeWideForEver() {
  for (let round = 1; ; round += 1) {
    const records = Array.from({ length: 1_200 }, (_, index) => ({
      key: `wide/${index}`,
      address: undefined,
      version: { wallMs: round, counter: 0, writer: 64 },
      content: { kind: 'value', bytes: Buffer.from(`${round}`) },
      expiresAtMs: undefined,
    }));
    await write(records.map((record) => ({ kind: 'merge', record })));
    writeSync(1, `wide ${round}\n`);
  }
}

void writeWideForEver();
for (let lane = 0; lane < 64; lane += 1) void writeForEver(lane);
