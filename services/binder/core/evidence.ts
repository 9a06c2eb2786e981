/** What binders observe about endpoints, and which rule decided what followed. */
import type { CheckMethod } from './health-check.js';

/** How something was observed. */
export type Observation =
  'REGISTRATION' | 'LEASE' | 'GRPC' | 'TCP' | 'HTTP' | 'LEGACY' | 'REPORT' | 'DEREGISTRATION';

/** What decided; no rule when nothing followed. */
export type Rule =
  | 'REGISTERED'
  | 'FIRST_CHECK'
  | 'HEALTHY_THRESHOLD'
  | 'UNHEALTHY_THRESHOLD'
  | 'REMOVAL_THRESHOLD'
  | 'LEASE_ENDED'
  | 'LEASE_RENEWED'
  | 'LEASE_TAKEN_OVER'
  | 'REPORT_PROVED'
  | 'REPORT_REFUTED'
  | 'DEREGISTERED'
  | 'PROTECTION_MODE';

export type Evidence = {
  /** Address of the binder that saw it. */
  readonly observer: string;
  readonly check: Observation;
  /** For people to read. */
  readonly outcome: string;
  /** Milliseconds since the epoch, by the observer's clock. */
  readonly atMs: number;
  readonly rule: Rule | undefined;
};

/** Most observations that are remembered of one endpoint. */
export const EVIDENCE_MAX = 64;

const BY_METHOD = {
  none: 'TCP',
  grpc: 'GRPC',
  tcp: 'TCP',
  http: 'HTTP',
  legacy: 'LEGACY',
} as const;

/** How a check of this kind counts; without a check of its own, an endpoint is connected to. */
export function observationBy({ kind }: CheckMethod): Observation {
  return BY_METHOD[kind];
}

/**
 * The log with one more at its end, and without the oldest when it would be too long. What repeats
 * the last one takes its place: who registers every second fills no log.
 */
export function withEvidence(log: readonly Evidence[], next: Evidence): readonly Evidence[] {
  const last = log.at(-1);
  const isRepeat = last !== undefined && isRepeated(last, next);
  return [...(isRepeat ? log.slice(0, -1) : log), next].slice(-EVIDENCE_MAX);
}

function isRepeated(one: Evidence, other: Evidence): boolean {
  const { observer, check, outcome, rule } = one;
  return (
    observer === other.observer &&
    check === other.check &&
    outcome === other.outcome &&
    rule === other.rule
  );
}
