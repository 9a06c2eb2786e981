/** `npm run bench [name …]`: every measured ratio, or the named ones. Each prints both its sides. */
import { benchGetRingId } from './get-ring-id.js';
import { benchLookupHops } from './lookup-hops.js';
import { benchRouteCache } from './route-cache.js';

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  'get-ring-id': benchGetRingId,
  'lookup-hops': benchLookupHops,
  'route-cache': benchRouteCache,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(`no such bench: ${unknown.join(', ')}\n`);
  process.stderr.write(`there are: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (names.length === 0 || names.includes(name)) await bench();
}
