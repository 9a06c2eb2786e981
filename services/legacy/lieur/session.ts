/**
 * A binder for original clients and services, and among original binders (wire/lieur.md, sections 3 to 5).
 *
 * Services are those of BinderService: type 3 is the service `legacy-3`, unless a name is configured. A
 * subscription is registered there, and renewed for as long as nobody proves it dead, for originals never
 * renew. What is registered by others is handed out to original clients too, where they can use it.
 *
 * Differences from the originals, on purpose: what is asked meanwhile never waits for a verification (L5)
 * nor for the lists of others (L4); entries are a set (L2); additions, removals and lists count only from
 * binders that are configured (L14); what another binder removes is looked at first.
 */
import { RateLimit, type RateLimits } from '../core/rate-limit.js';
import type {
  BinderCalls,
  EndpointChange,
  Send,
  SessionClock,
  SessionNote,
  Source,
} from '../core/session.js';
import { isForOriginals, LIEUR, LIST_MAX, type LieurEntry, type LieurMessage } from './codec.js';
import { LieurDirectory } from './directory.js';
import { Verifications } from './verifications.js';

export type LieurSocket = 'main' | 'verification';

export type LieurOptions = {
  /** Other binders: whom we ask, tell and believe. */
  readonly binders: readonly Source[];
  /** Names of services by type; one that is not there is `legacy-` and its number. */
  readonly names: ReadonlyMap<number, string>;
  readonly rates: RateLimits;
};

export type LieurSessionDeps = {
  readonly clock: SessionClock;
  readonly send: Send<LieurSocket>;
  readonly calls: BinderCalls;
  readonly note: (note: SessionNote) => void;
  readonly options: LieurOptions;
};

const SECOND = 1_000;
export const LIEUR_LIMITS = {
  entriesMax: 10_000,
  verificationsMax: 1_024,
  /** An original waits so long for one. */
  verificationMs: 2 * SECOND,
  /** Lease of a subscription; renewed three times as often. */
  ttlMs: 60 * SECOND,
  /** Between two requests for the lists of others (L16). */
  listMs: 60 * SECOND,
  /** Bytes of lists that one source gets within a second; the largest list has 702. */
  listBytesPerSecond: 2_106,
} as const;

const NAME_PREFIX = 'legacy-';

export class LieurSession {
  readonly #deps: LieurSessionDeps;
  readonly #directory = new LieurDirectory(LIEUR_LIMITS.entriesMax);
  readonly #verifications = new Verifications(LIEUR_LIMITS.verificationsMax);
  readonly #rate: RateLimit;
  readonly #lists: RateLimit;
  readonly #types: ReadonlyMap<string, number>;
  /** What subscribed here or was told by other binders: when it is renewed next. */
  readonly #kept = new Map<string, { readonly entry: LieurEntry; renewAtMs: number }>();
  #listsAtMs = 0;

  constructor(deps: LieurSessionDeps) {
    this.#deps = deps;
    const { names, rates } = deps.options;
    this.#rate = new RateLimit(rates);
    const perSecond = Math.ceil(LIEUR_LIMITS.listBytesPerSecond / 702);
    this.#lists = new RateLimit({ perSecond, burst: perSecond, hostsMax: rates.hostsMax });
    this.#types = new Map([...names].map(([type, name]) => [name, type]));
  }

  /** Entries that can be asked for. */
  get size(): number {
    return this.#directory.size;
  }

