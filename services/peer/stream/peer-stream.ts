/**
 * A stream between this peer and another one: two pipes, and two ends.
 *
 * At the near end is an application of this node, at the far end the other peer. Each end has one user
 * at a time, and the stream is over when both directions are.
 */
import { RingbinderError } from '../../errors.js';
import type { PeerRef } from '../core/ring-space.js';
import { Pipe } from './pipe.js';

/** What the user of one end reads and writes. */
export type StreamEnd = { readonly incoming: Pipe; readonly outgoing: Pipe };

export class PeerStream {
  readonly peer: PeerRef;
  readonly name: string;
  readonly #toFar: Pipe;
  readonly #toNear: Pipe;
  readonly #opened: Promise<void>;
  #open: () => void = () => undefined;
  #refuse: (reason: Error) => void = () => undefined;
  #isOpen = false;
  #isTaken = false;

  /** With itself, a peer reads what it has written. */
  constructor(peer: PeerRef, name: string, isToSelf = false) {
    this.peer = peer;
    this.name = name;
    this.#toNear = new Pipe();
    this.#toFar = isToSelf ? this.#toNear : new Pipe();
    this.#opened = new Promise((resolve, reject) => {
      this.#open = resolve;
      this.#refuse = reject;
    });
    // Whom it concerns waits for it; there may be nobody.
    this.#opened.catch(() => undefined);
    if (isToSelf) this.open();
  }

  /** Whether an application has its near end. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Whether it stands, up to the other peer. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isOver(): boolean {
    return this.#toFar.isDone && this.#toNear.isDone;
  }

  /** Resolves when it stands; rejects with why it does not come to that. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  /** The near end, for one application. */
  take(): StreamEnd {
    this.#isTaken = true;
    return { incoming: this.#toNear, outgoing: this.#toFar };
  }

  /** The far end, for what carries it. */
  get far(): StreamEnd {
    return { incoming: this.#toFar, outgoing: this.#toNear };
  }

  /** It stands. */
  open(): void {
    this.#isOpen = true;
    this.#open();
  }

  /** Ends what is not finished in either direction. */
  break(reason: Error): void {
    this.#refuse(reason);
    this.#toFar.fail(reason);
    this.#toNear.fail(reason);
  }
}

/** The other peer, or what is between, is gone. */
export function brokenOff({ peer }: PeerStream, cause?: unknown): RingbinderError {
  const text = `the stream with ${peer.address} broke off`;
  const facts = { address: peer.address, ringId: String(peer.ringId) };
  return new RingbinderError('PEER_UNREACHABLE', text, facts, { cause });
}
