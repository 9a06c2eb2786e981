/**
 * Parts of the ring, as owners and repair speak of them.
 *
 * An owner's range runs clockwise from behind its predecessor up to itself and may pass over zero. A
 * span is a piece of the line of positions, with both ends, so that it can be listed; a range is one
 * or two of them.
 */
import { isOwnedBy, type RingId } from '../../peer/core/ring-space.js';

/** The positions behind `after` up to `upTo`, clockwise; the whole ring when both are the same. */
export type Range = { readonly after: RingId; readonly upTo: RingId };

/** The positions from `first` to `last`, `first <= last`. */
export type Span = { readonly first: RingId; readonly last: RingId };

export function isInRange(position: RingId, { after, upTo }: Range): boolean {
  return isOwnedBy(after, position, upTo);
}

export function isSameRange(one: Range, other: Range): boolean {
  return one.after === other.after && one.upTo === other.upTo;
}

/** The same positions as spans, in order. */
export function spansOf({ after, upTo }: Range, ringSize: number): readonly Span[] {
  const top = ringSize - 1;
  if (after === upTo) return [{ first: 0, last: top }];
  if (after < upTo) return [{ first: after + 1, last: upTo }];
  const low = { first: 0, last: upTo };
  return after === top ? [low] : [low, { first: after + 1, last: top }];
}

/** The same positions in as few spans as possible, in order. */
export function union(spans: readonly Span[]): readonly Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((one, other) => one.first - other.first)) {
    const last = joined.at(-1);
    if (last === undefined || span.first > last.last + 1) joined.push(span);
    else joined[joined.length - 1] = { ...last, last: Math.max(last.last, span.last) };
  }
  return joined;
}

/** What of the first spans is not in the others. */
export function difference(spans: readonly Span[], others: readonly Span[]): readonly Span[] {
  const taken = union(others);
  return union(spans).flatMap((span) => {
    const left: Span[] = [];
    let first = span.first;
    for (const hole of taken) {
      if (hole.last < first || hole.first > span.last) continue;
      if (hole.first > first) left.push({ first, last: hole.first - 1 });
      first = hole.last + 1;
    }
    if (first <= span.last) left.push({ first, last: span.last });
    return left;
  });
}

export function isCovered(spans: readonly Span[], by: readonly Span[]): boolean {
  return difference(spans, by).length === 0;
}

export function isInSpans(position: RingId, spans: readonly Span[]): boolean {
  return spans.some(({ first, last }) => first <= position && position <= last);
}
