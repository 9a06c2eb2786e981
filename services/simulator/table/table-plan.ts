/** How the hash table of a run is set up and used; a part of the plan. */
import type { Replication } from '../../dht/core/replica-set.js';

export type TablePlan = Replication & {
  /** Different keys that are written and read. */
  readonly keys: number;
  /** Calls of all nodes together, per virtual second. */
  readonly callsPerSecond: number;
  /** How long the dead are kept, in ms. */
  readonly grace: number;
  /** A write reaches the disk after so many ms, at most. */
  readonly disk: number;
};

export const USUAL_TABLE: TablePlan = {
  copies: 3,
  readQuorum: 2,
  writeQuorum: 2,
  keys: 30,
  callsPerSecond: 20,
  grace: 24 * 60 * 60 * 1_000,
  disk: 10,
};
