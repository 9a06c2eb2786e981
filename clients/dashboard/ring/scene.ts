/** What is drawn of a ring, worked out before anything is touched: who, where, and by which lines. */
import type { TraceJson } from '../../../services/dashboard/messages.js';
import { dialectOf, type ShownPeer } from '../model.js';
import { description, sharedHostOf, shortName } from '../words.js';
import {
  angleOf,
  arcPath,
  chordPath,
  pointAt,
  roomFor,
  sample,
  TURN,
  type Box,
  type Circle,
  type Point,
} from './geometry.js';

/** More would be a blot, and slow to draw. */
export const DRAWN_MAX = 400;
/** Fingers are lines across the whole ring: of more peers at once nothing would be seen. */
export const FINGERED_MAX = 24;

const LABEL_PX = 18;
const LABEL_CHAR_PX = 7.4;
const LABEL_GAP_PX = 12;
const HEADS_FROM_PX = 16;

export type SceneInput = {
  readonly peers: readonly ShownPeer[];
  readonly ringSize: number;
  /** Of the node that serves the page. */
  readonly ownRingId: number | undefined;
  readonly selected: number | undefined;
  readonly showsFingers: boolean;
  readonly trace: TraceJson | undefined;
  readonly width: number;
  readonly height: number;
};

export type Spot = {
  readonly ringId: number;
  readonly at: Point;
  readonly label: {
    readonly text: string;
    readonly at: Point;
    readonly anchor: 'start' | 'middle' | 'end';
  };
  readonly hasRoom: boolean;
  readonly description: string;
  readonly isGuest: boolean;
  readonly isAnswering: boolean;
  readonly isOwn: boolean;
  readonly isSelected: boolean;
};

export type Line = { readonly id: string; readonly path: string };

export type Scene = {
  readonly circle: Circle;
  readonly spotRadius: number;
  readonly spots: readonly Spot[];
  readonly successors: readonly Line[];
  readonly hasHeads: boolean;
  readonly fingers: readonly Line[];
  /** Where the key of the trace lies; undefined without one. */
  readonly keyAt: Point | undefined;
  /** How many peers the fingers are of. */
  readonly fingeredCount: number;
};

export function sceneOf(input: SceneInput): Scene {
  const { peers, selected, trace, width, height } = input;
  const onTheWay = new Set(trace?.hops.map(({ peer }) => peer.ringId));
  const isWanted = ({ peer, isAnswering }: ShownPeer): boolean =>
    peer.ringId === selected || onTheWay.has(peer.ringId) || !isAnswering;
  const drawn = sample(peers, DRAWN_MAX, isWanted);
  const margin = width < 520 ? 72 : 132;
  const radius = Math.max(Math.min(width / 2 - margin, height / 2 - 36), 40);
  const centre = { x: width / 2, y: height / 2 };
  const circle = { centre, radius, ringSize: input.ringSize };
  const spacing = (TURN * radius) / Math.max(drawn.length, 1);
  const spotRadius = Math.min(Math.max(spacing * 0.3, 2.5), 8);
  const fingered = fingeredOf(input, drawn);
  return {
    circle,
    spotRadius,
    spots: spotsOf(input, drawn, circle, margin),
    successors: successorLines(peers, drawn, circle, spotRadius + 3),
    hasHeads: spacing >= HEADS_FROM_PX,
    keyAt: trace && pointAt(angleOf(trace.position, circle), circle, radius),
    fingers: fingered.flatMap((shown) => fingerLines(shown, circle, spotRadius + 3)),
    fingeredCount: fingered.length,
  };
}

