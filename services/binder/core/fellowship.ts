/**
 * The other binders: who of them lives, and who takes over from one that does not.
 *
 * Each is pinged again and again. One that has not spoken for a while is dead to this binder; its
 * leases go to those that live, each to the one that ranks first for it (rendezvous hashing: Thaler
 * and Ravishankar, 1998), so that binders that see the same decide the same without a word.
 */

export type FellowshipLimits = {
  /** From one ping of a binder to the next, among few; among many `PINGS_PER_S_MAX` counts. */
  readonly pingMs: number;
  /** A binder that has been silent for so long, and for three pings, is dead. */
  readonly silentMs: number;
  /** Longest time between two pings of one that is dead. */
  readonly retryMsMax: number;
};

/** More than any table of endpoints names; then their time begins anew. */
const STRANGERS_MAX = 10_000;

/** One binder sends no more pings: 300 binders are pinged every 6 s. */
const PINGS_PER_S_MAX = 50;
const SILENT_PINGS = 3;

type Fellow = { heardAtMs: number; nextPingMs: number; pauseMs: number; isUnderWay: boolean };

export class Fellowship {
  readonly #self: string;
  readonly #limits: FellowshipLimits;
  readonly #fellows = new Map<string, Fellow>();
  /** Since when somebody whom nobody named is silent. */
  readonly #strangers = new Map<string, number>();

  /** `self` is the address of this binder. */
  constructor(self: string, limits: FellowshipLimits) {
    this.#self = self;
    this.#limits = limits;
  }

  /** Who the others are; who is not named any more is forgotten. */
  name(addresses: Iterable<string>, nowMs: number): void {
    const named = new Set(addresses);
    named.delete(this.#self);
    for (const address of this.#fellows.keys()) {
      if (!named.has(address)) this.#fellows.delete(address);
    }
    for (const address of named) {
      if (this.#fellows.has(address)) continue;
      const pauseMs = this.#pingMs;
      const fellow = { heardAtMs: nowMs, nextPingMs: nowMs, pauseMs, isUnderWay: false };
      this.#fellows.set(address, fellow);
    }
  }

  /** This process stood still: nobody could be heard meanwhile. */
  excuseAll(nowMs: number): void {
    for (const fellow of this.#fellows.values()) fellow.heardAtMs = nowMs;
    this.#strangers.clear();
  }

  has(address: string): boolean {
    return this.#fellows.has(address);
  }

  /** All others, dead or alive. */
  get addresses(): readonly string[] {
    return [...this.#fellows.keys()];
  }

  /** Whom to ping now; each then counts as being pinged until it is heard or missed. */
  takePings(nowMs: number): readonly string[] {
    const due: string[] = [];
    for (const [address, fellow] of this.#fellows) {
      if (fellow.isUnderWay || fellow.nextPingMs > nowMs) continue;
      fellow.isUnderWay = true;
      due.push(address);
    }
    return due;
  }

  /** A binder spoke. */
  hear(address: string, nowMs: number): void {
    const fellow = this.#fellows.get(address);
    if (fellow === undefined) return;
    fellow.heardAtMs = nowMs;
    fellow.pauseMs = this.#pingMs;
    fellow.nextPingMs = Math.min(fellow.nextPingMs, nowMs + this.#pingMs);
  }

  /** It answered a ping. */
  answer(address: string, nowMs: number): void {
    this.hear(address, nowMs);
    const fellow = this.#fellows.get(address);
    if (fellow === undefined) return;
    fellow.isUnderWay = false;
    fellow.nextPingMs = nowMs + this.#pingMs;
  }

  /** A ping was not answered. */
  miss(address: string, nowMs: number): void {
    const fellow = this.#fellows.get(address);
    if (fellow === undefined) return;
    fellow.isUnderWay = false;
    if (this.#isSilent(fellow, nowMs)) {
      fellow.pauseMs = Math.min(
        2 * fellow.pauseMs,
        Math.max(this.#limits.retryMsMax, this.#pingMs),
      );
    }
    fellow.nextPingMs = nowMs + fellow.pauseMs;
  }

  isAlive(address: string, nowMs: number): boolean {
    return this.silentForMs(address, nowMs) < this.#silentMs;
  }

  /** How long a binder has not been heard of; one that nobody named, since it was first asked about. */
  silentForMs(address: string, nowMs: number): number {
    if (address === this.#self) return 0;
    const fellow = this.#fellows.get(address);
    if (fellow !== undefined) {
      this.#strangers.delete(address);
      return nowMs - fellow.heardAtMs;
    }
    if (this.#strangers.size > STRANGERS_MAX) this.#strangers.clear();
    const since = this.#strangers.get(address) ?? nowMs;
    this.#strangers.set(address, since);
    return nowMs - since;
  }

  /** Whether this binder is the one of those alive that takes over what belongs to the key. */
  isHeir(key: string, nowMs: number): boolean {
    const mine = weight(this.#self, key);
    for (const [address, fellow] of this.#fellows) {
      if (this.#isSilent(fellow, nowMs)) continue;
      const other = weight(address, key);
      if (other > mine || (other === mine && address > this.#self)) return false;
    }
    return true;
  }

  /** To whom of the others that live this goes when this binder leaves; undefined: nobody is left. */
  heirOf(key: string, nowMs: number): string | undefined {
    const alive = [...this.#fellows].filter(([, fellow]) => !this.#isSilent(fellow, nowMs));
    const ranked = alive.map(([address]) => ({ address, weight: weight(address, key) }));
    ranked.sort(
      (one, other) => other.weight - one.weight || (one.address < other.address ? 1 : -1),
    );
    return ranked[0]?.address;
  }

  get #pingMs(): number {
    return Math.max(this.#limits.pingMs, (this.#fellows.size * 1_000) / PINGS_PER_S_MAX);
  }

  get #silentMs(): number {
    return Math.max(this.#limits.silentMs, SILENT_PINGS * this.#pingMs);
  }

  #isSilent({ heardAtMs }: Fellow, nowMs: number): boolean {
    return nowMs - heardAtMs >= this.#silentMs;
  }
}

function weight(address: string, key: string): number {
  let value = 0x811c_9dc5;
  for (const text of [address, key]) {
    for (let index = 0; index < text.length; index += 1) {
      value = Math.imul(value ^ text.charCodeAt(index), 0x0100_0193);
    }
    value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
  }
  return (value ^ (value >>> 16)) >>> 0;
}
