/**
 * What a run is to suffer: how many nodes, on what network, and which faults when.
 *
 * A plan and a seed determine a run wholly. Every random choice that a fault makes (whom it hits)
 * comes from the fault's own `draw`, so that leaving one fault out changes nothing for the others.
 */
import type { TablePlan } from './table/table-plan.js';

/** One-way delay of a packet; all in ms. */
export type Delay =
  | { readonly distribution: 'constant'; readonly value: number }
  | { readonly distribution: 'uniform'; readonly min: number; readonly max: number }
  /** Cut off at `EXPONENTIAL_CUT` times the mean. */
  | { readonly distribution: 'exponential'; readonly mean: number };

export const EXPONENTIAL_CUT = 5;

export type NetworkFaults = {
  /** Share of packets lost, `[0, 1)`. */
  readonly loss: number;
  /** Share of packets that arrive twice. */
  readonly duplication: number;
  /** Share of packets held back by up to a second, so that later ones overtake them. */
  readonly reordering: number;
  readonly delay: Delay;
};

export const CALM: NetworkFaults = {
  loss: 0,
  duplication: 0,
  reordering: 0,
  delay: { distribution: 'uniform', min: 1, max: 5 },
};

/** Whom a fault hits: these nodes, a share of those it may hit, or so many of them (1). */
export type Target = {
  readonly nodes?: readonly string[] | undefined;
  readonly share?: number | undefined;
  readonly count?: number | undefined;
};

/** Which packets a partition stops: both ways, those into the cut-off part, or those out of it. */
export type Direction = 'both' | 'in' | 'out';

/** Undone after so many ms; without it at the end of the faults. */
type Passing = { readonly for?: number | undefined };
/** Whether it is skipped where Zave's model does not let the node go, lest the invariant break. */
type Careful = { readonly onlyIfLegal: boolean };

export type FaultKind =
  /** Kill -9: only what the node keeps on disk stays. Starts again after `for`, if given. */
  | ({ readonly kind: 'crash' } & Target & Careful & Passing)
  /** Kill -9, and the disk is lost with it. Of use with a table only. */
  | ({ readonly kind: 'wipe' } & Target & Careful & Passing)
  /** Goes, and says so. */
  | ({ readonly kind: 'leave' } & Target & Careful)
  /** Starts a node that is down again. */
  | ({ readonly kind: 'restart' } & Target)
  /** New nodes: these, or so many (1), called by the next free numbers. */
  | ({ readonly kind: 'join' } & Omit<Target, 'share'>)
  /** SIGSTOP, and SIGCONT after `for`. */
  | ({ readonly kind: 'pause' } & Target & Passing)
  /** Packets to and from the node take so many ms longer, each way. */
  | ({ readonly kind: 'slow'; readonly delay: number } & Target & Passing)
  /** The node's clock runs at this rate; 1 is right. */
  | ({ readonly kind: 'clock'; readonly rate: number } & Target & Passing)
  | ({ readonly kind: 'partition'; readonly direction: Direction } & Target & Passing)
  /** Ends all partitions. */
  | { readonly kind: 'mend' }
  /** Another network from now on. */
  | { readonly kind: 'network'; readonly network: NetworkFaults };

export type Fault = FaultKind & {
  /** Milliseconds since the beginning of the faults. */
  readonly at: number;
  /** Seed of this fault's random choices. */
  readonly draw: number;
};

export type Plan = {
  /** Nodes when the faults begin. */
  readonly nodes: number;
  /** r: length of the successor lists. */
  readonly successors: number;
  /** Virtual milliseconds under faults. */
  readonly time: number;
  /** In force when the faults begin. */
  readonly network: NetworkFaults;
  readonly faults: readonly Fault[];
  /** The hash table on the ring; without it the run is about the ring alone. */
  readonly table?: TablePlan | undefined;
};

export const PLAN_LIMITS = {
  nodesMax: 20_000,
  successorsMin: 2,
  successorsMax: 16,
  timeMsMax: 24 * 60 * 60 * 1_000,
  faultsMax: 20_000,
} as const;
