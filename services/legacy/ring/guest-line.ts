/**
 * The way to one guest: lines to the port where the programs of group 1 listen (wire/ring.md, section
 * 7.1), one after the other, each until it was answered.
 *
 * A program that once answered and then is silent for a minute is dead. One that never did stays: many
 * originals listen elsewhere, or not at all.
 */
import type { Cancel, Clock } from '../../system/clock.js';
import type { RingNeighbor } from '../core/session.js';
import { requestLine, type PeerRequest } from './request-codec.js';

export const GUEST_LINE_LIMITS = {
  /** Messages that wait, and the characters of their texts; one message more is no harm. */
  messagesMax: 256,
  charactersMax: 2 ** 20,
  /** How often a quiet guest is asked for its table, to see whether it lives. */
  askEveryMs: 15_000,
  /** How long one that has answered may be silent. */
  silentMsMax: 60_000,
  /** Pauses between two tries; they double. */
  retryMs: { first: 1_000, max: 15_000 },
} as const;

export type GuestLineDeps = {
  /** Sends a line; resolves with whether it was answered, and never rejects. */
  readonly exchange: (line: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly onDead: () => void;
};

type Message = Extract<PeerRequest, { kind: 'message' }>;
type Sides = { readonly predecessor: RingNeighbor; readonly successor: RingNeighbor };
const SIDES = ['predecessor', 'successor'] as const;

export class GuestLine {
  readonly #deps: GuestLineDeps;
  readonly #messages: Message[] = [];
  #characters = 0;
  /** Notices that wait, by side: a later one replaces an earlier one. */
  readonly #notices = new Map<(typeof SIDES)[number], PeerRequest>();
  readonly #stopAsking: Cancel;
  #told: Sides | undefined;
  #answeredAtMs: number | undefined;
  #retryMs: number = GUEST_LINE_LIMITS.retryMs.first;
  #endPause: Cancel | undefined;
  #isSending = false;
  #isClosed = false;

  constructor(deps: GuestLineDeps) {
    this.#deps = deps;
    this.#stopAsking = deps.clock.every(GUEST_LINE_LIMITS.askEveryMs, () => this.#ask());
  }

  /** Whether so much waits that nothing more is to be sent now. */
  get isFull(): boolean {
    const { messagesMax, charactersMax } = GUEST_LINE_LIMITS;
    return this.#messages.length >= messagesMax || this.#characters >= charactersMax;
  }

  /** Sends a message, behind those that wait. */
  send(message: Message): void {
    this.#messages.push(message);
    this.#characters += message.text.length;
    void this.#sendAll();
  }

  /** Tells the guest of neighbours that are other ones than it was told of. */
  neighborsAre(sides: Sides): void {
    for (const side of SIDES) {
      const { ringId, host } = sides[side];
      if (this.#told?.[side].ringId === ringId) continue;
      this.#notices.set(side, { kind: 'neighbor', side, ringId, host });
    }
    this.#told = sides;
    if (this.#notices.size > 0) void this.#sendAll();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopAsking();
    this.#endPause?.();
  }

  #ask(): void {
    const { clock, onDead } = this.#deps;
    const silentMs = clock.monotonicMs() - (this.#answeredAtMs ?? clock.monotonicMs());
    if (silentMs > GUEST_LINE_LIMITS.silentMsMax) {
      this.close();
      onDead();
    } else if (!this.#isSending) {
      void this.#exchange({ kind: 'table' });
    }
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (!this.#isClosed) {
      const next = this.#takeNext();
      if (next === undefined) break;
      if (await this.#exchange(next.request)) {
        next.done();
        this.#retryMs = GUEST_LINE_LIMITS.retryMs.first;
      } else {
        await this.#pause();
      }
    }
    this.#isSending = false;
  }

  /** Notices first: what a guest knows of the ring decides where it sends. */
  #takeNext(): { readonly request: PeerRequest; readonly done: () => void } | undefined {
    const [notice] = this.#notices;
    if (notice !== undefined) {
      const [side, request] = notice;
      const done = (): void => {
        if (this.#notices.get(side) === request) this.#notices.delete(side);
      };
      return { request, done };
    }
    const [request] = this.#messages;
    const done = (): void => {
      this.#messages.shift();
      this.#characters -= request?.text.length ?? 0;
    };
    return request && { request, done };
  }

  async #exchange(request: PeerRequest): Promise<boolean> {
    const { exchange, clock } = this.#deps;
    const isAnswered = await exchange(requestLine(request));
    if (isAnswered) this.#answeredAtMs = clock.monotonicMs();
    return isAnswered;
  }

  async #pause(): Promise<void> {
    const pauseMs = this.#retryMs;
    this.#retryMs = Math.min(2 * pauseMs, GUEST_LINE_LIMITS.retryMs.max);
    await new Promise<void>((wake) => {
      const cancel = this.#deps.clock.after(pauseMs, wake);
      this.#endPause = () => {
        cancel();
        wake();
      };
    });
  }
}
