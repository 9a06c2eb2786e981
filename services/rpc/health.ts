/** `grpc.health.v1`: says of each service, and of the node, whether it serves. */
import {
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Wire,
  type HealthServer,
} from '../../proto/gen/grpc/health/v1/health.js';
import { RingbinderError } from '../errors.js';
import type { CallContext, Handlers } from './handlers.js';

export type ServingStatus = 'SERVING' | 'NOT_SERVING';

/** The node as a whole. */
export const OVERALL = '';

/** What the health service tells. The node writes it; callers only read. */
export class HealthState {
  readonly #statuses = new Map<string, ServingStatus>([[OVERALL, 'SERVING']]);
  readonly #watchers = new Set<() => void>();
  #isStopped = false;

  /** `service` is a full name, `ringbinder.v1.HashService`, or `OVERALL`. */
  set(service: string, status: ServingStatus): void {
    if (this.#isStopped) return;
    this.#statuses.set(service, status);
    this.#tell();
  }

  /** Everything stops to serve, for good. */
  stop(): void {
    this.#isStopped = true;
    for (const service of this.#statuses.keys()) this.#statuses.set(service, 'NOT_SERVING');
    this.#tell();
  }

  /** Undefined for a service that nobody has said anything of. */
  statusOf(service: string): ServingStatus | undefined {
    return this.#statuses.get(service);
  }

  all(): readonly (readonly [string, ServingStatus])[] {
    return [...this.#statuses];
  }

  /** Yields the status of a service as it is, then each change, until the signal is aborted. */
  async *watch(
    service: string,
    signal: AbortSignal,
  ): AsyncGenerator<ServingStatus | undefined, void, void> {
    let isFirst = true;
    let told: ServingStatus | undefined;
    while (!signal.aborted) {
      const changed = this.#nextChange(signal);
      const status = this.statusOf(service);
      if (isFirst || status !== told) yield status;
      isFirst = false;
      told = status;
      await changed;
    }
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#watchers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #tell(): void {
    for (const wake of [...this.#watchers]) wake();
  }
}

/** The health service over a state. */
export function createHealthHandlers(state: HealthState): Handlers<HealthServer> {
  return {
    check: async ({ service }) => ({ status: toWire(knownStatusOf(state, service)) }),
    list: async () => ({
      statuses: Object.fromEntries(
        state.all().map(([service, status]) => [service, { status: toWire(status) }]),
      ),
    }),
    watch: ({ service }, context) => watchStatus(state, service, context),
  };
}

async function* watchStatus(
  state: HealthState,
  service: string,
  { signal }: CallContext,
): AsyncGenerator<HealthCheckResponse, void, void> {
  for await (const status of state.watch(service, signal)) yield { status: toWire(status) };
}

function knownStatusOf(state: HealthState, service: string): ServingStatus {
  const serving = state.statusOf(service);
  if (serving !== undefined) return serving;
  throw new RingbinderError(
    'ROLE_NOT_SERVED',
    `this node has no service ${service}`,
    { service },
    { status: 'NOT_FOUND' },
  );
}

function toWire(serving: ServingStatus | undefined): Wire {
  return serving === undefined ? Wire.SERVICE_UNKNOWN : Wire[serving];
}
