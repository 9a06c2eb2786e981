/** How an endpoint of an original service is checked, which is when somebody complains. */
export const LIEUR_CHECK = {
  method: { kind: 'legacy', dialect: 'lieur' },
  intervalMs: 60_000,
  timeoutMs: 2_000,
  healthyThreshold: 1,
  unhealthyThreshold: 1,
  removalThreshold: 3,
} as const;
