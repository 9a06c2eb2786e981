import { describe, expect, it } from 'vitest';
import { canvass, type CanvassOptions } from '../../../services/dht/core/canvass.js';
import { answerOf, type TableQuestion } from '../../../services/dht/core/messages.js';
import { peers } from '../../peer/ring-text.js';
import { NOT_MEMBER, NOTED, ScriptedPeers } from './scripted-peers.js';

const LIST: TableQuestion = { kind: 'list', span: { first: 0, last: 1 }, after: undefined };
const DESCRIBE: TableQuestion = { kind: 'describe-set' };

/** Asks p30 to p70 to describe their sets; `noted` counts. */
function ask(changes: Partial<CanvassOptions> = {}) {
  const scripted = new ScriptedPeers();
  const talking = scripted.start(
    canvass({
      peers: peers(30, 40, 50, 60, 70),
      copies: 3,
      required: 2,
      question: () => DESCRIBE,
      hear: (heard) => (answerOf(heard, 'noted') === undefined ? 'fails' : 'counts'),
      ...changes,
    }),
  );
  const asked = () => scripted.take().map((line) => line.split(' ')[0]);
  return { scripted, talking, asked };
}

const names = (lines: readonly string[]) => lines.map((line) => line.split(' ')[0]);

describe('canvass', () => {
  it('asks as many as there are copies at once, and ends with the last answer needed', () => {
    const { scripted, talking, asked } = ask();
    expect(asked()).toEqual(['p30', 'p40', 'p50']);
    scripted.answer('p50', NOTED);
    expect(talking.result).toBeUndefined();
    expect(scripted.answer('p30', NOTED)).toEqual([]);
    expect(talking.result).toEqual({ asked: 3, answered: 2, counted: 2 });
  });

  it('asks nobody else while the rest can be enough', () => {
    const { scripted, asked } = ask();
    asked();
    expect(scripted.silence('p40')).toEqual([]);
  });

  it('asks one peer behind for each failure that leaves too few', () => {
    const { scripted, talking, asked } = ask({ required: 3 });
    asked();
    expect(names(scripted.silence('p40'))).toEqual(['p60']);
    expect(names(scripted.answer('p30', NOT_MEMBER))).toEqual(['p70']);
    for (const name of ['p50', 'p60', 'p70']) scripted.answer(name, NOTED);
    expect(talking.result).toEqual({ asked: 5, answered: 4, counted: 3 });
  });

  it('ends when nobody is left to ask', () => {
    const { scripted, talking, asked } = ask({ required: 3 });
    asked();
    for (const name of ['p30', 'p40', 'p50', 'p60']) scripted.silence(name);
    expect(talking.result).toBeUndefined();
    scripted.answer('p70', NOTED);
    expect(talking.result).toEqual({ asked: 5, answered: 1, counted: 1 });
  });

  it('ends at once when there is nobody to ask, or nothing is required', () => {
    expect(ask({ peers: [] }).talking.result).toEqual({ asked: 0, answered: 0, counted: 0 });
    expect(ask({ required: 0 }).talking.result).toMatchObject({ answered: 0, counted: 0 });
  });

  it('asks all there are when they are fewer than the copies', () => {
    const { scripted, talking, asked } = ask({ peers: peers(30, 40) });
    expect(asked()).toEqual(['p30', 'p40']);
    scripted.answer('p30', NOTED);
    scripted.answer('p40', NOTED);
    expect(talking.result).toEqual({ asked: 2, answered: 2, counted: 2 });
  });

  it('asks those behind where none of the copies is left to ask', () => {
    expect(ask({ copies: 0, required: 1 }).asked()).toEqual(['p30']);
  });

  it('asks a peer again, as often as its answers ask for it, and counts it once', () => {
    let pages = 0;
    const { scripted, talking, asked } = ask({
      required: 1,
      hear: () => ((pages += 1) < 3 ? LIST : 'counts'),
    });
    asked();
    expect(scripted.answer('p40', NOTED)).toEqual(['p40 list']);
    expect(scripted.answer('p40', NOTED)).toEqual(['p40 list']);
    scripted.answer('p40', NOTED);
    expect(talking.result).toEqual({ asked: 3, answered: 1, counted: 1 });
  });

  it('counts one that falls silent later as a failure', () => {
    const { scripted, talking, asked } = ask({
      peers: peers(30, 40),
      copies: 1,
      required: 1,
      hear: (heard) => {
        if (heard.kind === 'unanswered') return 'fails';
        return heard.ask.question.kind === 'list' ? 'counts' : LIST;
      },
    });
    asked();
    scripted.answer('p30', NOTED);
    expect(names(scripted.silence('p30'))).toEqual(['p40']);
    scripted.answer('p40', NOTED);
    scripted.answer('p40', NOTED);
    expect(talking.result).toEqual({ asked: 2, answered: 1, counted: 1 });
  });

  it('tells each peer which place it has', () => {
    const places: string[] = [];
    ask({
      question: ({ ringId }, index) => {
        places.push(`p${ringId} ${index}`);
        return DESCRIBE;
      },
    });
    expect(places).toEqual(['p30 0', 'p40 1', 'p50 2']);
  });
});
