/** How the hash table of a run is set up and used; a part of the plan. */
import type { Replication } from '../../dht/core/replica-set.js';

export type TablePlan = Replication & {
  /** Different keys that are written and read. */
  readonly keys: number;
  /** Calls of all nodes together, per virtual second. */
  readonly callsPerSecond: number;
  /** How long the dead are kept. */
  readonly graceMs: number;
  /** A write reaches the disk after so many ms, at most. */
  readonly diskMsMax: number;
};
