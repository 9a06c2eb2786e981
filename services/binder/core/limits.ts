/** What a binder does by default; some of it is an option of the node. */
import type { BinderLimits } from './binder.js';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

export const BINDER_LIMITS = {
  endpointsMax: 100_000,
  rememberedMs: HOUR,
  /** Half of a service may go within one TTL, if it has at least as many endpoints as here. */
  protection: { share: 0.5, endpointsMin: 4 },
  fellowship: { pingMs: SECOND, silentMs: 3 * SECOND, retryMsMax: 4 * SECOND },
  /** Each is a socket. */
  checksMax: 256,
} as const satisfies BinderLimits;

/** Time between two beats of a binder. */
export const BEAT_MS = 50;
