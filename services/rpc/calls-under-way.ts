/**
 * The calls that a server works on: what its shutdown waits for, and ends.
 */
import { RingbinderError } from '../errors.js';

/** What shutdown needs of a call. */
export type EndableCall = {
  /** A stream may go on for ever, so it is ended when the server begins to stop. */
  readonly isStream: boolean;
  /** Ends it with this error, and with it its place among the calls under way. */
  fail(error: RingbinderError): void;
};

export class CallsUnderWay {
  readonly #calls = new Set<EndableCall>();
  #isStopping = false;
  #whenIdle: (() => void) | undefined;

  get count(): number {
    return this.#calls.size;
  }

  /** Throws `NODE_STOPPING` when no more calls are taken. */
  begin(call: EndableCall): void {
    if (this.#isStopping) throw stopping();
    this.#calls.add(call);
  }

  end(call: EndableCall): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#whenIdle?.();
  }

  /** Takes no more calls, and ends the streams. */
  stop(): void {
    this.#isStopping = true;
    this.#fail([...this.#calls].filter((call) => call.isStream));
  }

  /** Ends all that are left. */
  abandon(): void {
    this.#fail([...this.#calls]);
  }

  /** Resolves when there are none. */
  idle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  #fail(calls: readonly EndableCall[]): void {
    for (const call of calls) call.fail(stopping());
  }
}

function stopping(): RingbinderError {
  return new RingbinderError(
    'NODE_STOPPING',
    'this node is shutting down; go to another node, or come back later',
  );
}
