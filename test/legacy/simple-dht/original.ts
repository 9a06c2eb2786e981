/**
 * An original server as wire/simple-dht.md states it in sections 3, 4 and 6, with what stops it: it reads
 * what has come in one go, each time that it is called.
 */
import { simpleDht, type SimpleDhtMessage } from '../../../services/legacy/simple-dht/codec.js';
import type { Source } from '../../../services/legacy/core/session.js';
import { nameOf, textOf } from './rig.js';

type Sends = (to: Source, message: SimpleDhtMessage) => void;

export class Original {
  readonly peers = new Map<string, { readonly source: Source; readonly seenMs: number }>();
  readonly table = new Map<string, { readonly value: Uint8Array; readonly putMs: number }>();
  /** Why it has stopped. */
  death: string | undefined;
  readonly #inbox: { readonly from: Source; readonly bytes: Uint8Array }[] = [];
  readonly #pending: { readonly hash: string; readonly to: Source }[] = [];
  readonly #send: Sends;
  #nowMs = 0;

  constructor(send: Sends) {
    this.#send = send;
  }

  valueOf(hash: string): string | undefined {
    return textOf(this.table.get(hash)?.value);
  }

  receive(from: Source, bytes: Uint8Array): void {
    this.#inbox.push({ from, bytes });
  }

  read(nowMs: number): void {
    this.#nowMs = nowMs;
    const inbox = this.#inbox.splice(0).map(({ from, bytes }) => {
      const decoded = simpleDht.decode(bytes);
      if (decoded.kind !== 'message') this.death = `invalid: ${Buffer.from(bytes).toString('hex')}`;
      return { from, decoded };
    });
    const messages = inbox.flatMap(({ from, decoded }) =>
      decoded.kind === 'message' ? [{ from, message: decoded.message }] : [],
    );
    const crowd = messages.filter(({ message }) => ['put', 'discover'].includes(message.kind));
    if (crowd.length > 2) this.death = `${crowd.length} Puts in one go`;
    for (const { from, message } of messages) this.#handle(from, message);
  }

  tick(): void {
    for (const [hash, { putMs }] of this.table) {
      if (this.#nowMs - putMs > 30_000) this.table.delete(hash);
    }
    for (const { source } of this.#livePeers()) this.#send(source, { kind: 'keep-alive' });
  }

  #handle(from: Source, message: SimpleDhtMessage): void {
    this.peers.set(nameOf(from), { source: from, seenMs: this.#nowMs });
    if (message.kind === 'get') this.#handleGet(from, message.hash);
    if (message.kind === 'put') this.#handlePut(message.hash, message.value);
    if (message.kind === 'i-have' && !this.table.has(message.hash)) {
      this.#send(from, { kind: 'get', hash: message.hash });
    }
    if (message.kind === 'discover' && message.port === 0) this.death = 'port 0';
  }

  #handleGet(to: Source, hash: string): void {
    const value = this.table.get(hash)?.value;
    if (value === undefined) this.#pending.push({ hash, to });
    else this.#send(to, { kind: 'put', hash, value });
  }

  #handlePut(hash: string, value: Uint8Array): void {
    this.table.set(hash, { value, putMs: this.#nowMs });
    const waiting = this.#pending.filter((pending) => pending.hash === hash);
    for (const { to } of waiting) this.#send(to, { kind: 'put', hash, value });
    for (const { source } of this.#livePeers()) this.#send(source, { kind: 'i-have', hash });
  }

  #livePeers() {
    for (const [key, { seenMs }] of this.peers) {
      if (this.#nowMs - seenMs > 10_000) this.peers.delete(key);
    }
    return [...this.peers.values()];
  }
}
