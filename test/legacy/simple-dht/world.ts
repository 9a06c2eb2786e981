/** Sessions, originals and clients that send to each other, 5 ms each way, with a clock moved by hand. */
import { simpleDht } from '../../../services/legacy/simple-dht/codec.js';
import type { Source } from '../../../services/legacy/core/session.js';
import { Original } from './original.js';
import { at, hexOf, Rig } from './rig.js';

const STEP_MS = 5;

type Datagram = { readonly from: Source; readonly to: Source; readonly bytes: Uint8Array };

export class World {
  nowMs = 0;
  readonly rigs = new Map<number, Rig>();
  readonly originals = new Map<number, Original>();
  /** Every datagram, `from>to hex`, without KeepAlives. */
  readonly wire: string[] = [];
  #under: Datagram[] = [];

  rig(port: number): Rig {
    const rig = new Rig({}, at(port));
    rig.onSend = (to, bytes) => this.send(port, to.port, bytes);
    this.rigs.set(port, rig);
    return rig;
  }

  original(port: number): Original {
    const original = new Original((to, message) =>
      this.send(port, to.port, simpleDht.encode(message)),
    );
    this.originals.set(port, original);
    return original;
  }

  send(from: number, to: number, bytes: Uint8Array): void {
    this.#under.push({ from: at(from), to: at(to), bytes: new Uint8Array(bytes) });
    if (hexOf(bytes) !== '02') this.wire.push(`${from}>${to} ${hexOf(bytes)}`);
  }

  sendHex(from: number, to: number, hex: string): void {
    this.send(from, to, Buffer.from(hex, 'hex'));
  }

  advance(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) this.#step();
  }

  takeWire(): readonly string[] {
    return this.wire.splice(0);
  }

  #step(): void {
    this.nowMs += STEP_MS;
    for (const rig of this.rigs.values()) rig.nowMs = this.nowMs;
    for (const datagram of this.#under.splice(0)) this.#deliver(datagram);
    for (const original of this.originals.values()) {
      original.read(this.nowMs);
      if (this.nowMs % 1_000 === 0) original.tick();
    }
    for (const rig of this.rigs.values()) rig.session.tick();
  }

  #deliver({ from, to, bytes }: Datagram): void {
    this.rigs.get(to.port)?.session.received('ipv4', from, bytes);
    this.originals.get(to.port)?.receive(from, bytes);
  }
}