  /** Names of the services that can be asked for, one for each type. */
  get services(): readonly string[] {
    return Array.from({ length: 256 }, (_, type) => this.#serviceOf(type));
  }

  /** A datagram has come. */
  received(socket: LieurSocket, from: Source, bytes: Uint8Array): void {
    if (!this.#rate.take(from.host, this.#nowMs)) {
      this.#note('in', socket, from, 'limited', {});
      return;
    }
    const decoded = LIEUR.decode(bytes);
    if (decoded.kind !== 'message') {
      const why = decoded.kind === 'malformed' ? decoded.why : 'it is cut off';
      this.#note('in', socket, from, 'malformed', { why });
      return;
    }
    const { message } = decoded;
    this.#note('in', socket, from, message.kind, fieldsOf(message));
    if (socket === 'main') this.#onMain(from, message);
    else if (message.kind === 'existence') this.#verifications.answered(from);
  }

  /** BinderService has changed; every change is to be told, those made from here too. */
  changed({ kind, service, address }: EndpointChange): void {
    const entry = this.#entryOf(service, address);
    if (entry === undefined) return;
    if (kind === 'added') {
      const isNews = this.#directory.add(entry) && !this.#kept.has(keyOf(entry));
      if (isNews) this.#tellBinders({ kind: 'addition', entry });
      return;
    }
    this.#kept.delete(keyOf(entry));
    if (this.#directory.remove(entry)) this.#tellBinders({ kind: 'removal', entry });
  }

  /** Asks a service whether it lives, from the verification port; calls `done` once. */
  verify(to: Source, done: (isAlive: boolean) => void): void {
    const endsAtMs = this.#nowMs + LIEUR_LIMITS.verificationMs;
    if (this.#verifications.begin(to, endsAtMs, done)) {
      this.#send('verification', to, { kind: 'verification' });
    }
  }

  /** To be called many times a second. */
  tick(): void {
    const nowMs = this.#nowMs;
    this.#verifications.endSilent(nowMs);
    if (nowMs >= this.#listsAtMs) {
      this.#listsAtMs = nowMs + LIEUR_LIMITS.listMs;
      this.#tellBinders({ kind: 'list-request' });
    }
    for (const kept of this.#kept.values()) {
      if (kept.renewAtMs > nowMs) continue;
      kept.renewAtMs = nowMs + LIEUR_LIMITS.ttlMs / 3;
      this.#register(kept.entry, () => undefined);
    }
  }

  #onMain(from: Source, message: LieurMessage): void {
    switch (message.kind) {
      case 'contact':
        return this.#send('main', from, { kind: 'echo', payload: message.payload });
      case 'request':
        return this.#handOut(from, message.type);
      case 'subscription':
        return this.#subscribe(from, message.type);
      case 'complaint':
        return this.#complain(message.entry);
      case 'list-request':
        return this.#tellList(from);
      case 'list':
        if (this.#isBinder(from)) for (const entry of message.entries) this.#keep(entry, from);
        return;
      case 'addition':
        if (this.#isBinder(from)) this.#keep(message.entry, from);
        return;
      case 'removal':
        if (this.#isBinder(from)) this.#complain(message.entry);
        return;
      default:
        return;
    }
  }

  #handOut(to: Source, type: number): void {
    const entry = this.#directory.next(type, isForOriginals);
    this.#send('main', to, entry === undefined ? { kind: 'none' } : { kind: 'answer', entry });
  }

  /** Its address is where it speaks from (L13). A repeat is confirmed, and told to nobody (L2). */
  #subscribe(from: Source, type: number): void {
    const entry = { type, host: from.host, port: from.port };
    if (!this.#hasRoom(entry)) return;
    const isNews = !this.#kept.has(keyOf(entry));
    this.#remember(entry);
    this.#register(entry, (isDone) => {
      if (!isDone) {
        if (isNews) this.#kept.delete(keyOf(entry));
        return;
      }
      if (isNews) this.#tellBinders({ kind: 'addition', entry });
      this.#send('main', from, { kind: 'confirmation' });
    });
  }

  #complain(entry: LieurEntry): void {
    if (!this.#directory.has(entry)) return;
    this.#deps.calls.report(this.#serviceOf(entry.type), addressOf(entry));
  }

  #tellList(to: Source): void {
    if (!this.#lists.take(to.host, this.#nowMs)) {
      this.#note('out', 'main', to, 'limited', {});
      return;
    }
    const entries = [...this.#directory].filter(isForOriginals).slice(0, LIST_MAX);
    this.#send('main', to, { kind: 'list', entries });
  }

  /**
   * Another binder has it: so do we, until it is proved dead. What is local to another host means
   * another program here (L13).
   */
  #keep(entry: LieurEntry, from: Source): void {
    const isElsewhere = isLoopback(entry.host) && !isLoopback(from.host);
    if (isElsewhere || !isForOriginals(entry)) return;
    if (this.#kept.has(keyOf(entry)) || !this.#hasRoom(entry)) return;
    this.#remember(entry);
    this.#register(entry, () => undefined);
  }

  #remember(entry: LieurEntry): void {
    const renewAtMs = this.#nowMs + LIEUR_LIMITS.ttlMs / 3;
    this.#kept.set(keyOf(entry), { entry, renewAtMs });
  }

  #hasRoom(entry: LieurEntry): boolean {
    return this.#kept.size < LIEUR_LIMITS.entriesMax || this.#kept.has(keyOf(entry));
  }

  #register(entry: LieurEntry, done: (isDone: boolean) => void): void {
    const { ttlMs } = LIEUR_LIMITS;
    this.#deps.calls.register(this.#serviceOf(entry.type), addressOf(entry), ttlMs, done);
  }

  #isBinder({ host, port }: Source): boolean {
    return this.#deps.options.binders.some((each) => each.host === host && each.port === port);
  }

  /** What no original may hear of stays with us. */
  #tellBinders(message: LieurMessage): void {
    if ('entry' in message && !isForOriginals(message.entry)) return;
    for (const binder of this.#deps.options.binders) this.#send('main', binder, message);
  }

  #send(socket: LieurSocket, to: Source, message: LieurMessage): void {
    this.#note('out', socket, to, message.kind, fieldsOf(message));
    this.#deps.send(socket, to, LIEUR.encode(message));
  }

  #serviceOf(type: number): string {
    return this.#deps.options.names.get(type) ?? `${NAME_PREFIX}${type}`;
  }

  #entryOf(service: string, address: string): LieurEntry | undefined {
    const named = this.#types.get(service);
    const digits = /^legacy-(\d{1,3})$/.exec(service)?.[1];
    const type = named ?? (digits === undefined ? undefined : Number(digits));
    const [, host, port] = /^(\d+\.\d+\.\d+\.\d+):(\d+)$/.exec(address) ?? [];
    if (type === undefined || type > 255 || this.#serviceOf(type) !== service) return undefined;
    return host === undefined ? undefined : { type, host, port: Number(port) };
  }

  #note(
    direction: SessionNote['direction'],
    socket: LieurSocket,
    peer: Source,
    what: string,
    fields: SessionNote['fields'],
  ): void {
    this.#deps.note({ direction, socket, peer, what, fields });
  }

  get #nowMs(): number {
    return this.#deps.clock.steadyMs();
  }
}

function keyOf({ type, host, port }: LieurEntry): string {
  return `${type} ${host}:${port}`;
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.');
}

function addressOf({ host, port }: LieurEntry): string {
  return `${host}:${port}`;
}

function fieldsOf(message: LieurMessage): SessionNote['fields'] {
  switch (message.kind) {
    case 'contact':
    case 'echo':
      return { bytes: message.payload.length };
    case 'request':
    case 'subscription':
      return { type: message.type };
    case 'answer':
    case 'complaint':
    case 'addition':
    case 'removal':
      return { type: message.entry.type, address: addressOf(message.entry) };
    case 'list':
      return { entries: message.entries.length };
    default:
      return {};
  }
}
