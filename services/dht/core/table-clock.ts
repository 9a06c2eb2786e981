/** Time, as the table's core is told of it; both in ms, integers or not. */
export type TableClock = {
  /** The time of day, since the epoch: for versions and ends. May jump. */
  readonly wallMs: () => number;
  /** Since some moment: for intervals. Never jumps. */
  readonly steadyMs: () => number;
};
