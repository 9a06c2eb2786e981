/** What the table sees of the ring: this peer and its neighbours, from the state of the ring's core. */
import type { RingState } from '../../peer/core/state.js';
import type { RingView } from './messages.js';

/** What is looked at. */
export type RingPart = Pick<RingState, 'self' | 'stage' | 'predecessor' | 'successors'>;

/** The same object as long as nothing has changed. */
export function ringViews(stateNow: () => RingPart): () => RingView {
  let state = stateNow();
  let view = viewOf(state);
  return () => {
    const now = stateNow();
    if (now !== state) {
      state = now;
      view = viewOf(now);
    }
    return view;
  };
}

function viewOf({ self, stage, predecessor, successors }: RingPart): RingView {
  return { self, isMember: stage === 'member', predecessor, successors };
}
