/** Errors of calls, read back from `google.rpc.Status`: a reason that programs can act on. */
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';

const DETAILS_KEY = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/';

/** A call that a node refused, or that did not reach one. */
export class CallError extends Error {
  /** gRPC status, for example `NOT_FOUND`. */
  readonly status: string;
  /** The number of the status. */
  readonly code: number;
  /** Reason from the node, for example `PEER_NOT_FOUND`; empty when the call reached none. */
  readonly reason: string;
  /** The values named in the message. */
  readonly facts: Readonly<Record<string, string>>;
  /** When to try again, where the node said so. */
  readonly retryAfterMs: number | undefined;
  /** The fields that broke a rule. */
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  constructor(error: ServiceError) {
    super(error.details === '' ? error.message : error.details, { cause: error });
    this.name = 'CallError';
    this.code = error.code;
    this.status = status[error.code];
    const details = readDetails(error.metadata);
    this.reason = details.reason;
    this.facts = details.facts;
    this.retryAfterMs = details.retryAfterMs;
    this.violations = details.violations;
  }
}

/** Whether another node may do better: this one is gone, stops, starts, or does not serve the call. */
export function isNodeLost({ status: name, reason }: CallError): boolean {
  if (name === 'UNAVAILABLE') return !ANSWERS.includes(reason);
  // A server that is ended by force cancels its calls.
  return name === 'CANCELLED' || reason === 'ROLE_NOT_SERVED';
}

/** What is UNAVAILABLE although the node has answered for all. */
const ANSWERS: readonly string[] = ['NO_HEALTHY_ENDPOINT'];

/** The error of a node that has said nothing. */
export function silence(address: string, ms: number): CallError {
  const details = `${address} said nothing for ${ms} ms`;
  const code = status.UNAVAILABLE;
  return new CallError(
    Object.assign(new Error(details), { code, details, metadata: new Metadata() }),
  );
}

type Details = Pick<CallError, 'reason' | 'facts' | 'retryAfterMs' | 'violations'>;

function readDetails(metadata: Metadata | undefined): Details {
  const none: Details = { reason: '', facts: {}, retryAfterMs: undefined, violations: [] };
  const [bytes] = metadata?.get(DETAILS_KEY) ?? [];
  if (!Buffer.isBuffer(bytes)) return none;
  return Status.decode(bytes).details.reduce<Details>((read, { typeUrl, value }) => {
    switch (typeUrl.replace(TYPE_PREFIX, '')) {
      case 'google.rpc.ErrorInfo': {
        const info = ErrorInfo.decode(value);
        return { ...read, reason: info.reason, facts: info.metadata };
      }
      case 'google.rpc.RetryInfo': {
        const delay = RetryInfo.decode(value).retryDelay;
        const retryAfterMs = Number(delay?.seconds ?? 0n) * 1_000 + (delay?.nanos ?? 0) / 1e6;
        return { ...read, retryAfterMs };
      }
      case 'google.rpc.BadRequest':
        return { ...read, violations: BadRequest.decode(value).fieldViolations };
      default:
        return read;
    }
  }, none);
}
