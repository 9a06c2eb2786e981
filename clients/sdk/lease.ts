/** A registration that is kept: renewed in time, and made anew when the binders have lost it. */
import type { Endpoint, HealthCheck } from './binder-messages.js';
import { CallError } from './errors.js';
import type { CallOptions } from './lasting-stream.js';
import { pause, spread } from './timing.js';

export type RegisterOptions = CallOptions & {
  /** How long the lease lives without renewal, from 1 s to 1 d; default 15 s. */
  readonly ttlMs?: number;
  /** What else callers should know. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Default: none, the endpoint is healthy while its lease lives. */
  readonly healthCheck?: HealthCheck;
};

export type Registration = {
  readonly endpoint: Endpoint;
  /** Proof of being the last to register this endpoint; grows with every registration. */
  readonly fencingToken: bigint;
  /** How long the lease lives without renewal. */
  readonly leaseTtlMs: number;
};

/** An endpoint by the name of its registration, or by what was registered. */
export type EndpointName =
  { readonly endpointId: string } | { readonly service: string; readonly address: string };

export type DeregisterOptions = CallOptions & {
  /** Removes only the registration with this token; default any. */
  readonly fencingToken?: bigint;
};

/** What a lease needs of the binders. */
export interface Registrar {
  register(service: string, address: string, options: RegisterOptions): Promise<Registration>;
  renew(endpointId: string, fencingToken: bigint, options: CallOptions): Promise<number>;
  deregister(name: EndpointName, options: DeregisterOptions): Promise<void>;
}

/** The signal gives up the first registration, and later the renewal: the endpoint goes by its TTL. */
export type LeaseOptions = RegisterOptions & {
  /** Told of each renewal that has failed; another attempt follows soon. */
  readonly onLost?: (error: CallError) => void;
  /** Told of each renewal. */
  readonly onRenewed?: () => void;
  /** Told of each registration after the first, which has another token and often another ID. */
  readonly onRegistered?: (registration: Registration) => void;
};

/** Why a lease is no longer kept. */
export type LeaseEnd =
  | { readonly kind: 'released' }
  /** Somebody else has registered the endpoint, the binder refuses it for good, or the client is closed. */
  | { readonly kind: 'lost'; readonly error: Error };

/** Renewals in the time that a lease lives: two of them may fail. */
const RENEWALS = 3;
const RETRY_MS = { first: 100, max: 5_000 };
/** The least time for a renewal or a registration; else all that is left of the lease. */
const ATTEMPT_MS_MIN = 1_000;

/** Refusals that a repeat does not change; everything else is tried again for ever. */
const FINAL: readonly string[] = ['FENCING_TOKEN_STALE', 'REQUEST_INVALID', 'DIALECT_UNKNOWN'];

/** Keeps the process alive until it is released. */
export class Lease {
  readonly service: string;
  readonly address: string;
  /** Resolves when the lease is no longer kept; never rejects. */
  readonly ended: Promise<LeaseEnd>;
  readonly #binder: Registrar;
  readonly #options: LeaseOptions;
  readonly #stop = new AbortController();
  #registration: Registration;

  private constructor(
    binder: Registrar,
    { service, address }: Pick<Lease, 'service' | 'address'>,
    first: Registration,
    options: LeaseOptions,
  ) {
    this.#binder = binder;
    this.service = service;
    this.address = address;
    this.#registration = first;
    this.#options = options;
    options.signal?.addEventListener('abort', this.#onAbort);
    if (options.signal?.aborted === true) this.#onAbort();
    this.ended = this.#keep().finally(() => {
      options.signal?.removeEventListener('abort', this.#onAbort);
    });
  }

  /** Registers, and keeps what was registered. */
  static async take(
    binder: Registrar,
    service: string,
    address: string,
    options: LeaseOptions,
  ): Promise<Lease> {
    const first = await binder.register(service, address, options);
    return new Lease(binder, { service, address }, first, options);
  }

  /** The last registration; the token is another one after each. */
  get registration(): Registration {
    return this.#registration;
  }

  /**
   * Ends the lease and removes the endpoint, unless somebody else has registered it since. Rejects when
   * no binder could be told; then the lease ends by its TTL.
   */
  async release(): Promise<void> {
    this.#stop.abort();
    const end = await this.ended;
    if (end.kind === 'lost') return;
    const { fencingToken } = this.#registration;
    const name: EndpointName = { service: this.service, address: this.address };
    await this.#binder.deregister(name, { fencingToken }).catch((thrown: unknown) => {
      const reason = thrown instanceof CallError ? thrown.reason : '';
      if (!['ENDPOINT_UNKNOWN', 'FENCING_TOKEN_STALE'].includes(reason)) throw thrown;
    });
  }

  readonly #onAbort = (): void => this.#stop.abort();

  async #keep(): Promise<LeaseEnd> {
    const { signal } = this.#stop;
    let retryMs = RETRY_MS.first;
    await pause(this.#renewEveryMs(), signal);
    while (!this.#isStopped()) {
      try {
        await this.#renew();
        retryMs = RETRY_MS.first;
        await pause(this.#renewEveryMs(), signal);
      } catch (thrown) {
        if (this.#isStopped()) break;
        if (!(thrown instanceof CallError) || FINAL.includes(thrown.reason)) {
          return {
            kind: 'lost',
            error: thrown instanceof Error ? thrown : new Error(String(thrown)),
          };
        }
        this.#options.onLost?.(thrown);
        await pause(spread(Math.min(retryMs, this.#renewEveryMs())), signal);
        retryMs = Math.min(2 * retryMs, RETRY_MS.max);
      }
    }
    return { kind: 'released' };
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #renewEveryMs(): number {
    return this.#registration.leaseTtlMs / RENEWALS;
  }

  /** Renews the lease, or registers anew when it is gone. */
  async #renew(): Promise<void> {
    const { endpoint, fencingToken } = this.#registration;
    const timeoutMs = Math.max(ATTEMPT_MS_MIN, (RENEWALS - 1) * this.#renewEveryMs());
    const { signal } = this.#stop;
    try {
      await this.#binder.renew(endpoint.endpointId, fencingToken, { timeoutMs, signal });
      this.#options.onRenewed?.();
    } catch (thrown) {
      const isGone = thrown instanceof CallError && thrown.reason === 'LEASE_EXPIRED';
      if (!isGone || this.#isStopped()) throw thrown;
      await this.#register(timeoutMs);
    }
  }

  /** Not to be given up half-way: `release` must know the token of what it removes. */
  async #register(timeoutMs: number): Promise<void> {
    const { ttlMs, metadata, healthCheck } = this.#options;
    this.#registration = await this.#binder.register(this.service, this.address, {
      timeoutMs,
      ...(ttlMs !== undefined && { ttlMs }),
      ...(metadata !== undefined && { metadata }),
      ...(healthCheck !== undefined && { healthCheck }),
    });
    this.#options.onRegistered?.(this.#registration);
  }
}
