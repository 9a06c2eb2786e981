/** How an endpoint is checked, and what a check can find. */

/** What is done to see whether an endpoint is well. Without a port: the port of the endpoint. */
export type CheckMethod =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'grpc';
      /** Empty: the server as a whole. */
      readonly service: string;
      readonly port: number | undefined;
      readonly isTls: boolean;
    }
  | { readonly kind: 'tcp'; readonly port: number | undefined }
  | {
      readonly kind: 'http';
      /** Path and query, beginning with `/`. */
      readonly path: string;
      readonly port: number | undefined;
      readonly isTls: boolean;
    }
  | { readonly kind: 'legacy'; readonly dialect: string };

export type HealthCheck = {
  readonly method: CheckMethod;
  /** From the end of one check to the start of the next. */
  readonly intervalMs: number;
  /** A check without a result for so long has failed. */
  readonly timeoutMs: number;
  /** Checks in a row that must pass before an unhealthy endpoint is healthy again. */
  readonly healthyThreshold: number;
  /** Checks in a row that must fail before a healthy endpoint is unhealthy. */
  readonly unhealthyThreshold: number;
  /** Checks in a row that must fail before the endpoint is removed. */
  readonly removalThreshold: number;
};

/**
 * Whether it is checked again and again. Programs that speak a legacy dialect answer one question at a
 * time: they are asked when somebody complains, and are healthy while their lease lives.
 */
export function isPeriodic({ method }: HealthCheck): boolean {
  return method.kind !== 'none' && method.kind !== 'legacy';
}

export type CheckOutcome = {
  readonly hasPassed: boolean;
  /** What was seen, such as `passed` or `connection refused`, for people to read. */
  readonly text: string;
};