function spotsOf(
  { peers, ownRingId, selected }: SceneInput,
  drawn: readonly ShownPeer[],
  circle: Circle,
  margin: number,
): readonly Spot[] {
  const sharedHost = sharedHostOf(peers.map(({ peer }) => peer));
  const charsMax = Math.floor((margin - LABEL_GAP_PX - 6) / LABEL_CHAR_PX);
  const spots = drawn.map((shown) => {
    const { peer, isAnswering } = shown;
    const angle = angleOf(peer.ringId, circle);
    const text = shortName(peer, sharedHost, charsMax);
    return {
      ringId: peer.ringId,
      at: pointAt(angle, circle, circle.radius),
      label: { text, at: labelOffset(angle), anchor: anchorOf(angle) },
      description: description(shown),
      isGuest: dialectOf(peer) !== undefined,
      isAnswering,
      isOwn: peer.ringId === ownRingId,
      isSelected: peer.ringId === selected,
    };
  });
  const labelled = labelledOf(spots);
  return spots.map((spot) => ({ ...spot, hasRoom: labelled.has(spot.ringId) }));
}

/** Whose label is shown: first of those that one looks for, then of whom there is room for. */
function labelledOf(spots: readonly Omit<Spot, 'hasRoom'>[]): ReadonlySet<number> {
  const isSought = ({ isSelected, isOwn, isGuest, isAnswering }: (typeof spots)[number]) =>
    isSelected || isOwn || isGuest || !isAnswering;
  const ordered = [...spots.filter(isSought), ...spots.filter((spot) => !isSought(spot))];
  const room = roomFor(ordered.map(boxOf));
  return new Set(ordered.flatMap(({ ringId }, index) => (room[index] === true ? [ringId] : [])));
}

function boxOf({ at, label }: Pick<Spot, 'at' | 'label'>): Box {
  const width = label.text.length * LABEL_CHAR_PX;
  const share = { start: 0, middle: 0.5, end: 1 }[label.anchor];
  const left = at.x + label.at.x - share * width;
  const top = at.y + label.at.y - LABEL_PX / 2;
  return { left, right: left + width, top, bottom: top + LABEL_PX };
}

/** An arrow to the next peer goes along the circle, one that skips somebody across it. */
function successorLines(
  peers: readonly ShownPeer[],
  drawn: readonly ShownPeer[],
  circle: Circle,
  gap: number,
): readonly Line[] {
  const nextOf = new Map(
    peers.map(({ peer }, index) => [peer.ringId, peers[(index + 1) % peers.length]?.peer.ringId]),
  );
  return drawn.flatMap(({ peer, view, isAnswering }) => {
    const to = view?.successors[0]?.ringId;
    if (to === undefined || !isAnswering) return [];
    const draw = nextOf.get(peer.ringId) === to ? arcPath : chordPath;
    const path = draw(angleOf(peer.ringId, circle), angleOf(to, circle), circle, gap);
    return [{ id: String(peer.ringId), path }];
  });
}

/** The selected peer, or some of all when all are asked for. */
function fingeredOf(
  { selected, showsFingers }: SceneInput,
  drawn: readonly ShownPeer[],
): readonly ShownPeer[] {
  const one = drawn.filter(({ peer }) => peer.ringId === selected);
  return showsFingers && one.length === 0 ? sample(drawn, FINGERED_MAX, () => false) : one;
}

function fingerLines({ peer, view }: ShownPeer, circle: Circle, gap: number): readonly Line[] {
  const targets = new Set(view?.fingers.flatMap(({ to }) => to ?? []));
  targets.delete(peer.ringId);
  return [...targets].map((to) => ({
    id: `${peer.ringId}-${to}`,
    path: chordPath(angleOf(peer.ringId, circle), angleOf(to, circle), circle, gap),
  }));
}

function labelOffset(angle: number): Point {
  const { x, y } = { x: Math.sin(angle), y: -Math.cos(angle) };
  return { x: x * LABEL_GAP_PX, y: y * (LABEL_GAP_PX + 3) };
}

function anchorOf(angle: number): 'start' | 'middle' | 'end' {
  const x = Math.sin(angle);
  if (Math.abs(x) < 0.15) return 'middle';
  return x > 0 ? 'start' : 'end';
}
