/** A session with a clock moved by hand, services in memory, and everything that leaves it. */
import type {
  SessionNote,
  Source,
  Stop,
  ValueCalls,
} from '../../../services/legacy/core/session.js';
import {
  SIMPLE_DHT_LIMITS,
  type SimpleDhtLimits,
} from '../../../services/legacy/simple-dht/limits.js';
import { SimpleDhtSession } from '../../../services/legacy/simple-dht/session.js';

export type SocketName = 'ipv4' | 'ipv6';

export type Sent = { readonly to: string; readonly hex: string; readonly atMs: number };

/** Not this machine. */
export const FAR: Source = { host: '192.0.2.1', port: 5_000 };
export const OWN: Source = { host: '127.0.0.1', port: 7_402 };

export const at = (port: number, host = '127.0.0.1'): Source => ({ host, port });
export const nameOf = ({ host, port }: Source): string => `${host} ${port}`;

/** Values with an end, as DhtService keeps them. */
export class FakeValues implements ValueCalls {
  readonly kept = new Map<string, { readonly value: Uint8Array; readonly endsMs: number }>();
  readonly wanted = new Set<{ readonly key: string; readonly changed: (v: Uint8Array) => void }>();
  /** What the next calls come to: `late` ones end when `release` is called. */
  manner: 'done' | 'failed' | 'late' = 'done';
  puts = 0;
  readonly #late: (() => void)[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  put(key: string, value: Uint8Array, ttlMs: number, done: (isDone: boolean) => void): void {
    this.#end(() => {
      this.puts += 1;
      if (this.manner === 'failed') return done(false);
      this.change(key, value, ttlMs);
      done(true);
    });
  }

  get(key: string, found: (value: Uint8Array | null | undefined) => void): void {
    this.#end(() => found(this.manner === 'failed' ? undefined : (this.valueOf(key) ?? null)));
  }

  want(key: string, changed: (value: Uint8Array) => void): Stop {
    const watch = { key, changed };
    this.wanted.add(watch);
    return () => this.wanted.delete(watch);
  }

  /** As somebody does over gRPC. */
  change(key: string, value: Uint8Array, ttlMs = Number.POSITIVE_INFINITY): void {
    this.kept.set(key, { value, endsMs: this.#nowMs() + ttlMs });
    for (const watch of [...this.wanted]) if (watch.key === key) watch.changed(value);
  }

  valueOf(key: string): Uint8Array | undefined {
    const kept = this.kept.get(key);
    return kept !== undefined && kept.endsMs > this.#nowMs() ? kept.value : undefined;
  }

  release(): void {
    this.manner = 'done';
    for (const end of this.#late.splice(0)) end();
  }

  #end(call: () => void): void {
    if (this.manner === 'late') this.#late.push(call);
    else call();
  }
}

export class Rig {
  nowMs = 0;
  readonly sent: Sent[] = [];
  readonly notes: SessionNote[] = [];
  readonly values = new FakeValues(() => this.nowMs);
  readonly session: SimpleDhtSession<SocketName>;
  /** Also called with everything that is sent. */
  onSend: (to: Source, bytes: Uint8Array) => void = () => undefined;

  constructor(limits: Partial<SimpleDhtLimits> = {}, own: Source = OWN) {
    this.session = new SimpleDhtSession<SocketName>({
      clock: { steadyMs: () => this.nowMs },
      send: (_, to, bytes) => {
        this.sent.push({ to: nameOf(to), hex: hexOf(bytes), atMs: this.nowMs });
        this.onSend(to, bytes);
      },
      calls: this.values,
      note: (note) => this.notes.push(note),
      options: {
        isOwn: (source) => nameOf(source) === nameOf(own),
        socketFor: (host) => (host.includes(':') ? 'ipv6' : 'ipv4'),
        limits: { ...SIMPLE_DHT_LIMITS, ...limits },
      },
    });
  }

  receive(from: Source, hex: string): void {
    this.session.received('ipv4', from, Buffer.from(hex, 'hex'));
  }

  /** Moves the clock in steps of 10 ms, as the socket does. */
  advance(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += 10;
      this.session.tick();
    }
  }

  /** What has been sent since the last time, `address hex`; KeepAlives only when asked for. */
  takeSent({ withKeepAlives = false } = {}): readonly string[] {
    return this.sent
      .splice(0)
      .filter(({ hex }) => withKeepAlives || hex !== '02')
      .map(({ to, hex }) => `${to.replace('127.0.0.1 ', '')} ${hex}`);
  }

  takeNotes(): readonly string[] {
    return this.notes.splice(0).map(({ what, fields }) => `${what}: ${String(fields['why'])}`);
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function putHex(hash: string, value: Uint8Array | string): string {
  const bytes = Buffer.from(value);
  return `01${hash}${bytes.length.toString(16).padStart(4, '0')}${bytes.toString('hex')}`;
}

export const hashOf = (index: number): string => index.toString(16).padStart(16, '0');

export const A = '0123456789abcdef';
export const textOf = (value: Uint8Array | undefined): string | undefined =>
  value && Buffer.from(value).toString();
