/** How fast the simulator is: time and memory depend on the machine, nothing else here does. */
import { MEMBER_LIMITS } from '../../services/peer/core/member.js';
import { growRing, runFor } from '../grown-ring.js';

export type Speed = {
  /** The largest ring: grown by joins, and asked all its lookups. */
  readonly nodes: number;
  readonly lookups: number;
  readonly seconds: number;
  readonly peakMiB: number;
  /** Virtual time over real time, 100 peers with default limits and no faults. */
  readonly virtualOverReal: number;
};

const PEERS = 100;
const VIRTUAL_MS = 120_000;

export function measureVirtualOverReal(): number {
  const { successorsMax, knownMax } = MEMBER_LIMITS;
  const { world } = growRing({ nodes: PEERS, successorsMax, seed: 1, limits: { knownMax } });
  const startMs = performance.now();
  runFor(world, VIRTUAL_MS);
  return VIRTUAL_MS / (performance.now() - startMs);
}

/** Most memory this program has had so far. */
export function peakMiB(): number {
  return process.resourceUsage().maxRSS / 1_024;
}
