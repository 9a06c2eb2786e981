/**
 * Every refusal that a caller can get: its reason, its gRPC status, and whether asking again helps.
 *
 * The reason and the keys of the facts are a promise to callers; the text is not.
 */

/** gRPC status names that Ringbinder produces itself. */
export type StatusName =
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS';

export type ErrorSpec = {
  readonly status: StatusName;
  /** `never`: wrong for good; `later`: the same call may succeed soon. */
  readonly retry: 'never' | 'later';
};

export const ERRORS = {
  REQUEST_INVALID: { status: 'INVALID_ARGUMENT', retry: 'never' },
  REQUEST_MALFORMED: { status: 'INVALID_ARGUMENT', retry: 'never' },
  REQUEST_TOO_LARGE: { status: 'RESOURCE_EXHAUSTED', retry: 'never' },
  RPC_NOT_IMPLEMENTED: { status: 'UNIMPLEMENTED', retry: 'never' },
  ROLE_NOT_SERVED: { status: 'UNIMPLEMENTED', retry: 'never' },
  DEADLINE_PASSED: { status: 'DEADLINE_EXCEEDED', retry: 'later' },
  NODE_STOPPING: { status: 'UNAVAILABLE', retry: 'later' },
  WATCHER_TOO_SLOW: { status: 'RESOURCE_EXHAUSTED', retry: 'later' },
  PAGE_TOKEN_INVALID: { status: 'INVALID_ARGUMENT', retry: 'never' },
  INTERNAL: { status: 'INTERNAL', retry: 'never' },
  RING_FULL: { status: 'RESOURCE_EXHAUSTED', retry: 'never' },
  ADDRESS_UNKNOWN: { status: 'NOT_FOUND', retry: 'never' },
  RING_ID_UNASSIGNED: { status: 'NOT_FOUND', retry: 'never' },
  RING_ID_OUT_OF_RANGE: { status: 'INVALID_ARGUMENT', retry: 'never' },
  RING_ID_IN_USE: { status: 'FAILED_PRECONDITION', retry: 'never' },
  RING_ID_TAKEN: { status: 'ALREADY_EXISTS', retry: 'never' },
  RING_FORMING: { status: 'FAILED_PRECONDITION', retry: 'later' },
  RING_MISMATCH: { status: 'FAILED_PRECONDITION', retry: 'never' },
  DIRECTORY_UNREACHABLE: { status: 'UNAVAILABLE', retry: 'later' },
  STORE_UNREACHABLE: { status: 'UNAVAILABLE', retry: 'later' },
  PEER_NOT_MEMBER: { status: 'UNAVAILABLE', retry: 'later' },
  PEER_BUSY: { status: 'UNAVAILABLE', retry: 'later' },
  PEER_NOT_FOUND: { status: 'NOT_FOUND', retry: 'never' },
  PEER_UNREACHABLE: { status: 'UNAVAILABLE', retry: 'later' },
  INCARNATION_STALE: { status: 'ABORTED', retry: 'never' },
  LOOKUP_FAILED: { status: 'UNAVAILABLE', retry: 'later' },
  STREAM_TAKEN: { status: 'ALREADY_EXISTS', retry: 'never' },
  STREAMS_FULL: { status: 'RESOURCE_EXHAUSTED', retry: 'later' },
  INBOX_FULL: { status: 'RESOURCE_EXHAUSTED', retry: 'later' },
  KEY_NOT_FOUND: { status: 'NOT_FOUND', retry: 'never' },
  VALUE_TOO_LARGE: { status: 'RESOURCE_EXHAUSTED', retry: 'never' },
  TABLE_FULL: { status: 'RESOURCE_EXHAUSTED', retry: 'later' },
  QUORUM_NOT_REACHED: { status: 'UNAVAILABLE', retry: 'later' },
  RECORD_DAMAGED: { status: 'DATA_LOSS', retry: 'later' },
  DIALECT_UNKNOWN: { status: 'INVALID_ARGUMENT', retry: 'never' },
  PASSWORD_WRONG: { status: 'PERMISSION_DENIED', retry: 'never' },
  STOP_DISABLED: { status: 'UNIMPLEMENTED', retry: 'never' },
  SERVICE_UNKNOWN: { status: 'NOT_FOUND', retry: 'never' },
  NO_HEALTHY_ENDPOINT: { status: 'UNAVAILABLE', retry: 'later' },
  ENDPOINT_UNKNOWN: { status: 'NOT_FOUND', retry: 'never' },
  LEASE_EXPIRED: { status: 'NOT_FOUND', retry: 'never' },
  FENCING_TOKEN_STALE: { status: 'ABORTED', retry: 'never' },
  BINDER_STARTING: { status: 'UNAVAILABLE', retry: 'later' },
  PAYLOAD_TOO_LARGE: { status: 'INVALID_ARGUMENT', retry: 'never' },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorReason = keyof typeof ERRORS;

/** The values named in an error's text, for machines to read. */
export type ErrorFacts = Readonly<Record<string, string>>;

export type ErrorOptions = {
  /** Same reason, other status: `PEER_NOT_MEMBER` is NOT_FOUND in the directory. */
  readonly status?: StatusName;
  /** When to try again. */
  readonly retryAfterMs?: number;
  /** One entry for each field that broke a rule. */
  readonly violations?: readonly FieldViolation[];
  readonly cause?: unknown;
};

export type FieldViolation = { readonly field: string; readonly description: string };

/** A refusal, typed. Its message is `[REASON] text`. */
export class RingbinderError extends Error {
  readonly reason: ErrorReason;
  readonly status: StatusName;
  readonly text: string;
  readonly facts: ErrorFacts;
  readonly retryAfterMs: number | undefined;
  readonly violations: readonly FieldViolation[];

  constructor(
    reason: ErrorReason,
    text: string,
    facts: ErrorFacts = {},
    options: ErrorOptions = {},
  ) {
    super(`[${reason}] ${text}`, { cause: options.cause });
    this.name = 'RingbinderError';
    this.reason = reason;
    this.status = options.status ?? ERRORS[reason].status;
    this.text = text;
    this.facts = facts;
    this.retryAfterMs = options.retryAfterMs;
    this.violations = options.violations ?? [];
  }

  /** Total: whatever was thrown becomes a refusal; what is not ours becomes `INTERNAL`. */
  static from(thrown: unknown): RingbinderError {
    if (thrown instanceof RingbinderError) return thrown;
    return new RingbinderError(
      'INTERNAL',
      'this node failed; its log says why',
      {},
      { cause: thrown },
    );
  }
}
