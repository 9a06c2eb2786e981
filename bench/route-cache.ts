/**
 * Lookups with the route cache and without, recursive and three abreast: on a simulated ring that
 * changes all the time, and on real nodes.
 *
 * Counting rule: a hop is a peer on the way that answered, the owner included. Positions are spread
 * evenly over the ring. Lookups of a changing ring that need no hop, because the asking peer owns the
 * position, are left out.
 */
import { benchRealNodes } from './route-cache-nodes.js';
import { benchChangingRing } from './route-cache-ring.js';

export async function benchRouteCache(): Promise<void> {
  benchChangingRing();
  await benchRealNodes();
}
