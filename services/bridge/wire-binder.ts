/**
 * The binder of a node, as legacy dialects call it over gRPC.
 *
 * Endpoints that others register and remove are heard of by one WatchService stream for each service: for
 * `lieur` 256 streams on one connection, each with a heartbeat every 10 s, whatever else the binder has.
 * What was registered here, and is gone because the node was (it came back without its memory, or the lease
 * ended), is registered again: old programs subscribe once.
 */
import {
  BinderServiceService,
  type Endpoint,
  type WatchServiceResponse,
} from '../../proto/gen/ringbinder/v1/binder_service.js';
import { checkToWire } from '../binder/wire.js';
import { RingbinderError } from '../errors.js';
import type { BinderCalls, EndpointChange } from '../legacy/core/session.js';
import { LIEUR_CHECK } from '../legacy/lieur/check.js';
import { settle } from '../legacy/settle.js';
import { callServerStream } from '../rpc/channel.js';
import { durationToWire } from '../rpc/wire-time.js';
import type { NodeLink } from './link.js';

type Place = { readonly service: string; readonly address: string };
/** What was registered here. */
type Registered = {
  readonly place: Place;
  readonly ttlMs: number;
  readonly endpointId: string;
  readonly fencingToken: bigint;
};

type Prover = (address: string) => Promise<boolean>;
type Follower = (change: EndpointChange) => void;

/** Endpoints that are told of; further ones are not. */
const KNOWN_MAX = 10_000;
/** A complaint is answered when the binder has looked: 2 s, and more when it looks often. */
const REPORT_MS = 20_000;

export class RemoteBinder implements BinderCalls {
  readonly #link: NodeLink;
  readonly #followers = new Set<Follower>();
  readonly #provers = new Set<Prover>();
  /** Addresses by service, as the node has them. */
  readonly #known = new Map<string, Set<string>>();
  /** As many as a session keeps. */
  readonly #registered = new Map<string, Registered>();
  #knownCount = 0;

  constructor(link: NodeLink) {
    this.#link = link;
  }

  register(service: string, address: string, ttlMs: number, done: (isDone: boolean) => void): void {
    settle(this.#keep({ service, address }, ttlMs), done);
  }

  /** What answers here is not complained about: the node may not reach what is local to the bridge. */
  report(service: string, address: string): void {
    settle(this.#complain({ service, address }), () => undefined);
  }

  /** Tells of the endpoints of some services, and then of all that come and go. */
  follow(services: readonly string[], changed: Follower): void {
    this.#followers.add(changed);
    for (const service of services) {
      void this.#link.whileServed(this.#link.closed, async (client, signal) => {
        const { watchService } = BinderServiceService;
        const events = callServerStream(client, watchService, { service }, { signal });
        for await (const { event } of events) this.#see(service, event);
      });
    }
  }

  /** Before a complaint goes to the node, this is asked. */
  proveBy(prove: Prover): void {
    this.#provers.add(prove);
  }

  async #keep(place: Place, ttlMs: number): Promise<void> {
    const known = this.#registered.get(keyOf(place));
    if (known === undefined || !(await this.#renew(known))) await this.#register(place, ttlMs);
  }

  /** False when the lease has ended. One that somebody else has registered since is renewed by them. */
  async #renew({ endpointId, fencingToken }: Registered): Promise<boolean> {
    try {
      await this.#link.call(BinderServiceService.renewLease, { endpointId, fencingToken });
      return true;
    } catch (thrown) {
      const { reason } = RingbinderError.from(thrown);
      if (reason === 'FENCING_TOKEN_STALE') return true;
      if (reason === 'LEASE_EXPIRED') return false;
      throw thrown;
    }
  }

  async #register(place: Place, ttlMs: number): Promise<void> {
    const { endpoint, fencingToken } = await this.#link.call(
      BinderServiceService.registerEndpoint,
      {
        ...place,
        ttl: durationToWire(ttlMs),
        metadata: {},
        healthCheck: checkToWire(LIEUR_CHECK),
      },
    );
    const endpointId = endpoint?.endpointId ?? '';
    this.#registered.set(keyOf(place), { place, ttlMs, endpointId, fencingToken });
    this.#add(place);
  }

  async #complain({ service, address }: Place): Promise<void> {
    for (const prove of this.#provers) if (await prove(address)) return;
    const request = { service, address };
    await this.#link.call(BinderServiceService.reportUnreachable, request, REPORT_MS);
  }

  #see(service: string, event: WatchServiceResponse['event']): void {
    switch (event?.$case) {
      case 'snapshot':
        return this.#compare(service, event.value.endpoints);
      case 'added':
        return this.#add({ service, address: event.value.endpoint?.address ?? '' });
      case 'removed': {
        const place = { service, address: event.value.endpoint?.address ?? '' };
        if (event.value.evidence?.rule === 'LEASE_ENDED') this.#lose(place);
        else this.#remove(place);
      }
    }
  }

  /** What is not in a snapshot is gone; nobody saw why. */
  #compare(service: string, endpoints: readonly Endpoint[]): void {
    const there = new Set(endpoints.map(({ address }) => address));
    for (const address of [...(this.#known.get(service) ?? [])]) {
      if (!there.has(address)) this.#lose({ service, address });
    }
    for (const address of there) this.#add({ service, address });
  }

  /** Nobody has proved it dead: what was registered here is registered again. */
  #lose(place: Place): void {
    const lost = this.#registered.get(keyOf(place));
    if (lost === undefined) return this.#remove(place);
    settle(this.#register(place, lost.ttlMs), () => undefined);
  }

  #add({ service, address }: Place): void {
    const addresses = this.#known.get(service) ?? new Set();
    if (addresses.has(address) || this.#knownCount >= KNOWN_MAX) return;
    this.#known.set(service, addresses.add(address));
    this.#knownCount += 1;
    this.#tell({ kind: 'added', service, address });
  }

  #remove(place: Place): void {
    this.#registered.delete(keyOf(place));
    if (this.#known.get(place.service)?.delete(place.address) !== true) return;
    this.#knownCount -= 1;
    this.#tell({ kind: 'removed', ...place });
  }

  #tell(change: EndpointChange): void {
    for (const changed of this.#followers) changed(change);
  }
}

function keyOf({ service, address }: Place): string {
  return `${service} ${address}`;
}
