/** The messages of `grpc.health.v1.Health.Check`, with the frames that gRPC puts them in. */
import { status } from '@grpc/grpc-js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthService,
} from '../../../proto/gen/grpc/health/v1/health.js';
import type { CheckOutcome } from '../core/health-check.js';
import { failed, PASSED } from './outcome.js';

export const CHECK_PATH = HealthService.check.path;

const PREFIX_BYTES = 5;

/** No compression flag, length, message. */
export function requestFrame(service: string): Buffer {
  const message = HealthCheckRequest.encode({ service }).finish();
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** What a call with OK has found. */
export function outcomeOf(frame: Buffer): CheckOutcome {
  const isWhole = frame.length >= PREFIX_BYTES && frame[0] === 0;
  const end = isWhole ? PREFIX_BYTES + frame.readUInt32BE(1) : Number.POSITIVE_INFINITY;
  if (frame.length < end) return failed('no grpc.health.v1 there: the answer makes no sense');
  try {
    const { status: serving } = HealthCheckResponse.decode(frame.subarray(PREFIX_BYTES, end));
    return serving === ServingStatus.SERVING ? PASSED : failed(nameOf(serving));
  } catch {
    return failed('no grpc.health.v1 there: the answer makes no sense');
  }
}

function nameOf(serving: ServingStatus): string {
  const names = Object.entries(ServingStatus);
  return names.find(([, value]) => value === serving)?.[0] ?? `serving status ${String(serving)}`;
}

/** What a call that was refused has found. */
export function refusalOf(code: number, message: string, service: string): CheckOutcome {
  const name = NAMES[code] ?? `gRPC status ${code}`;
  switch (name) {
    case 'UNIMPLEMENTED':
      return failed('UNIMPLEMENTED: no grpc.health.v1 there');
    case 'NOT_FOUND':
      return failed(`NOT_FOUND: no service "${service}" there`);
    default:
      return failed(`${name}: ${decoded(message)}`);
  }
}

const NAMES: Readonly<Record<number, string>> = status;

/** gRPC sends messages percent-encoded. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
