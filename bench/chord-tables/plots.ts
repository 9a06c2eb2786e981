/** The paper's Figures 8, 9 and 10, drawn from what was measured; each an SVG text. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Measurements } from './measurements.js';
import { expectedForwards } from './paper.js';
import { sharesOf, type Summary } from './statistics.js';

type Plot = { readonly file: string; readonly spec: TopLevelSpec };
type Axis = { readonly field: string; readonly title: string; readonly scale?: object };

export async function drawPlots(
  measured: Measurements,
): Promise<readonly { readonly file: string; readonly svg: string }[]> {
  const plots = [pathLength(measured), pathSpread(measured), load(measured), virtual(measured)];
  return Promise.all(plots.map(async ({ file, spec }) => ({ file, svg: await svgOf(spec) })));
}

async function svgOf(spec: TopLevelSpec): Promise<string> {
  return `${await new View(parse(compile(spec).spec)).toSVG()}\n`;
}

function pathLength({ paths }: Measurements): Plot {
  const x: Axis = { field: 'x', title: 'peers', scale: { type: 'log', base: 2 } };
  const values = paths.map(({ nodes, forwards }) => ({
    ...point(nodes, forwards),
    expected: expectedForwards(nodes),
  }));
  const line = {
    mark: { type: 'line' as const, strokeDash: [4, 3], color: '#888' },
    encoding: { x: quantity(x), y: { field: 'expected', type: 'quantitative' as const } },
  };
  const title = 'Path length: mean, 1st and 99th percentile; dashed: ½·log2 N';
  return { file: 'path-length.svg', spec: barred({ title, x, y: 'forwards', values }, [line]) };
}

function pathSpread({ paths, scale }: Measurements): Plot {
  const spread = paths.find(({ nodes }) => nodes === scale.spreadNodes);
  return {
    file: 'path-length-pdf.svg',
    spec: {
      ...frame(`Share of lookups by path length, ${scale.spreadNodes} peers`),
      data: { values: [...sharesOf(spread?.forwardsOfEach ?? [])] },
      mark: { type: 'bar', color: '#4c78a8' },
      encoding: {
        x: { field: 'value', type: 'ordinal', title: 'forwards', axis: { labelAngle: 0 } },
        y: { field: 'share', type: 'quantitative', title: 'share of lookups' },
      },
    },
  };
}

function load({ loadByKeys, scale }: Measurements): Plot {
  const x: Axis = { field: 'x', title: 'keys' };
  const values = loadByKeys.map(({ keys, keysOfPeer }) => point(keys, keysOfPeer));
  const title = `Keys of a peer, ${scale.loadPeers} peers: mean, 1st and 99th percentile`;
  return { file: 'load-by-keys.svg', spec: barred({ title, x, y: 'keys of a peer', values }) };
}

function virtual({ loadByVirtualNodes }: Measurements): Plot {
  const x: Axis = { field: 'x', title: 'virtual nodes of each peer' };
  const values = loadByVirtualNodes.map((row) => point(row.virtualNodes, row.keysOfPeer));
  const title = 'Keys of a peer by virtual nodes: mean, 1st and 99th percentile';
  return {
    file: 'load-by-virtual-nodes.svg',
    spec: barred({ title, x, y: 'keys of a peer', values }),
  };
}

function point(x: number, { mean, first, last }: Summary): object {
  return { x, mean, first, last };
}

type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number];

/** Means as points, with bars from the 1st to the 99th percentile. */
function barred(
  { title, x, y, values }: { title: string; x: Axis; y: string; values: readonly object[] },
  more: readonly Layer[] = [],
): TopLevelSpec {
  const bar: Layer = {
    mark: { type: 'rule', color: '#4c78a8' },
    encoding: {
      x: quantity(x),
      y: { field: 'first', type: 'quantitative', title: y },
      y2: { field: 'last' },
    },
  };
  const dot: Layer = {
    mark: { type: 'point', filled: true, size: 45, opacity: 1, color: '#4c78a8' },
    encoding: { x: quantity(x), y: { field: 'mean', type: 'quantitative' } },
  };
  return { ...frame(title), data: { values: [...values] }, layer: [bar, ...more, dot] };
}

function quantity({ field, title, scale }: Axis): {
  field: string;
  type: 'quantitative';
  title: string;
  scale?: object;
} {
  return { field, type: 'quantitative', title, ...(scale === undefined ? {} : { scale }) };
}

function frame(title: string): Pick<TopLevelSpec, 'title' | 'config' | 'background'> & {
  width: number;
  height: number;
} {
  return {
    title,
    width: 520,
    height: 300,
    background: 'white',
    config: { font: 'sans-serif' },
  };
}
