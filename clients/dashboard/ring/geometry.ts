/** Where things are on the circle: angles clockwise from the top, in radians; lengths in pixels. */

export const TURN = 2 * Math.PI;

export type Point = { readonly x: number; readonly y: number };

export type Box = {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
};

/** The circle of a ring: its centre, its radius, and how many positions it has. */
export type Circle = {
  readonly centre: Point;
  readonly radius: number;
  readonly ringSize: number;
};

export function angleOf(ringId: number, { ringSize }: Circle): number {
  return (ringId / ringSize) * TURN;
}

export function pointAt(angle: number, { centre }: Circle, radius: number): Point {
  return { x: centre.x + radius * Math.sin(angle), y: centre.y - radius * Math.cos(angle) };
}

/** How far it is clockwise from one angle to another: more than 0, at most a turn. */
export function clockwise(from: number, to: number): number {
  const way = (to - from) % TURN;
  return way <= 0 ? way + TURN : way;
}

/** An arc along the circle that keeps clear of both ends; empty when they are too close. */
export function arcPath(from: number, to: number, circle: Circle, gap: number): string {
  const clear = gap / circle.radius;
  const way = clockwise(from, to) - 2 * clear;
  if (way <= 0) return '';
  const start = pointAt(from + clear, circle, circle.radius);
  const end = pointAt(from + clear + way, circle, circle.radius);
  const { radius } = circle;
  const isLong = way > Math.PI ? 1 : 0;
  return `M${xy(start)}A${fixed(radius)} ${fixed(radius)} 0 ${isLong} 1 ${xy(end)}`;
}

/** A curve across the circle, bent to its centre; ends short of the far peer by the gap. */
export function chordPath(from: number, to: number, circle: Circle, gap: number): string {
  const start = pointAt(from, circle, circle.radius);
  const far = pointAt(to, circle, circle.radius);
  const middle = { x: (start.x + far.x) / 2, y: (start.y + far.y) / 2 };
  const bend = between(middle, circle.centre, 0.35);
  const reach = Math.hypot(far.x - bend.x, far.y - bend.y);
  const end = between(far, bend, reach === 0 ? 0 : Math.min(gap / reach, 1));
  return `M${xy(start)}Q${xy(bend)} ${xy(end)}`;
}

/** Which boxes have room, the first ones first: none is over another that has. */
export function roomFor(boxes: readonly Box[]): readonly boolean[] {
  const taken: Box[] = [];
  return boxes.map((box) => {
    const isFree = !taken.some((other) => overlap(box, other));
    if (isFree) taken.push(box);
    return isFree;
  });
}

/** At most so many, spread evenly; those that are wanted are among them. */
export function sample<Item>(
  items: readonly Item[],
  max: number,
  isWanted: (item: Item) => boolean,
): readonly Item[] {
  if (items.length <= max) return items;
  const step = items.length / max;
  const taken = new Set(Array.from({ length: max }, (_, index) => Math.floor(index * step)));
  return items.filter((item, index) => taken.has(index) || isWanted(item));
}

function overlap(one: Box, other: Box): boolean {
  const isBeside = one.right <= other.left || other.right <= one.left;
  return !isBeside && one.top < other.bottom && other.top < one.bottom;
}

function between(one: Point, other: Point, share: number): Point {
  return { x: one.x + (other.x - one.x) * share, y: one.y + (other.y - one.y) * share };
}

function xy({ x, y }: Point): string {
  return `${fixed(x)} ${fixed(y)}`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
