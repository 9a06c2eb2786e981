/**
 * The driver of one binder: the only place where it meets time, the network, the store and checks.
 *
 * It begins by taking up what is in the store, then what the other binders know; only then does it
 * answer callers.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { within, type Cancel, type Clock } from '../system/clock.js';
import { turnEnd } from '../system/turn.js';
import type { EndpointArchive } from './archive.js';
import { BinderMember, type MemberEffect, type RenewalOutcome } from './core/binder-member.js';
import type { Binder, BinderLimits } from './core/binder.js';
import type { CheckOrder } from './core/checks.js';
import { keyOfEndpoint, supersedes, type Endpoint } from './core/endpoint.js';
import type { CheckMethod, CheckOutcome } from './core/health-check.js';
import type { Change } from './core/ledger.js';
import type { BinderAnswer, BinderQuestion } from './core/messages.js';
import type { BinderLinks } from './link.js';

export type BinderDriverDeps = {
  /** Address of this node. */
  readonly self: string;
  readonly limits: BinderLimits;
  readonly beatMs: number;
  readonly clock: Clock;
  readonly links: BinderLinks;
  readonly archive: EndpointArchive;
  /** Whether other binders use the same store: then what one has written, the others need not. */
  readonly isShared: boolean;
  /** Addresses of nodes that may be binders. */
  readonly others: () => Iterable<string>;
  /** Makes one health check; never rejects. */
  readonly probe: (
    address: string,
    method: CheckMethod,
    timeoutMs: number,
  ) => Promise<CheckOutcome>;
  readonly log: Logger;
};

/** How often it is looked who the others are. */
const NAMING_MS = 1_000;
/** How long a binder that starts waits for what the others know: far more than 100,000 endpoints take. */
const CATCH_UP_MS = 30_000;
/** Endpoints from the store that are taken in at once. */
const LOAD_COUNT = 1_000;

/** How long a binder that stops tells others that its leases are theirs. */
const LEAVE_MS = 1_000;

export class BinderDriver {
  readonly #deps: BinderDriverDeps;
  readonly #member: BinderMember;
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #cancels: Cancel[] = [];
  readonly #stopping = new AbortController();
  #isLoading = true;

  private constructor(deps: BinderDriverDeps) {
    this.#deps = deps;
    const { self, limits, clock, links } = deps;
    this.#member = new BinderMember({
      self,
      limits,
      clock: { wallMs: () => clock.now(), steadyMs: () => clock.monotonicMs() },
      newId: randomUUID,
      later: (act) => void turnEnd().then(act),
      ask: (to, question, done) => void links.ask(to, question).then(done),
      perform: (effect) => this.#perform(effect),
    });
  }

  /** A binder that knows nothing yet, but answers other binders. */
  static create(deps: BinderDriverDeps): BinderDriver {
    return new BinderDriver(deps);
  }

  get binder(): Binder {
    return this.#member.binder;
  }

  /** Resolves when it knows what the store and the others know. */
  async start(): Promise<void> {
    const { clock, beatMs, log } = this.#deps;
    await this.#load();
    if (this.#deps.isShared) void this.#follow();
    this.#nameOthers();
    const caughtUp = await within(clock, CATCH_UP_MS, this.#catchUp());
    const { liveCount } = this.binder.registry;
    log.info({ endpoints: liveCount, caughtUp: caughtUp === true }, 'the binder is ready');
    this.#cancels.push(
      clock.every(beatMs, () => this.#member.tick()),
      clock.every(NAMING_MS, () => this.#nameOthers()),
    );
  }

  /** Gives its leases to others and stops. */
  async stop(): Promise<void> {
    while (this.binder.leave()) await turnEnd();
    await within(
      this.#deps.clock,
      LEAVE_MS,
      new Promise<void>((resolve) => this.#member.whenTold(resolve)),
    );
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#stopping.abort();
    await this.#deps.archive.close();
  }

  /** How old is what it knows; undefined unless its store is shared, and can't be reached. */
  get ageMs(): number | undefined {
    return this.#deps.isShared ? this.#deps.archive.ageMs : undefined;
  }

  /** Called with every change of an endpoint, in order. */
  onChange(listener: (change: Change) => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  asked(from: string, question: BinderQuestion): BinderAnswer {
    return this.#member.spreading.asked(from, question);
  }

  async renew(endpointId: string, fencingToken: number): Promise<RenewalOutcome> {
    return new Promise((resolve) => this.#member.renew(endpointId, fencingToken, resolve));
  }

  /** Resolves when the state of an endpoint is durable. */
  async saved(endpoint: Endpoint): Promise<void> {
    await this.#deps.archive.settled(endpoint);
  }

  async #load(): Promise<void> {
    const endpoints = await this.#deps.archive.load();
    for (let index = 0; index < endpoints.length; index += LOAD_COUNT) {
      this.binder.merge(endpoints.slice(index, index + LOAD_COUNT));
      await turnEnd();
    }
    this.#isLoading = false;
  }

  #nameOthers(): void {
    this.binder.fellowship.name(this.#deps.others(), this.#deps.clock.monotonicMs());
  }

  async #catchUp(): Promise<boolean> {
    return new Promise((resolve) => this.#member.catchUp(resolve));
  }

  #perform(effect: MemberEffect): void {
    switch (effect.kind) {
      case 'check':
        void this.#check(effect.order);
        return;
      case 'forgotten':
        this.#deps.archive.forget(effect.endpoint);
        return;
      case 'changed':
        if (!this.#isLoading && (effect.isOwn || !this.#deps.isShared)) {
          this.#deps.archive.save(effect.endpoint);
        }
        for (const listener of this.#listeners) listener(effect);
    }
  }

  /** Takes over what others write; what is older than what this binder decides, it writes again. */
  async #follow(): Promise<void> {
    const { archive, self, log } = this.#deps;
    try {
      for await (const endpoints of archive.follow(this.#stopping.signal)) {
        this.binder.merge(endpoints);
        for (const theirs of endpoints) {
          const mine = this.binder.registry.byKey(keyOfEndpoint(theirs));
          if (mine?.home === self && supersedes(mine, theirs)) archive.save(mine);
        }
      }
    } catch (err) {
      log.error({ err }, 'the store can not be followed any more');
    }
  }

  async #check({ checkId, address, method, timeoutMs }: CheckOrder): Promise<void> {
    this.binder.checked(checkId, await this.#deps.probe(address, method, timeoutMs));
  }
}
