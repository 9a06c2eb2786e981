/** One driver without a network: its links answer from a list, or hold every question back. */
import { PeerDriver, type PeerDriverDeps } from '../../services/peer/driver.js';
import type { Reply } from '../../services/peer/core/conversation.js';
import { MEMBER_LIMITS, type MemberLimits } from '../../services/peer/core/member.js';
import type { Answer, Letter, Question } from '../../services/peer/core/messages.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';
import { captureLog } from '../support/capture-log.js';
import { FakeClock } from '../support/fake-clock.js';
import { alive, neighbors } from './core/lone-machine.js';
import { nameOf, peer, questionText } from './ring-text.js';

export const TICK_MS = 100;
export const SILENCE: Reply = { kind: 'unanswered', elapsedMs: 5 };

type OpenAsk = { readonly line: string; readonly end: (reply: Reply) => void };

export class FakeLinks {
  /** By name and kind of question: `'p30 ping'`; whoever is not in here is silent. */
  readonly voices = new Map<string, Answer>();
  readonly asked: string[] = [];
  /** Questions held back, once `isHolding`. */
  readonly open: OpenAsk[] = [];
  isHolding = false;

  async ask(_from: PeerRef, to: PeerRef, question: Question): Promise<Reply> {
    const line = `${nameOf(to)} ${questionText(question)}`;
    this.asked.push(line);
    if (this.isHolding) return new Promise((end) => this.open.push({ line, end }));
    const answer = this.voices.get(`${nameOf(to)} ${question.kind}`);
    return answer === undefined ? SILENCE : { kind: 'answered', answer, elapsedMs: 5 };
  }

  /** Ends every question that is held back. */
  endAll(reply: Reply): void {
    for (const { end } of this.open.splice(0)) end(reply);
  }
}

/** Lets everything happen that waits for nothing but other promises. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

type LoneDriverOptions = {
  readonly limits?: Partial<MemberLimits>;
  readonly deliver?: PeerDriverDeps['deliver'];
  readonly unit?: number;
  readonly self?: PeerRef;
};

/** p20 on a ring of 64, outside. */
export function loneDriver({
  limits = {},
  deliver,
  unit = 0,
  self = peer(20),
}: LoneDriverOptions = {}) {
  const clock = new FakeClock();
  const links = new FakeLinks();
  const { log, lines } = captureLog();
  const letters: Letter[] = [];
  const driver = new PeerDriver({
    self,
    limits: { ...MEMBER_LIMITS, ringSize: 64, seekLostTicks: 1_000_000, ...limits },
    tickMs: TICK_MS,
    clock,
    chance: { unit: () => unit },
    links,
    deliver: deliver ?? ((letter) => (letters.push(letter), 'delivered')),
    log,
  });
  return { driver, clock, links, lines, letters };
}

/** p20 in a ring with p30 and nobody else. */
export async function pairedDriver(options: LoneDriverOptions = {}) {
  const lone = loneDriver(options);
  const { driver, links } = lone;
  links.voices.set('p30 ping', alive(peer(30), peer(20)));
  links.voices.set('p30 neighbors', neighbors(peer(30), peer(20), peer(20)));
  links.voices.set('p30 notify', { kind: 'noted' });
  links.voices.set('p30 nudge', { kind: 'noted' });
  driver.found();
  await driver.asked(peer(30), 0, { kind: 'notify', candidate: peer(30) });
  await settle();
  return lone;
}
