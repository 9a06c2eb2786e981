/**
 * Keys of each peer (section V-B, Figures 8 and 9): keys and addresses by the production digest, each
 * key to the first peer at or after it. A peer with v virtual nodes stands at v places.
 */
import { firstChoice, positionOfKey } from '../../services/hash/core/digest.js';
import { RING_SIZE } from '../grown-ring.js';
import { summarize, type Summary } from './statistics.js';

export type LoadRow = {
  readonly keys: number;
  readonly virtualNodes: number;
  /** Keys of a peer. */
  readonly keysOfPeer: Summary;
  readonly fullest: number;
  /** Peers without any key. */
  readonly empty: number;
};

/** Positions of so many keys, `key-0` and so on. */
export function keyPositions(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) =>
    positionOfKey(`key-${index}`, RING_SIZE),
  );
}

/** Deals keys out to so many peers. */
export function measureLoad(positions: Float64Array, peers: number, virtualNodes: number): LoadRow {
  const counts = new Float64Array(peers);
  const places = placesOf(peers, virtualNodes);
  let index = 0;
  for (const position of positions.toSorted()) {
    while (index < places.length && (places[index]?.position ?? 0) < position) index += 1;
    const { peer } = places[index % places.length] ?? { peer: 0 };
    counts[peer] = (counts[peer] ?? 0) + 1;
  }
  return {
    keys: positions.length,
    virtualNodes,
    keysOfPeer: summarize(counts),
    fullest: counts.reduce((most, count) => Math.max(most, count), 0),
    empty: counts.filter((count) => count === 0).length,
  };
}

/** Where the peers stand, in ring order. */
function placesOf(
  peers: number,
  virtualNodes: number,
): readonly { readonly position: number; readonly peer: number }[] {
  return Array.from({ length: peers * virtualNodes }, (_, index) => {
    const peer = index % peers;
    const address = `10.0.${Math.floor(peer / 256)}.${peer % 256}:7400`;
    const name = index < peers ? address : `${address}/${Math.floor(index / peers)}`;
    return { position: firstChoice(name, RING_SIZE), peer };
  }).sort((one, other) => one.position - other.position);
}
