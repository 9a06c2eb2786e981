/** The committed document: its figures are within their targets, and its plots are there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TABLE_2, TABLE_3 } from '../../bench/chord-tables/paper.js';

const FOLDER = new URL('../../docs/', import.meta.url);
const text = readFileSync(new URL('chord-tables.md', FOLDER), 'utf8');

/** Rows of the first table after a heading, each as its cells. */
function rowsAfter(heading: string): readonly (readonly string[])[] {
  const [, after = ''] = text.split(heading);
  const lines = after.split('\n');
  const start = lines.findIndex((line) => line.startsWith('| ---')) + 1;
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines.slice(start, start + length).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/**
 * Failures in 10,000 that are let pass where the paper has none: the lookup ended just when a peer had
 * joined that nobody had been told of. The document calls such a row missed all the same.
 */
const UNTOLD_MAX = 1;

const numberOf = (cell: string | undefined): number =>
  Number.parseFloat((cell ?? '').replaceAll(',', ''));

describe('the path lengths', () => {
  const rows = rowsAfter('## Path length');

  it('go from 8 to 16,384 peers', () => {
    expect(rows.map(([nodes]) => numberOf(nodes))).toEqual(
      Array.from({ length: 12 }, (_, index) => 2 ** (index + 3)),
    );
  });

  it.each(rows.filter(([nodes]) => numberOf(nodes) >= 256))(
    'are within 5 %% of the paper for %s peers',
    (nodes, _rings, forwards, expected) => {
      expect(numberOf(expected)).toBe(Math.log2(numberOf(nodes)) / 2);
      expect(Math.abs(numberOf(forwards) / numberOf(expected) - 1)).toBeLessThanOrEqual(0.05);
    },
  );

  it('are within 3 % of the paper with lists of 20', () => {
    const [row] = rowsAfter('With lists of 20');
    expect(row?.slice(0, 2)).toEqual(['1,000', '20']);
    expect(Math.abs(numberOf(row?.[2]) / 3.84 - 1)).toBeLessThanOrEqual(0.03);
  });
});

describe('many failures at once', () => {
  const rows = rowsAfter('## Many failures');

  it.each(TABLE_2)('fail no lookup with $fraction dead', ({ fraction, pathLength }) => {
    const row = rows.find(([dead]) => numberOf(dead) === fraction);
    expect(row?.[6]).toBe('0');
    expect(numberOf(row?.[1])).toBeLessThanOrEqual(pathLength.mean * 1.05);
  });
});

describe('churn', () => {
  const rows = rowsAfter('## Peers that come and go');

  it.each(TABLE_3)(
    'fails hardly more lookups than in the paper at $perSecond per second',
    ({ perSecond, failuresPer10000 }) => {
      const row = rows.find(([rate]) => numberOf(rate) === perSecond);
      expect(numberOf(row?.[5])).toBeGreaterThanOrEqual(10_000);
      expect(numberOf(row?.[7])).toBeLessThanOrEqual(Math.max(failuresPer10000, UNTOLD_MAX));
    },
  );
});

describe('the plots', () => {
  const plots = [...text.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, path]) => path ?? '');

  it('are four', () => {
    expect(plots).toHaveLength(4);
  });

  it.each(plots)('include %s', (path) => {
    expect(readFileSync(new URL(path, FOLDER), 'utf8')).toMatch(/^<svg /);
  });
});
