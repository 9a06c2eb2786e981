/** A ring in an SVG: draws a scene, moves what changed, and goes round by keyboard. */
import { select, type Selection } from 'd3-selection';
import 'd3-transition';
import type { Line, Scene, Spot } from './scene.js';

const APPEAR_MS = 500;
const VANISH_MS = 900;
/** Points at the circle from inside when it stands at the top. */
const KEY = 'M0 3L5 13L-5 13Z';
const SQUARE = 'M0-1L1 0L0 1L-1 0Z';

type Layer = Selection<SVGGElement, unknown, null, undefined>;

export type RingActions = {
  readonly select: (ringId: number | undefined) => void;
};

export class RingDrawing {
  readonly #actions: RingActions;
  readonly #circle: Selection<SVGCircleElement, unknown, null, undefined>;
  readonly #fingers: Layer;
  readonly #successors: Layer;
  readonly #trace: Layer;
  readonly #key: Selection<SVGPathElement, unknown, null, undefined>;
  readonly #spots: Layer;
  #order: readonly number[] = [];
  /** Where the keyboard is; the one peer that Tab reaches. */
  #current: number | undefined;

  constructor(svg: SVGSVGElement, actions: RingActions) {
    this.#actions = actions;
    const root = select(svg);
    this.#circle = root.append('circle').attr('class', 'orbit');
    this.#fingers = root.append('g').attr('class', 'fingers');
    this.#successors = root.append('g').attr('class', 'successors');
    this.#trace = root.append('g').attr('class', 'trace');
    this.#key = root.append('path').attr('class', 'key').attr('d', KEY);
    this.#spots = root.append('g').attr('class', 'spots');
    root.on('keydown', (event: KeyboardEvent) => this.#steer(event));
    root.on('click', (event: MouseEvent) => {
      if (event.target === svg) actions.select(undefined);
    });
  }

  draw(scene: Scene): void {
    const { centre, radius } = scene.circle;
    this.#circle.attr('cx', centre.x).attr('cy', centre.y).attr('r', radius);
    this.#order = scene.spots.map(({ ringId }) => ringId);
    const selected = scene.spots.find(({ isSelected }) => isSelected)?.ringId;
    this.#current = selected ?? this.#current;
    if (!this.#order.includes(this.#current ?? -1)) this.#current = this.#order[0];
    this.#successors.classed('has-heads', scene.hasHeads);
    drawLines(this.#successors, scene.successors);
    drawLines(this.#fingers, scene.fingers);
    this.#drawKey(scene);
    this.#drawSpots(scene);
  }

  /** Draws a way, step by step, `stepMs` each; the one before is gone at once. */
  drawTrace(lines: readonly Line[], stepMs: number): void {
    this.#trace.selectAll('path').interrupt().remove();
    this.#trace
      .selectAll('path')
      .data(lines)
      .join('path')
      .attr('d', ({ path }) => path)
      .attr('pathLength', 1)
      .attr('stroke-dasharray', 1)
      .attr('stroke-dashoffset', stepMs === 0 ? 0 : 1)
      .transition()
      .delay((_line, index) => index * stepMs)
      .duration(stepMs)
      .attr('stroke-dashoffset', 0);
  }

  #drawKey({ keyAt, circle: { centre } }: Scene): void {
    this.#key.attr('visibility', keyAt === undefined ? 'hidden' : 'visible');
    if (keyAt === undefined) return;
    const degrees = (Math.atan2(keyAt.x - centre.x, centre.y - keyAt.y) * 180) / Math.PI;
    this.#key.attr('transform', `translate(${keyAt.x} ${keyAt.y}) rotate(${degrees})`);
  }

  #drawSpots({ spots, spotRadius }: Scene): void {
    const duration = isCalm() ? 0 : 1;
    const joined = this.#spots
      .selectAll<SVGGElement, Spot>('g.spot:not(.is-gone)')
      .data(spots, ({ ringId }) => ringId)
      .join(
        (enter) => this.#enter(enter.append('g'), APPEAR_MS * duration),
        (update) => update,
        (exit) => {
          exit.attr('class', 'spot is-gone').attr('tabindex', null).attr('role', null);
          exit
            .transition()
            .duration(VANISH_MS * duration)
            .attr('opacity', 0)
            .remove();
          return exit;
        },
      )
      .order();
    joined
      .attr('transform', ({ at }) => `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`)
      .attr('class', classesOf)
      .attr('data-ring-id', ({ ringId }) => ringId)
      .attr('tabindex', ({ ringId }) => (ringId === this.#current ? 0 : -1))
      .attr('aria-pressed', ({ isSelected }) => String(isSelected))
      .attr('aria-label', (spot) => spot.description);
    joined.select('path.shape').attr('transform', `scale(${spotRadius * 1.25})`);
    joined.select('circle.shape').attr('r', spotRadius);
    joined.select('circle.halo').attr('r', spotRadius + 4);
    joined.select('path.cross').attr('transform', `scale(${spotRadius + 3})`);
    joined
      .select('text')
      .attr('x', ({ label }) => label.at.x)
      .attr('y', ({ label }) => label.at.y)
      .attr('text-anchor', ({ label }) => label.anchor)
      .text(({ label }) => label.text);
  }

  #enter(
    spots: Selection<SVGGElement, Spot, SVGGElement, unknown>,
    ms: number,
  ): Selection<SVGGElement, Spot, SVGGElement, unknown> {
    spots.attr('role', 'button').attr('opacity', 0);
    spots.append('circle').attr('class', 'halo');
    spots
      .filter(({ isGuest }) => isGuest)
      .append('path')
      .attr('class', 'shape')
      .attr('d', SQUARE);
    spots
      .filter(({ isGuest }) => !isGuest)
      .append('circle')
      .attr('class', 'shape');
    spots.append('path').attr('class', 'cross').attr('d', 'M-1-1L1 1M1-1L-1 1');
    spots.append('text').attr('dy', '0.35em');
    spots.on('click', (_event: MouseEvent, { ringId }) => this.#actions.select(ringId));
    spots.transition().duration(ms).attr('opacity', 1);
    return spots;
  }

  /** Arrow keys go round, Home and End to either end, Enter and space choose, Escape lets go. */
  #steer(event: KeyboardEvent): void {
    const index = this.#order.indexOf(this.#current ?? -1);
    const last = this.#order.length - 1;
    const next: Readonly<Record<string, number>> = {
      ArrowRight: index === last ? 0 : index + 1,
      ArrowDown: index === last ? 0 : index + 1,
      ArrowLeft: index <= 0 ? last : index - 1,
      ArrowUp: index <= 0 ? last : index - 1,
      Home: 0,
      End: last,
    };
    const target = next[event.key];
    if (target !== undefined) this.#goTo(this.#order[target]);
    else if (event.key === 'Enter' || event.key === ' ') this.#actions.select(this.#current);
    else if (event.key === 'Escape') this.#actions.select(undefined);
    else return;
    event.preventDefault();
  }

  #goTo(ringId: number | undefined): void {
    this.#current = ringId;
    this.#spots
      .selectAll<SVGGElement, Spot>('g.spot:not(.is-gone)')
      .attr('tabindex', (spot) => (spot.ringId === ringId ? 0 : -1))
      .filter((spot) => spot.ringId === ringId)
      .node()
      ?.focus();
  }
}

/** Whether the reader wants no motion. */
export function isCalm(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

function drawLines(layer: Layer, lines: readonly Line[]): void {
  layer
    .selectAll<SVGPathElement, Line>('path')
    .data(lines, ({ id }) => id)
    .join('path')
    .attr('d', ({ path }) => path);
}

function classesOf({ isGuest, isAnswering, isOwn, isSelected, hasRoom }: Spot): string {
  const classes = {
    'is-guest': isGuest,
    'is-silent': !isAnswering,
    'is-own': isOwn,
    'is-selected': isSelected,
    'is-crowded': !hasRoom,
  };
  return ['spot', ...Object.entries(classes).flatMap(([name, has]) => (has ? [name] : []))].join(
    ' ',
  );
}
