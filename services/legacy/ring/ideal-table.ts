/**
 * The table that a WelcomeServer computes from all members (wire/ring.md, section 4): who comes strictly
 * after h, h+2, h+4, h+8 … Unlike in the paper, a member that stands exactly there is skipped, and there
 * is no row for h+1, which the first row is.
 *
 * Originals compute in 32 bits, and give negative numbers near 2^31 or rows without end; here a table has
 * a row for each power of two below the ring size.
 */
import type { RingNeighbor, RingRow } from '../core/session.js';

/** Empty when there are no members. */
export function idealTable(
  members: readonly RingNeighbor[],
  ringId: number,
  ringSize: number,
): readonly RingRow[] {
  const starts = [ringId];
  for (let step = 2; step < ringSize; step *= 2) starts.push((ringId + step) % ringSize);
  return starts.flatMap((start) => {
    const successor = strictSuccessor(members, start);
    return successor === undefined ? [] : { start, successor };
  });
}

/** The smallest ring ID above, or else the smallest of all. */
function strictSuccessor(
  members: readonly RingNeighbor[],
  ringId: number,
): RingNeighbor | undefined {
  let smallest: RingNeighbor | undefined;
  let next: RingNeighbor | undefined;
  for (const member of members) {
    if (smallest === undefined || member.ringId < smallest.ringId) smallest = member;
    const isAbove = member.ringId > ringId;
    if (isAbove && (next === undefined || member.ringId < next.ringId)) next = member;
  }
  return next ?? smallest;
}
