import { describe, expect, it } from 'vitest';
import { GUEST_LINE_LIMITS, GuestLine } from '../../../services/legacy/ring/guest-line.js';
import { settle } from '../../peer/lone-driver.js';
import { FakeClock } from '../../support/fake-clock.js';

const { askEveryMs, silentMsMax, messagesMax, charactersMax } = GUEST_LINE_LIMITS;

function guestLine() {
  const clock = new FakeClock();
  const guest = { isThere: true, lines: [] as string[], deaths: 0 };
  const line = new GuestLine({
    clock,
    exchange: async (text) => {
      guest.lines.push(text);
      return guest.isThere;
    },
    onDead: () => {
      guest.deaths += 1;
    },
  });
  const deliver = (text: string): void =>
    line.send({ kind: 'message', to: 5, senderHost: '10.0.0.1', text });
  return { clock, guest, line, deliver };
}

const neighbor = (ringId: number) => ({ ringId, host: '10.0.0.9' });

describe('GuestLine', () => {
  it('sends messages one after the other, each until it is answered', async () => {
    const { clock, guest, deliver } = guestLine();
    guest.isThere = false;
    deliver('one');
    deliver('two');
    await settle();
    await clock.advanceInSteps(1_000, 100);
    guest.isThere = true;
    await clock.advanceInSteps(2_000, 100);
    const one = 'msg:5:10.0.0.1:one';
    expect(guest.lines).toEqual([one, one, one, 'msg:5:10.0.0.1:two']);
  });

  it('is full with as many messages, or as long ones, as may wait, until some were answered', async () => {
    for (const [text, count] of [
      ['short', messagesMax],
      ['x'.repeat(charactersMax / 4), 4],
    ] as const) {
      const { clock, guest, line, deliver } = guestLine();
      guest.isThere = false;
      for (let number = 0; number < count; number += 1) {
        expect(line.isFull).toBe(false);
        deliver(text);
      }
      expect(line.isFull).toBe(true);
      await settle();
      guest.isThere = true;
      await clock.advanceInSteps(3_000, 100);
      expect(line.isFull).toBe(false);
    }
  });

  it('tells of neighbours that are others than before, the latest only', async () => {
    const { clock, guest, line } = guestLine();
    line.neighborsAre({ predecessor: neighbor(1), successor: neighbor(2) });
    await settle();
    expect(guest.lines.splice(0)).toEqual(['ctr:0:1:10.0.0.9', 'ctr:1:2:10.0.0.9']);
    guest.isThere = false;
    line.neighborsAre({ predecessor: neighbor(1), successor: neighbor(3) });
    await settle();
    line.neighborsAre({ predecessor: neighbor(1), successor: neighbor(4) });
    guest.isThere = true;
    await clock.advanceInSteps(1_000, 100);
    expect(guest.lines).toEqual(['ctr:1:3:10.0.0.9', 'ctr:1:4:10.0.0.9']);
  });

  it('finds a guest dead that has answered and is silent for a minute, once', async () => {
    const { clock, guest } = guestLine();
    await clock.advanceInSteps(askEveryMs, askEveryMs);
    expect(guest.lines).toEqual(['rt?']);
    guest.isThere = false;
    await clock.advanceInSteps(silentMsMax, askEveryMs);
    expect(guest.deaths).toBe(0);
    await clock.advanceInSteps(askEveryMs, askEveryMs);
    expect(guest.deaths).toBe(1);
    await clock.advanceInSteps(4 * silentMsMax, askEveryMs);
    expect(guest.deaths).toBe(1);
  });

  it('keeps a guest that has never answered', async () => {
    const { clock, guest } = guestLine();
    guest.isThere = false;
    await clock.advanceInSteps(10 * silentMsMax, askEveryMs);
    expect(guest.deaths).toBe(0);
  });

  it('says nothing more once it is closed', async () => {
    const { clock, guest, line, deliver } = guestLine();
    guest.isThere = false;
    deliver('one');
    await settle();
    line.close();
    await clock.advanceInSteps(60_000, 1_000);
    expect(guest.lines).toHaveLength(1);
  });
});
