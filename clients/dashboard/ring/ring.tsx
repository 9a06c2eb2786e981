/** The ring as a picture, as large as there is room for. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { TraceJson } from '../../../services/dashboard/messages.js';
import type { Model } from '../model.js';
import { count, counted } from '../words.js';
import { isCalm, RingDrawing } from './drawing.js';
import { angleOf, chordPath, type Circle } from './geometry.js';
import { sceneOf, type Line, type Scene } from './scene.js';

/** How long each hop of a way is drawn. */
export const HOP_MS = 600;

export type RingProps = {
  readonly model: Model;
  readonly selected: number | undefined;
  readonly onSelect: (ringId: number | undefined) => void;
  readonly trace: TraceJson | undefined;
};

export function Ring({ model, selected, onSelect, trace }: RingProps) {
  const svg = useRef<SVGSVGElement>(null);
  const drawing = useRef<RingDrawing>(undefined);
  const [{ width, height }, measure] = useSize();
  const [showsFingers, setShowsFingers] = useState(false);
  const { peers, node } = model;
  const ownRingId = node?.ringId;
  const ringSize = node?.ringSize ?? 1;
  const scene = useMemo(
    () => sceneOf({ peers, ringSize, ownRingId, selected, showsFingers, trace, width, height }),
    [peers, ringSize, ownRingId, selected, showsFingers, trace, width, height],
  );

  useEffect(() => {
    if (svg.current === null) return;
    drawing.current ??= new RingDrawing(svg.current, { select: onSelect });
    drawing.current.draw(scene);
  }, [scene, onSelect]);

  useEffect(() => {
    const lines = trace === undefined ? [] : wayOf(trace, scene.circle);
    drawing.current?.drawTrace(lines, isCalm() ? 0 : HOP_MS);
    // The way is drawn anew when another is asked for, or the circle has another size.
  }, [trace, width, height]);

  return (
    <div class="stage" ref={measure}>
      <svg
        ref={svg}
        width={width}
        height={height}
        role="group"
        aria-label={`Ring of ${counted(peers.length, 'peer')}. Arrow keys go round, Enter selects.`}
      >
        <defs>
          <marker
            id="head"
            viewBox="0 0 8 8"
            refX="6"
            refY="4"
            markerWidth="6"
            markerHeight="6"
            orient="auto"
          >
            <path d="M0 0.5L8 4L0 7.5Z" />
          </marker>
        </defs>
      </svg>
      <div class="stage-foot">
        <label>
          <input
            type="checkbox"
            checked={showsFingers}
            onChange={(event) => setShowsFingers(event.currentTarget.checked)}
          />{' '}
          Fingers of all
        </label>
        <span class="quiet">{remarks(scene, peers.length, showsFingers)}</span>
      </div>
    </div>
  );
}

/** What is not drawn, or not of all. */
function remarks(
  { spots, fingeredCount }: Scene,
  peerCount: number,
  showsFingers: boolean,
): string {
  const labelled = spots.filter(({ hasRoom }) => hasRoom).length;
  const texts = [
    ...(spots.length < peerCount ? [`${count(spots.length)} of ${count(peerCount)} drawn`] : []),
    ...(labelled < spots.length ? [`${count(labelled)} of ${count(spots.length)} labelled`] : []),
    ...(showsFingers && fingeredCount < spots.length ? [`fingers of ${count(fingeredCount)}`] : []),
  ];
  return texts.join(', ');
}

function wayOf({ origin, hops }: TraceJson, circle: Circle): readonly Line[] {
  const stops = [origin, ...hops.map(({ peer }) => peer)].map(({ ringId }) => ringId);
  return stops.slice(1).map((to, index) => ({
    id: String(index),
    path: chordPath(angleOf(stops[index] ?? 0, circle), angleOf(to, circle), circle, 6),
  }));
}

/** The size of an element, and what to give it as its ref. */
function useSize() {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (element.current === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      setSize({ width, height: Math.min(width, 620) });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [size, element] as const;
}
