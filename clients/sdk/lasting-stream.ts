/** Streams that go on when the connection or the node is lost. */
import { CallError, isNodeLost } from './errors.js';
import { now, pause, spread } from './timing.js';

export type CallOptions = {
  /** How long this call may take; for a watch, no bound unless given. */
  readonly timeoutMs?: number;
  /** Ends the call. */
  readonly signal?: AbortSignal;
};

/** How a watch goes on when the connection or the node is lost. */
export type LastingOptions = CallOptions & {
  /**
   * False ends the watch with the error instead; `always` also goes on when the node was never there,
   * and after any other error. Default true.
   */
  readonly reconnect?: boolean | 'always';
  /** Told of each loss, before the wait for a new attempt. */
  readonly onLost?: (error: CallError) => void;
};

/** The wait before a lost stream is opened again; doubles with each attempt that brings nothing. */
export const REOPEN_MS = { first: 100, max: 5_000 };

type Open<Message> = (options: CallOptions) => AsyncGenerator<Message, void, void>;

/**
 * Opens another stream after the loss of one, again and again, once a first message has come: until
 * then the node may never have been there.
 *
 * With several nodes, `open` goes to another one after each loss; there is no wait before all of them
 * were tried.
 */
export async function* lastingStream<Message>(
  open: Open<Message>,
  options: LastingOptions = {},
  nodeCount = 1,
): AsyncGenerator<Message, void, void> {
  const { timeoutMs, signal, reconnect = true, onLost } = options;
  const end = now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
  let hasBegun = false;
  let losses = 0;
  let waitMs = REOPEN_MS.first;
  for (;;) {
    const bounds = {
      ...(timeoutMs !== undefined && { timeoutMs: end - now() }),
      ...(signal !== undefined && { signal }),
    };
    let askedMs = 0;
    try {
      for await (const message of open(bounds)) {
        hasBegun = true;
        losses = 0;
        waitMs = REOPEN_MS.first;
        yield message;
      }
      if (reconnect !== 'always') return;
    } catch (thrown) {
      if (!(thrown instanceof CallError)) throw thrown;
      const isLastNode = losses + 1 >= nodeCount;
      const goesOn = reconnect === true && isNodeLost(thrown) && (hasBegun || !isLastNode);
      if (!goesOn && reconnect !== 'always') throw thrown;
      onLost?.(thrown);
      askedMs = Math.min(thrown.retryAfterMs ?? 0, REOPEN_MS.max);
    }
    losses += 1;
    if (losses % nodeCount === 0) {
      await pause(Math.min(Math.max(spread(waitMs), askedMs), end - now()), signal);
      waitMs = Math.min(2 * waitMs, REOPEN_MS.max);
    }
    if (signal?.aborted === true) return;
  }
}
