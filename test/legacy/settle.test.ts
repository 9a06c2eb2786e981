import { describe, expect, it } from 'vitest';
import { RingbinderError, type ErrorReason } from '../../services/errors.js';
import { settlePatiently } from '../../services/legacy/settle.js';
import { FakeClock } from '../support/fake-clock.js';

async function settleWith(...refusals: readonly ErrorReason[]) {
  const clock = new FakeClock();
  const left = [...refusals];
  let calls = 0;
  let isDone: boolean | undefined;
  const call = async (): Promise<void> => {
    calls += 1;
    const reason = left.shift();
    if (reason !== undefined) throw new RingbinderError(reason, 'not now');
  };
  settlePatiently(call, (it) => (isDone = it), clock);
  await clock.advanceInSteps(10_000, 100);
  return { calls, isDone };
}

describe('settlePatiently', () => {
  it('calls once when that is enough', async () => {
    expect(await settleWith()).toEqual({ calls: 1, isDone: true });
  });

  it('calls again after refusals that pass', async () => {
    const outcome = await settleWith('QUORUM_NOT_REACHED', 'PEER_NOT_MEMBER');
    expect(outcome).toEqual({ calls: 3, isDone: true });
  });

  it('gives up after a refusal that stays', async () => {
    expect(await settleWith('VALUE_TOO_LARGE')).toEqual({ calls: 1, isDone: false });
  });

  it('gives up after some tries', async () => {
    const outcome = await settleWith(...Array<ErrorReason>(20).fill('QUORUM_NOT_REACHED'));
    expect(outcome).toEqual({ calls: 6, isDone: false });
  });
});
