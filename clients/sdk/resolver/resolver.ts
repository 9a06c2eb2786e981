/**
 * Lets any client of grpc-js dial `binder:///service`: the addresses are the healthy endpoints of the
 * service, and follow it as long as the channel is open.
 *
 * What is known stays in use while no binder is reachable. The policies of grpc-js spread the calls:
 * pick_first unless the channel's service config says otherwise, such as round_robin.
 */
import { experimental } from '@grpc/grpc-js';
import { Binders } from '../binders.js';
import type { ConnectOptions } from '../channel.js';
import { isNodeLost, type CallError } from '../errors.js';
import { addressesIn, bindersFromEnvironment } from './environment.js';
import { HealthyEndpoints } from './healthy-endpoints.js';
import { NOBODY_CONFIG, registerNobodyPolicy } from './nobody.js';

export type BinderResolverOptions = ConnectOptions & {
  /**
   * Where the binders are; default `RINGBINDER_BINDERS`, separated by commas. A target that names
   * some, `binder://host:port,host:port/service`, means those alone.
   */
  readonly binders?: readonly string[];
};

/** Makes `binder:` targets known to grpc-js in this process; a repeat takes the place of the one before. */
export function registerBinderResolver(options: BinderResolverOptions = {}): void {
  registerNobodyPolicy();
  experimental.registerResolver(
    'binder',
    class extends BinderResolver {
      constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener) {
        super(target, listener, options);
      }
    },
  );
}

class BinderResolver implements experimental.Resolver {
  readonly #service: string;
  readonly #binders: readonly string[];
  readonly #options: ConnectOptions;
  readonly #listener: experimental.ResolverListener;
  #stop: AbortController | undefined;

  constructor(
    { authority = '', path }: experimental.GrpcUri,
    listener: experimental.ResolverListener,
    options: BinderResolverOptions,
  ) {
    const named = addressesIn(authority);
    this.#service = path;
    this.#binders = named.length > 0 ? named : (options.binders ?? bindersFromEnvironment());
    this.#options = options;
    this.#listener = listener;
  }

  /** The name that calls carry, and that a certificate must have unless the channel overrides it. */
  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return isHostName(path) ? path : `${path.replace(/[^A-Za-z0-9]+/g, '-')}.service`;
  }

  /** The watch tells of every change by itself: asking again must not bring the same again. */
  updateResolution(): void {
    if (this.#stop !== undefined) return;
    this.#stop = new AbortController();
    void this.#follow(this.#stop.signal);
  }

  destroy(): void {
    this.#stop?.abort();
    this.#stop = undefined;
  }

  /** Never rejects. */
  async #follow(signal: AbortSignal): Promise<void> {
    // grpc-js must not be answered before its question has returned.
    await Promise.resolve();
    if (this.#binders.length === 0) {
      this.#tellNobody(`service ${this.#service}: no binder is named, see RINGBINDER_BINDERS`);
      return;
    }
    const binders = new Binders(this.#binders, this.#options);
    const known = new HealthyEndpoints(this.#service);
    let hasSnapshot = false;
    let losses = 0;
    const onLost = (error: CallError): void => {
      losses += 1;
      if (hasSnapshot || losses < this.#binders.length || signal.aborted) return;
      const what = isNodeLost(error) ? 'no binder is reachable: ' : '';
      this.#tellNobody(`service ${this.#service}: ${what}${error.message}`);
    };
    try {
      const options = { signal, reconnect: 'always', onLost } as const;
      for await (const event of binders.watch(this.#service, options)) {
        if (signal.aborted) return;
        const before = hasSnapshot ? describe(known) : undefined;
        known.apply(event);
        hasSnapshot = true;
        if (describe(known) !== before) this.#tell(known);
      }
    } finally {
      binders.close();
    }
  }

  #tell({ addresses, emptiness }: HealthyEndpoints): void {
    if (addresses.length === 0) {
      this.#tellNobody(emptiness);
      return;
    }
    const endpoints = addresses.map(endpointAt);
    this.#listener(experimental.statusOrFromValue(endpoints), {}, null, '');
  }

  #tellNobody(why: string): void {
    const config = experimental.statusOrFromValue(NOBODY_CONFIG);
    this.#listener(experimental.statusOrFromValue([]), {}, config, why);
  }
}

/** Whether a URL takes it as the name of a host; grpc-js makes one of it for each connection. */
function isHostName(text: string): boolean {
  const last = text.slice(text.lastIndexOf('.') + 1);
  return /^[A-Za-z0-9._-]+$/.test(text) && !/xn--/i.test(text) && !/^(?:\d|$)/.test(last);
}

/** Two that are described alike are the same for callers. */
function describe({ addresses, emptiness }: HealthyEndpoints): string {
  return addresses.length === 0 ? emptiness : addresses.join();
}

/** A name is looked up when it is connected to, an IP address never. */
function endpointAt(address: string): experimental.Endpoint {
  const { host, port = 0 } = experimental.splitHostPort(address) ?? { host: address };
  return { addresses: [{ host, port }] };
}
