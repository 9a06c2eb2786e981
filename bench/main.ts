/**
 * `npm run bench [name …] [-- --quick]`: everything that is measured against something else, or the
 * named ones. `--quick` measures less, and writes no document.
 */
import { benchBinderEtcd } from './binder-etcd.js';
import { benchBinderResolve } from './binder-resolve.js';
import { benchBinderWatch } from './binder-watch.js';
import { benchChordTables } from './chord-tables/main.js';
import { benchDhtGet } from './dht-get.js';
import { benchDhtPut } from './dht-put.js';
import { benchGetRingId } from './get-ring-id.js';
import { benchLegacyDatagrams } from './legacy-datagrams.js';
import { benchPeerStream } from './peer-stream.js';
import { benchRouteCache } from './route-cache.js';

type Bench = (options: { readonly isQuick: boolean }) => Promise<void>;

const BENCHES: Readonly<Record<string, Bench>> = {
  'get-ring-id': benchGetRingId,
  'dht-get': benchDhtGet,
  'dht-put': benchDhtPut,
  'binder-resolve': benchBinderResolve,
  'binder-etcd': benchBinderEtcd,
  'binder-watch': benchBinderWatch,
  'legacy-datagrams': benchLegacyDatagrams,
  'peer-stream': benchPeerStream,
  'chord-tables': benchChordTables,
  'route-cache': benchRouteCache,
};
const QUICK_FLAG = '--quick';

const given = process.argv.slice(2);
const names = given.filter((it) => it !== QUICK_FLAG);
const isQuick = given.includes(QUICK_FLAG);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(`no such bench: ${unknown.join(', ')}\n`);
  process.stderr.write(`there are: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (names.length === 0 || names.includes(name)) await bench({ isQuick });
}
