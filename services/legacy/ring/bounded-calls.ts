/** Calls to the services that end: one without an answer for too long has failed, and a late one is not heard. */
import type { RingCalls } from '../core/session.js';

type Done<Outcome> = (outcome: Outcome | undefined) => void;

/** What can wait: `after` of a clock. */
export type Waiting = {
  readonly after: (ms: number, act: () => void) => () => void;
  readonly withinMs: number;
};

/** `join` and `leave` may still be done after they have failed for the one who asked. */
export function boundedCalls(calls: RingCalls, { after, withinMs }: Waiting): RingCalls {
  const bounded = <Outcome>(done: Done<Outcome>, call: (done: Done<Outcome>) => void): void => {
    let isOver = false;
    const finish = (outcome: Outcome | undefined): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      done(outcome);
    };
    const cancel = after(withinMs, () => finish(undefined));
    call(finish);
  };
  return {
    get ringSize() {
      return calls.ringSize;
    },
    assign: (text, done) => bounded(done, (finish) => calls.assign(text, finish)),
    members: (done) => bounded(done, (finish) => calls.members(finish)),
    join: (ringId, host, done) => bounded(done, (finish) => calls.join(ringId, host, finish)),
    leave: (ringId, done) => bounded(done, (finish) => calls.leave(ringId, finish)),
    table: (done) => bounded(done, (finish) => calls.table(finish)),
    neighbors: (ringId, done) => bounded(done, (finish) => calls.neighbors(ringId, finish)),
    send: (to, senderHost, text, done) =>
      bounded(done, (finish) => calls.send(to, senderHost, text, finish)),
  };
}
