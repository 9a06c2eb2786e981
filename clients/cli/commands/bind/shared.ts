/** How the commands on services show what they are given. */
import type { Endpoint, Evidence, Registration } from '../../../sdk/index.js';
import { printable, say } from '../../output.js';

/** The JSON contract: 64 bits as text, as in proto3 JSON. */
export function registrationRecord({ fencingToken, ...rest }: Registration): object {
  return { ...rest, fencingToken: String(fencingToken) };
}

/** An endpoint in one line: where, how well, what else. */
export function endpointLine({ address, health, healthCheck, metadata }: Endpoint): string {
  const check = healthCheck === undefined ? [] : [`by ${healthCheck.kind}`];
  const rest = Object.entries(metadata).map(([key, value]) => `${key}=${value}`);
  return printable([address, health, ...check, ...rest].join('  '));
}

const COLUMNS = ['TIME', 'OBSERVER', 'CHECK', 'OUTCOME', 'RULE'] as const;

/** Observations as a table, with a line that names the columns. */
export function evidenceLines(evidence: readonly Evidence[]): readonly string[] {
  const rows = evidence.map(({ time, observer, check, outcome, rule }) =>
    [time?.toISOString() ?? '-', observer, check, outcome, rule === '' ? '-' : rule].map(printable),
  );
  const all: readonly (readonly string[])[] = [COLUMNS, ...rows];
  const widths = COLUMNS.map((_, column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0)),
  );
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A time as `--ttl` takes it. */
export function durationText(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${Math.round(ms)}ms`;
}

/** Says what makes an answer less than certain. */
export function sayDoubts({
  protectionActive,
  ageMs,
}: {
  readonly protectionActive: boolean;
  readonly ageMs?: number;
}): void {
  if (protectionActive) {
    say('protection mode: too many endpoints would go, so none is removed; some may be dead');
  }
  if (ageMs !== undefined) {
    say(`${durationText(ageMs)} old: the store of the binders does not answer`);
  }
}
