/**
 * A refusal on the wire: `RingbinderError` to gRPC status and back.
 *
 * The trailer `grpc-status-details-bin` holds a `google.rpc.Status` with one `ErrorInfo`, and with a
 * `BadRequest`, `RetryInfo` and `RequestInfo` where there is something to say. Whatever the error
 * holds, the trailers stay below 8 KiB and are valid.
 */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Any } from '../../proto/gen/google/protobuf/any.js';
import {
  BadRequest,
  ErrorInfo,
  RequestInfo,
  RetryInfo,
} from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { type FieldViolation, RingbinderError } from '../errors.js';
import {
  DETAIL_BYTES_MAX,
  FACT_CHARS_MAX,
  FIELD_CHARS_MAX,
  STATUS_TEXT_CHARS_MAX,
} from './limits.js';

/** The domain of every `ErrorInfo` of ours. */
export const ERROR_DOMAIN = 'ringbinder';

export const DETAILS_KEY = 'grpc-status-details-bin';

/** The name of a request, from the caller through all nodes that have to do with it. */
export const REQUEST_ID_KEY = 'x-request-id';

const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/**
 * Returns what grpc-js sends for a refusal. Of `INTERNAL` the caller learns nothing but that: text
 * and facts are for the log.
 */
export function toServiceError(error: RingbinderError, requestId?: string): ServiceError {
  const shown = error.reason === 'INTERNAL' ? RingbinderError.from(undefined) : error;
  const code = status[shown.status];
  const details = cut(shown.message, STATUS_TEXT_CHARS_MAX);
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, encodeDetails(shown, { code, message: details, requestId }));
  if (requestId !== undefined) metadata.set(REQUEST_ID_KEY, requestId);
  return Object.assign(new Error(details), { code, details, metadata });
}

type Head = {
  readonly code: number;
  readonly message: string;
  readonly requestId: string | undefined;
};

function encodeDetails(error: RingbinderError, { code, message, requestId }: Head): Buffer {
  const info = { reason: error.reason, domain: ERROR_DOMAIN, metadata: factsOf(error) };
  const details = [any('ErrorInfo', ErrorInfo.encode(info).finish())];
  if (error.violations.length > 0) {
    const fieldViolations = violationsOf(error);
    details.push(any('BadRequest', BadRequest.encode({ fieldViolations }).finish()));
  }
  if (error.retryAfterMs !== undefined) {
    const retryDelay = durationOf(error.retryAfterMs);
    details.push(any('RetryInfo', RetryInfo.encode({ retryDelay }).finish()));
  }
  if (requestId !== undefined) {
    details.push(any('RequestInfo', RequestInfo.encode({ requestId, servingData: '' }).finish()));
  }
  return Buffer.from(Status.encode({ code, message, details }).finish());
}

function any(name: string, value: Uint8Array): Any {
  return { typeUrl: TYPE_PREFIX + name, value: Buffer.from(value) };
}

function durationOf(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(ms / 1_000);
  return { seconds: BigInt(seconds), nanos: Math.round(ms - seconds * 1_000) * 1_000_000 };
}

function factsOf({ facts }: RingbinderError): Record<string, string> {
  const cutFacts = Object.entries(facts).map(([key, value]) => [key, cut(value, FACT_CHARS_MAX)]);
  return Object.fromEntries(withinBound(cutFacts, (fact) => fact.join(''))) as typeof facts;
}

function violationsOf({ violations }: RingbinderError): BadRequest['fieldViolations'] {
  const cutViolations = violations.map(({ field, description }) => ({
    field: cut(field, FIELD_CHARS_MAX),
    description: cut(description, FACT_CHARS_MAX),
    reason: '',
  }));
  return withinBound(cutViolations, ({ field, description }) => field + description);
}

/** The first ones that together have at most `DETAIL_BYTES_MAX` bytes. */
function withinBound<Item>(items: readonly Item[], textOf: (item: Item) => string): Item[] {
  let bytes = 0;
  return items.filter((item) => (bytes += Buffer.byteLength(textOf(item))) <= DETAIL_BYTES_MAX);
}

/**
 * Returns at most so many UTF-16 units and an ellipsis, well-formed: grpc-js escapes the text with
 * `encodeURI`, which throws at half a surrogate pair.
 */
function cut(text: string, charsMax: number): string {
  const start = text.length > charsMax ? `${text.slice(0, charsMax - 1)}…` : text;
  return start.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** What another node's refusal says. */
export type Refusal = {
  /** May be one that only a newer version knows. */
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;
  readonly violations: readonly FieldViolation[];
};

/**
 * Reads a refusal back. Returns undefined for what is none of ours: a connection that failed, a
 * deadline of this side, another server, damaged details.
 */
export function reasonOf(error: Pick<ServiceError, 'metadata'>): Refusal | undefined {
  const [bytes] = error.metadata.get(DETAILS_KEY);
  if (!Buffer.isBuffer(bytes)) return undefined;
  try {
    return readDetails(Status.decode(bytes).details);
  } catch {
    return undefined;
  }
}

function readDetails(details: readonly Any[]): Refusal | undefined {
  const find = (name: string) => details.find(({ typeUrl }) => typeUrl.endsWith(`rpc.${name}`));
  const info = find('ErrorInfo');
  if (info === undefined) return undefined;
  const { reason, domain, metadata } = ErrorInfo.decode(info.value);
  if (domain !== ERROR_DOMAIN) return undefined;
  const retry = find('RetryInfo');
  const delay = retry && RetryInfo.decode(retry.value).retryDelay;
  const bad = find('BadRequest');
  const violations = bad ? BadRequest.decode(bad.value).fieldViolations : [];
  return {
    reason,
    facts: metadata,
    retryAfterMs: delay && Number(delay.seconds) * 1_000 + delay.nanos / 1_000_000,
    violations: violations.map(({ field, description }) => ({ field, description })),
  };
}
