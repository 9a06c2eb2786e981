// Commits to the store in argv[2], many at a time and without end; prints each acknowledged key.
import { writeSync } from 'node:fs';
import { openLmdbStore } from '../../../dist/services/storage/lmdb-store.js';

const store = await openLmdbStore(process.argv[2]);
const long = 'long'.repeat(1000);

async function commitForEver(lane) {
  for (let round = 0; ; round += 1) {
    const key = `${lane}/${round}`;
    const value = Buffer.from(key);
    const writes = [key, `${key}/twin`, `${long}/${key}`].map((each) => ({
      kind: 'put',
      key: each,
      value,
    }));
    await store.commit({ conditions: [{ kind: 'absent', key }], writes });
    writeSync(1, `${key}\n`);
  }
}

for (let lane = 0; lane < 32; lane += 1) void commitForEver(lane);
