/**
 * One binder: who renders which service, decided without I/O, time or chance of its own.
 *
 * Every binder has all endpoints. One of them is the home of an endpoint: it knows when its lease
 * ends and makes its checks. Renewals therefore reach one binder only; a change of state is told to
 * all. Who is the home, and which of two states of an endpoint is the later one: `endpoint.ts`.
 *
 * An endpoint is removed by deregistration, the end of its lease, failed checks, or a complaint that
 * proved true, and each leaves evidence. A binder that was cut off may have removed what lived on
 * elsewhere: then the home, which has heard from the endpoint meanwhile, claims it back.
 */
import type { TableClock } from '../../dht/core/table-clock.js';
import type { CheckId, CheckOrder } from './checks.js';
import {
  isLive,
  keyOfEndpoint,
  supersedes,
  type Endpoint,
  type EndpointKey,
  type Registration,
} from './endpoint.js';
import { withEvidence, type Evidence } from './evidence.js';
import { Fellowship, type FellowshipLimits } from './fellowship.js';
import { isPeriodic, type CheckOutcome } from './health-check.js';
import { Household } from './household.js';
import { Ledger, type Change, type LedgerDeps } from './ledger.js';
import {
  endpointsFull,
  endpointUnknown,
  fencingTokenStale,
  leaseExpired,
  noHealthyEndpoint,
  serviceUnknown,
} from './refusals.js';
import type { BinderAnswer } from './messages.js';
import type { Registry } from './registry.js';
import { givenAtMs, isTooFarAhead, type Stamp } from './stamps.js';
import { Watchman, type Verdict } from './watchman.js';

export type BinderLimits = LedgerDeps['limits'] & {
  readonly fellowship: FellowshipLimits;
  /** Most checks that run at once. */
  readonly checksMax: number;
};

export type BinderEffect =
  | ({ readonly kind: 'changed' } & Change)
  /** A removed endpoint is not remembered any more. */
  | { readonly kind: 'forgotten'; readonly endpoint: Endpoint }
  /** Make a check, and call `checked`. */
  | { readonly kind: 'check'; readonly order: CheckOrder }
  /** Another binder is the home of a lease that was renewed here: it must know. */
  | { readonly kind: 'pass-on'; readonly home: string; readonly endpoint: Endpoint };

export type BinderDeps = {
  /** Address of this binder. */
  readonly self: string;
  readonly limits: BinderLimits;
  readonly clock: TableClock;
  /** A name for an endpoint that no other has or had. */
  readonly newId: () => string;
  readonly perform: (effect: BinderEffect) => void;
};

export type Renewed = { readonly kind: 'renewed'; readonly ttlMs: number };

export type Renewal =
  | Renewed
  /** Another binder must be asked; if it does not answer, call `adopt`. */
  | { readonly kind: 'elsewhere'; readonly home: string };

/** A beat that comes later than this after the one before means that the process stood still. */
const STILL_MS = 1_000;
/** Binders that were apart may have accepted more together than each may: so many times as many. */
const OVERFLOW = 2;
/** Leases that change hands in one beat: so many take some 20 ms. */
const MOVES_MAX = 1_000;
/** So many times the silence that makes a binder dead, and anyone may take over from it. */
const ORPHANED_FACTOR = 3;

export class Binder {
  readonly #deps: BinderDeps;
  readonly #ledger: Ledger;
  readonly #household = new Household();
  readonly #watchman: Watchman;
  readonly fellowship: Fellowship;
  #lastBeatMs: number | undefined;

