/** Starts the page: follows the node's events, and shows what they make of it once a frame. */
import { render } from 'preact';
import { App } from './app.js';
import { follow } from './feed.js';
import { applyEvent, EMPTY, type ModelEvent } from './model.js';

let model = EMPTY;
let waiting: ModelEvent[] = [];

function show(): void {
  model = waiting.reduce(applyEvent, model);
  waiting = [];
  render(<App model={model} />, document.body);
}

show();
follow((event) => {
  if (waiting.push(event) === 1) requestAnimationFrame(show);
});
