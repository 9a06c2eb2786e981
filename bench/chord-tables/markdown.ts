/** Pieces of Markdown, and how numbers are written in it. */
import type { Summary } from './statistics.js';

export type Cells = readonly (string | number)[];

export function table(headings: readonly string[], rows: readonly Cells[]): string {
  const line = (cells: Cells): string => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Mean, and in brackets the 1st and the 99th percentile. */
export function triple({ mean, first, last }: Summary): string {
  return `${mean.toFixed(2)} (${first}, ${last})`;
}

export function thousands(count: number): string {
  return count.toLocaleString('en-US');
}

export function verdict(isMet: boolean): string {
  return isMet ? 'met' : 'missed';
}
