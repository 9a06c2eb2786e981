/** What a page is told without asking: the topology and its changes, and a verdict now and then. */
import { RingbinderError } from '../errors.js';
import { pause, type Clock } from '../system/clock.js';
import { refusalToJson, type ApiDeps } from './api.js';
import type { EventStream } from './event-stream.js';

/** Between two verdicts; each looks at the whole ring twice. */
const VERDICT_EVERY_MS = 3_000;

/** Resolves when the reader is gone, or has been told why there is no more. Never rejects. */
export async function broadcast(stream: EventStream, deps: ApiDeps, clock: Clock): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([stream.signal, over.signal]);
  try {
    await stream.send({ name: 'node', data: deps.node() });
    await Promise.race([
      sendTopology(stream, deps, signal),
      sendVerdicts(stream, deps, clock, signal),
    ]);
  } catch (thrown) {
    const refusal = refusalToJson(RingbinderError.from(thrown));
    await stream.send({ name: 'refusal', data: refusal });
  } finally {
    over.abort();
    stream.end();
  }
}

async function sendTopology(
  stream: EventStream,
  { link }: ApiDeps,
  signal: AbortSignal,
): Promise<void> {
  for await (const event of link.watch(signal)) {
    await stream.send(event);
    if (signal.aborted) return;
  }
}

async function sendVerdicts(
  stream: EventStream,
  { verdict }: ApiDeps,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await stream.send({ name: 'verdict', data: await verdict() });
    await pause(clock, VERDICT_EVERY_MS, signal);
  }
}