  constructor(deps: BinderDeps) {
    this.#deps = deps;
    const { self, limits, clock, perform } = deps;
    this.#ledger = new Ledger({ self, limits, clock, changed: (change) => this.#changed(change) });
    this.#watchman = new Watchman({
      self,
      checksMax: limits.checksMax,
      clock,
      ledger: this.#ledger,
      household: this.#household,
      start: (order) => perform({ kind: 'check', order }),
    });
    this.fellowship = new Fellowship(self, limits.fellowship);
  }

  get registry(): Registry {
    return this.#ledger.registry;
  }

  // What callers ask

  /** Registers an endpoint, or registers it anew. Throws `TABLE_FULL`. */
  register(registration: Registration): Endpoint {
    const { clock, newId, self, limits } = this.#deps;
    const { registry, stamps } = this.#ledger;
    const previous = registry.get(registration.service, registration.address);
    const live = isLive(previous) ? previous : undefined;
    if (live === undefined && registry.isFull) throw endpointsFull(limits.endpointsMax);
    const wallMs = clock.wallMs();
    const stamp = stamps.next(wallMs);
    const seen = { check: 'REGISTRATION', outcome: 'registered', rule: 'REGISTERED' } as const;
    const endpoint: Endpoint = {
      endpointId: live?.endpointId ?? newId(),
      registration,
      registeredAtMs: live?.registeredAtMs ?? wallMs,
      fencingToken: stamp,
      home: self,
      term: 0,
      isInherited: false,
      health: healthAtRegistration(registration, live),
      held: undefined,
      removal: undefined,
      stamp,
      evidence: withEvidence(previous?.evidence ?? [], this.#ledger.evidence(seen)),
    };
    this.#ledger.put(endpoint, true);
    return endpoint;
  }

  /** Throws `LEASE_EXPIRED` or `FENCING_TOKEN_STALE`. */
  renew(endpointId: string, fencingToken: Stamp): Renewal {
    const endpoint = this.#leased(endpointId, fencingToken);
    const { home } = endpoint;
    if (home === this.#deps.self) return this.#renewHere(endpoint);
    if (this.fellowship.isAlive(home, this.#nowMs)) return { kind: 'elsewhere', home };
    return this.adopt(endpointId, fencingToken);
  }

  /**
   * Another binder was asked to renew a lease, and takes this one for its home. What is not known here
   * is no reason to refuse: who renews lives, so the other one is to take it over.
   */
  renewFor(endpointId: string, fencingToken: Stamp): BinderAnswer {
    const endpoint = this.registry.byId(endpointId);
    if (endpoint?.home !== this.#deps.self) return { kind: 'not-renewed', currentToken: undefined };
    if (endpoint.fencingToken === fencingToken) return this.#renewHere(endpoint);
    return { kind: 'not-renewed', currentToken: endpoint.fencingToken };
  }

  /** Renews a lease here whose home does not answer. Throws as `renew` does. */
  adopt(endpointId: string, fencingToken: Stamp): Renewed {
    const endpoint = this.#leased(endpointId, fencingToken);
    if (endpoint.home === this.#deps.self) return this.#renewHere(endpoint);
    this.#moveTo(this.#deps.self, endpoint, `renewed here, ${endpoint.home} does not answer`);
    return { kind: 'renewed', ttlMs: endpoint.registration.ttlMs };
  }

  /** Throws `ENDPOINT_UNKNOWN`, or `FENCING_TOKEN_STALE` when a token is given that is not the last. */
  deregister(
    which: { readonly endpointId: string } | { readonly service: string; readonly address: string },
    fencingToken: Stamp | undefined,
  ): Endpoint {
    const found =
      'endpointId' in which
        ? this.registry.byId(which.endpointId)
        : this.registry.get(which.service, which.address);
    if (!isLive(found)) throw endpointUnknown(which);
    if (fencingToken !== undefined) this.#assertToken(found, fencingToken);
    const seen = { check: 'DEREGISTRATION', outcome: 'deregistered' } as const;
    return this.#ledger.remove(found, 'deregistered', seen);
  }

  /** The healthy endpoint whose turn it is. Throws `SERVICE_UNKNOWN` or `NO_HEALTHY_ENDPOINT`. */
  resolve(service: string): Endpoint {
    const shelf = this.registry.shelf(service);
    const endpoint = shelf?.next();
    if (endpoint !== undefined) return endpoint;
    if (shelf === undefined && !this.#ledger.hasLost(service)) throw serviceUnknown(service);
    throw noHealthyEndpoint(service, shelf?.size ?? 0);
  }

  /** Checks an endpoint that somebody cannot reach; calls `done` once. Throws `ENDPOINT_UNKNOWN`. */
  report(service: string, address: string, done: (verdict: Verdict) => void): void {
    const endpoint = this.registry.get(service, address);
    if (!isLive(endpoint)) throw endpointUnknown({ service, address });
    this.#watchman.verify(endpoint, done);
  }

  /** What was observed of an endpoint, removed ones included. Throws `ENDPOINT_UNKNOWN`. */
  explain(service: string, address: string): { endpoint: Endpoint; evidence: readonly Evidence[] } {
    const endpoint = this.registry.get(service, address);
    if (endpoint === undefined) throw endpointUnknown({ service, address });
    const last = this.#watchman.lastCheck(keyOfEndpoint(endpoint));
    const isNewer = last !== undefined && last.atMs >= (endpoint.evidence.at(-1)?.atMs ?? 0);
    return { endpoint, evidence: isNewer ? [...endpoint.evidence, last] : endpoint.evidence };
  }

  // What others tell

  /** Takes over what is later than what is known here. */
  merge(endpoints: Iterable<Endpoint>): void {
    for (const endpoint of endpoints) this.#mergeOne(endpoint);
  }

  /** A check has ended. */
  checked(checkId: CheckId, outcome: CheckOutcome): void {
    this.#watchman.finish(checkId, outcome);
  }

  // Time

  /** To be called many times a second. */
  tick(): void {
    const nowMs = this.#nowMs;
    if (nowMs - (this.#lastBeatMs ?? nowMs) > STILL_MS) this.#excuseAll(nowMs);
    this.#lastBeatMs = nowMs;
    for (const key of this.#household.takeEndedLeases(nowMs)) this.#endLease(key);
    this.#watchman.startDue();
    for (const endpoint of this.#ledger.held) {
      if (endpoint.home === this.#deps.self) this.#ledger.release(endpoint);
    }
    this.#inherit(nowMs);
    for (const endpoint of this.#ledger.forget()) {
      this.#deps.perform({ kind: 'forgotten', endpoint });
    }
  }

  /** Gives leases to others, before this binder goes; false when there are no more to give. */
  leave(): boolean {
    const { self } = this.#deps;
    let moves = 0;
    for (const endpoint of this.registry.atHome(self)) {
      const heir = this.fellowship.heirOf(keyOfEndpoint(endpoint), this.#nowMs);
      if (heir === undefined) return false;
      this.#moveTo(heir, endpoint, `${self} leaves`);
      moves += 1;
      if (moves >= MOVES_MAX) return true;
    }
    return false;
  }

  // Leases

  #leased(endpointId: string, fencingToken: Stamp): Endpoint {
    const endpoint = this.registry.byId(endpointId);
    if (!isLive(endpoint)) throw leaseExpired(endpointId);
    this.#assertToken(endpoint, fencingToken);
    return endpoint;
  }

  #assertToken({ endpointId, fencingToken: current }: Endpoint, given: Stamp): void {
    if (given !== current) throw fencingTokenStale(endpointId, given, current);
  }

  #renewHere(endpoint: Endpoint): Renewed {
    this.#household.renew(endpoint, this.#nowMs);
    if (endpoint.isInherited) {
      const seen = { check: 'LEASE', outcome: 'renewed', rule: 'LEASE_RENEWED' } as const;
      this.#ledger.alter(endpoint, { isInherited: false }, seen);
    }
    if (endpoint.held === 'lease-ended' || endpoint.held === 'report-proved')
      this.#revive(endpoint);
    return { kind: 'renewed', ttlMs: endpoint.registration.ttlMs };
  }

  /** It was held, and has spoken. With a check, that decides now. */
  #revive(endpoint: Endpoint): void {
    const { check } = endpoint.registration;
    const hasCheck = check !== undefined && isPeriodic(check);
    const health = hasCheck ? endpoint.health : 'healthy';
    const seen = { check: 'LEASE', outcome: 'renewed', rule: 'LEASE_RENEWED' } as const;
    this.#ledger.alter(endpoint, { held: undefined, health }, seen);
    if (hasCheck) this.#household.checkAt(keyOfEndpoint(endpoint), this.#nowMs);
  }

  #endLease(key: EndpointKey): void {
    const endpoint = this.registry.byKey(key);
    if (!isLive(endpoint) || endpoint.home !== this.#deps.self) return;
    const outcome = `not renewed for ${endpoint.registration.ttlMs} ms`;
    this.#ledger.remove(endpoint, 'lease-ended', { check: 'LEASE', outcome });
  }

  #excuseAll(nowMs: number): void {
    this.fellowship.excuseAll(nowMs);
    for (const endpoint of this.registry.atHome(this.#deps.self)) {
      if (this.#household.hasLease(keyOfEndpoint(endpoint))) this.#household.renew(endpoint, nowMs);
    }
  }

  // Homes

  /** Takes over from binders that are dead. */
  #inherit(nowMs: number): void {
    let moves = 0;
    for (const home of this.registry.homes) {
      if (this.fellowship.isAlive(home, nowMs)) continue;
      const isOrphaned = this.fellowship.silentForMs(home, nowMs) >= this.#orphanedMs;
      for (const endpoint of this.registry.atHome(home)) {
        const isMine = isOrphaned || this.fellowship.isHeir(keyOfEndpoint(endpoint), nowMs);
        if (!isMine) continue;
        this.#moveTo(this.#deps.self, endpoint, `${home} is dead`, true);
        moves += 1;
        if (moves >= MOVES_MAX) return;
      }
    }
  }

  get #orphanedMs(): number {
    return ORPHANED_FACTOR * this.#deps.limits.fellowship.silentMs;
  }

  /** Whoever gets a lease gives it one full TTL of grace. */
  #moveTo(home: string, endpoint: Endpoint, outcome: string, isInherited = false): void {
    const seen = { check: 'LEASE', outcome, rule: 'LEASE_TAKEN_OVER' } as const;
    this.#ledger.alter(endpoint, { home, term: endpoint.term + 1, isInherited }, seen);
  }

  // Merging

  #mergeOne(theirs: Endpoint): void {
    if (isTooFarAhead(theirs.stamp, this.#deps.clock.wallMs())) return;
    this.#ledger.stamps.see(theirs.stamp);
    const key = keyOfEndpoint(theirs);
    const mine = this.registry.byKey(key);
    if (!supersedes(theirs, mine) || (mine === undefined && !this.#isWorthKnowing(theirs))) return;
    if (isLive(mine) && isByAbsence(theirs, mine) && !this.#isBelieved(theirs, mine)) return;
    const hadLease = isLive(mine) && this.#household.hasLease(key);
    this.#ledger.put(theirs, false);
    const { home, fencingToken } = theirs;
    const isSameLease = isLive(theirs) && fencingToken === mine?.fencingToken;
    if (!hadLease || !isSameLease || home === this.#deps.self) return;
    this.#deps.perform({ kind: 'pass-on', home, endpoint: theirs });
  }

  /** Of one that is unknown here: there is room, or it is removed and still to be remembered. */
  #isWorthKnowing({ removal, stamp }: Endpoint): boolean {
    const { clock, limits } = this.#deps;
    if (removal === undefined) return this.registry.liveCount < OVERFLOW * limits.endpointsMax;
    return givenAtMs(stamp) + limits.rememberedMs > clock.wallMs();
  }

  /**
   * Whether the absence that somebody noticed counts here. The home decides: it claims back what lives
   * there. Others wait for that as long as the home lives.
   */
  #isBelieved(theirs: Endpoint, mine: Endpoint): boolean {
    const { self } = this.#deps;
    if (mine.home !== self) {
      return !this.fellowship.isAlive(mine.home, this.#nowMs);
    }
    if (mine.held === 'lease-ended') return true;
    if (isLive(theirs) || mine.health !== 'unhealthy') this.#claimBack(mine, theirs);
    else this.#moveTo(self, theirs, 'unhealthy here too');
    return false;
  }

  /** Another binder heard nothing from an endpoint that has a lease here. */
  #claimBack(mine: Endpoint, theirs: Endpoint): void {
    const observer = theirs.evidence.at(-1)?.observer ?? theirs.home;
    const outcome = `lives here; ${observer} heard nothing of it`;
    const seen = { check: 'LEASE', outcome, rule: 'LEASE_TAKEN_OVER' } as const;
    this.#ledger.alter(mine, { term: theirs.term + 1, isInherited: false }, seen);
  }

  // Changes

  #changed(change: Change): void {
    const { endpoint } = change;
    const key = keyOfEndpoint(endpoint);
    if (isLive(endpoint) && endpoint.home === this.#deps.self) {
      this.#household.takeIn(endpoint, this.#nowMs);
    } else {
      this.#household.letGo(key);
      this.#watchman.forget(key);
    }
    this.#deps.perform({ kind: 'changed', ...change });
  }

  get #nowMs(): number {
    return this.#deps.clock.steadyMs();
  }
}

function healthAtRegistration({ check }: Registration, live: Endpoint | undefined) {
  if (check === undefined || !isPeriodic(check)) return 'healthy';
  const isSameCheck = JSON.stringify(live?.registration.check) === JSON.stringify(check);
  return isSameCheck && live !== undefined ? live.health : 'unknown';
}

/**
 * Whether somebody says so because he heard nothing, who is not the home as far as is known here: took
 * the endpoint over, or removed it.
 */
function isByAbsence(theirs: Endpoint, mine: Endpoint): boolean {
  const isRemoved = theirs.removal === 'lease-ended' || theirs.removal === 'checks-failed';
  const isTaken = theirs.removal === undefined && theirs.isInherited;
  const isSameRegistration = theirs.fencingToken === mine.fencingToken;
  return (isRemoved || isTaken) && isSameRegistration && theirs.home !== mine.home;
}
