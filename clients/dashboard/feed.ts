/** The stream of events from the node, opened again and again until it is there. */
import type { EventsJson } from '../../services/dashboard/messages.js';
import { after } from '../sdk/timing.js';
import type { ModelEvent } from './model.js';

/** A node tells something every 10 seconds at least. */
const SILENCE_MS_MAX = 20_000;
const RETRY_MS = 1_000;

const NAMES: Readonly<Record<keyof EventsJson, true>> = {
  node: true,
  snapshot: true,
  changed: true,
  unreachable: true,
  removed: true,
  verdict: true,
  heartbeat: true,
  refusal: true,
};

/** Hands every event over, and `lost` whenever the stream ends. Runs as long as the page. */
export function follow(tell: (event: ModelEvent) => void): void {
  const source = new EventSource('/api/events');
  let stopWaiting = after(SILENCE_MS_MAX, retry);
  let isOver = false;
  source.addEventListener('error', retry);
  for (const name of Object.keys(NAMES) as (keyof EventsJson)[]) {
    source.addEventListener(name, (event: MessageEvent<string>) => {
      stopWaiting();
      stopWaiting = after(SILENCE_MS_MAX, retry);
      tell({ name, data: JSON.parse(event.data) as never });
      if (name === 'refusal') retry();
    });
  }

  function retry(): void {
    if (isOver) return;
    isOver = true;
    stopWaiting();
    source.close();
    tell({ name: 'lost' });
    after(RETRY_MS, () => follow(tell));
  }
}
