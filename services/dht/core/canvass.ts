/**
 * Asking the peers of a replica set until enough have answered.
 *
 * Those that should have a copy are asked at once. When so many of them fail that the rest can't be
 * enough, the peers behind them are asked too, one for each (Dynamo's sloppy quorum, section 4.6).
 */
import type { Ask } from '../../peer/core/conversation.js';
import type { PeerRef } from '../../peer/core/ring-space.js';
import type { TableHeard, TableQuestion, TableTalk } from './messages.js';

export type CanvassOptions = {
  /** Whom to ask, the best first. */
  readonly peers: readonly PeerRef[];
  /** How many are asked at once. */
  readonly copies: number;
  /** How many answers must count. */
  readonly required: number;
  readonly question: (peer: PeerRef, index: number) => TableQuestion;
  /** Whether an answer counts; or what that peer is to be asked next. */
  readonly hear: (heard: TableHeard) => 'counts' | 'fails' | TableQuestion;
};

export type Tally = {
  /** Peers that were asked, that answered at all, and whose answer counts. */
  readonly asked: number;
  readonly answered: number;
  readonly counted: number;
};

/** Ends with the last answer needed, or when nobody is left to ask. */
export function* canvass(options: CanvassOptions): TableTalk<Tally> {
  const { peers, copies, required, question, hear } = options;
  let asked = 0;
  let answered = 0;
  let counted = 0;
  let open = 0;
  let asks: Ask<TableQuestion>[] = [];
  const askNext = (): void => {
    const peer = peers[asked];
    if (peer === undefined) return;
    asks.push({ to: peer, question: question(peer, asked) });
    asked += 1;
    open += 1;
  };
  while (asked < peers.length && (asked < copies || open < required)) askNext();
  while (counted < required && open > 0) {
    const heard: TableHeard = yield asks;
    asks = [];
    const heardAs = hear(heard);
    if (typeof heardAs === 'object') {
      asks.push({ to: heard.ask.to, question: heardAs });
      continue;
    }
    open -= 1;
    answered += heard.kind === 'answered' ? 1 : 0;
    counted += heardAs === 'counts' ? 1 : 0;
    if (counted + open < required) askNext();
  }
  return { asked, answered, counted };
}
