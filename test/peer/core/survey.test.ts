import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { survey } from '../../../services/peer/core/survey.js';
import { namesOf, peer } from '../ring-text.js';
import { neighbors } from './lone-machine.js';
import { ringOf, talk, type Voices } from './talk.js';

const RING = ringOf(2, 10, 20, 30, 40, 50);

function surveyFrom(start: PeerRef, voices: Voices, viewsMax = 100) {
  const { result, asks } = talk(survey(start, viewsMax), voices);
  const { views, unreachable, isComplete } = result;
  const seen = namesOf(views.map(({ self }) => self));
  return { seen, unreachable: namesOf(unreachable), isComplete, asks };
}

const silent: readonly Answer[] = [];

describe('survey', () => {
  it('asks every member once, in ring order from the first', () => {
    const { asks, ...rest } = surveyFrom(peer(30), RING);
    expect(rest).toEqual({ seen: '[p30 p40 p50 p10 p20]', unreachable: '[]', isComplete: true });
    expect(asks).toEqual(['p30', 'p40', 'p50', 'p10', 'p20'].map((it) => `${it} neighbors`));
  });

  it('keeps what each has said', () => {
    const { result } = talk(survey(peer(10), 100), RING);
    expect(result.views[1]).toBe(RING['p20 neighbors']);
  });

  it('sees a peer that is alone', () => {
    const found = surveyFrom(peer(30), ringOf(2, 30));
    expect(found).toMatchObject({ seen: '[p30]', isComplete: true });
  });

  it('comes round to the life that answered, whichever was asked', () => {
    const voices = { ...RING, 'p30.any neighbors': RING['p30 neighbors']! };
    const found = surveyFrom(peer(30, 0), voices);
    expect(found).toMatchObject({ seen: '[p30 p40 p50 p10 p20]', isComplete: true });
  });

  it('comes round where the last member does not know the first', () => {
    const voices = { ...RING, 'p20 neighbors': neighbors(peer(20), peer(10), peer(40)) };
    const found = surveyFrom(peer(30), voices);
    expect(found).toMatchObject({ seen: '[p30 p40 p50 p10 p20]', isComplete: true });
  });

  it('does not pass its beginning after a dead member', () => {
    const found = surveyFrom(peer(30), { ...RING, 'p20 neighbors': silent });
    expect(found).toMatchObject({
      seen: '[p30 p40 p50 p10]',
      unreachable: '[p20]',
      isComplete: true,
    });
  });

  it('loses its way at a member that knows nobody', () => {
    const voices = { ...RING, 'p20 neighbors': neighbors(peer(20), peer(10)) };
    const found = surveyFrom(peer(10), voices);
    expect(found).toMatchObject({ seen: '[p10 p20]', isComplete: false });
  });

  it.each<{ title: string; answer: Answer | readonly Answer[] }>([
    { title: 'is dead', answer: silent },
    { title: 'is busy', answer: { kind: 'busy' } },
    { title: 'has left', answer: { kind: 'not-member' } },
  ])('passes by a member that $title, asking it once', ({ answer }) => {
    const found = surveyFrom(peer(10), { ...RING, 'p30 neighbors': answer });
    expect(found).toMatchObject({
      seen: '[p10 p20 p40 p50]',
      unreachable: '[p30]',
      isComplete: true,
    });
    expect(found.asks.filter((ask) => ask.startsWith('p30'))).toHaveLength(1);
  });

  it('asks a dead member once that a list names twice', () => {
    const twice = neighbors(peer(10), peer(50), peer(20), peer(20), peer(30));
    const voices = { ...RING, 'p10 neighbors': twice, 'p20 neighbors': silent };
    const found = surveyFrom(peer(10), voices);
    expect(found).toMatchObject({ seen: '[p10 p30 p40 p50]', unreachable: '[p20]' });
  });

  it('passes by as many as a list is long, less one', () => {
    const long = {
      ...ringOf(3, 10, 20, 30, 40, 50),
      'p20 neighbors': silent,
      'p30 neighbors': silent,
    };
    expect(surveyFrom(peer(10), long)).toMatchObject({ seen: '[p10 p40 p50]', isComplete: true });
  });

  it('loses its way where a whole list is dead', () => {
    const voices = { ...RING, 'p20 neighbors': silent, 'p30 neighbors': silent };
    const found = surveyFrom(peer(10), voices);
    expect(found).toMatchObject({ seen: '[p10]', unreachable: '[p20 p30]', isComplete: false });
  });

  it('sees nothing when the first is silent', () => {
    const found = surveyFrom(peer(30), {});
    expect(found).toMatchObject({ seen: '[]', unreachable: '[p30]', isComplete: false });
  });

  it.each([
    { title: 'stops at its bound', viewsMax: 4, seen: '[p10 p20 p30 p40]', isComplete: false },
    {
      title: 'comes round at its bound',
      viewsMax: 5,
      seen: '[p10 p20 p30 p40 p50]',
      isComplete: true,
    },
  ])('$title', ({ viewsMax, seen, isComplete }) => {
    expect(surveyFrom(peer(10), RING, viewsMax)).toMatchObject({ seen, isComplete });
  });
});
