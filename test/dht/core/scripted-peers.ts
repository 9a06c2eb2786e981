/** Talks about the table with peers whose answers are given by hand; p20 is who asks. */
import type { TableAnswer, TableQuestion, TableTalk } from '../../../services/dht/core/messages.js';
import type { TableRecord } from '../../../services/dht/core/record.js';
import type { Version } from '../../../services/dht/core/version.js';
import type { RequestId } from '../../../services/peer/core/messages.js';
import { Talks } from '../../../services/peer/core/talks.js';
import { nameOf, peer } from '../../peer/ring-text.js';
import { nameOfRecord } from './sample-records.js';

export const SELF = peer(20);
const ELAPSED_MS = 3;

type Open = { readonly name: string; readonly requestId: RequestId };
export type Talking<Result> = { result: Result | undefined };

export class ScriptedPeers {
  /** What p20 answers itself; it has no answer unless a test gives it one. */
  readonly #mine: (question: TableQuestion) => TableAnswer;
  readonly #talks: Talks<TableQuestion, TableAnswer>;
  readonly questions: TableQuestion[] = [];
  #asked: string[] = [];
  readonly #open: Open[] = [];
  #nextRequestId = 1;

  constructor(mine: (question: TableQuestion) => TableAnswer = () => ({ kind: 'not-member' })) {
    this.#mine = mine;
    this.#talks = new Talks({
      self: () => SELF,
      ask: (to, question) => {
        const requestId = this.#nextRequestId;
        this.#nextRequestId += 1;
        this.#note(nameOf(to), question);
        this.#open.push({ name: nameOf(to), requestId });
        return requestId;
      },
      askMyself: (question, reply) => {
        this.#note(nameOf(SELF), question);
        reply(this.#mine(question));
      },
    });
  }

  /** Begins a talk; its result stands there once it has ended. */
  start<Result>(talk: TableTalk<Result>): Talking<Result> {
    const talking: Talking<Result> = { result: undefined };
    this.run(talk, (result) => (talking.result = result));
    return talking;
  }

  /** Begins a talk; tells how it ended. */
  readonly run = <Result>(talk: TableTalk<Result>, done: (result: Result) => void): void => {
    this.#talks.start(talk, done);
  };

  /** What was asked since the last call. */
  take(): readonly string[] {
    return this.#asked.splice(0);
  }

  /** Answers the oldest open question to a peer; returns what is asked then. */
  answer(name: string, answer: TableAnswer): readonly string[] {
    this.#talks.resume(this.#close(name), { kind: 'answered', answer, elapsedMs: ELAPSED_MS });
    return this.take();
  }

  silence(name: string): readonly string[] {
    this.#talks.resume(this.#close(name), { kind: 'unanswered', elapsedMs: ELAPSED_MS });
    return this.take();
  }

  #note(name: string, question: TableQuestion): void {
    this.questions.push(question);
    this.#asked.push(`${name} ${tableQuestionText(question)}`);
  }

  #close(name: string): RequestId {
    const index = this.#open.findIndex((open) => open.name === name);
    const [open] = index < 0 ? [] : this.#open.splice(index, 1);
    if (open === undefined) throw new Error(`nothing is asked of ${name}`);
    return open.requestId;
  }
}

const knownText = (known: Version | undefined): string =>
  known === undefined ? '' : ` known ${known.wallMs}`;

export function tableQuestionText(question: TableQuestion): string {
  switch (question.kind) {
    case 'store':
      return `store ${question.records.map(nameOfRecord).join(' ')} as ${question.purpose}`;
    case 'fetch':
      return `fetch ${question.id.key}${knownText(question.known)}`;
    case 'watch':
      return `watch ${question.key}${knownText(question.known)}`;
    case 'fetch-holders':
      return `fetch-holders ${question.key}${question.after === undefined ? '' : ` after ${question.after}`}`;
    case 'changed':
      return `changed ${nameOfRecord(question.record)}`;
    case 'lacking':
    case 'drop':
      return `${question.kind} ${question.claims.map(({ id, version }) => `${id.key}@${version.wallMs}`).join(' ')}`;
    case 'take':
      return `take ${question.ids.map(({ key }) => key).join(' ')}`;
    default:
      return question.kind;
  }
}

// Answers

export const NOTED: TableAnswer = { kind: 'noted' };
export const NOT_MEMBER: TableAnswer = { kind: 'not-member' };

export const fetched = (
  record: TableRecord | 'same' | 'damaged' | undefined,
  isWhole = true,
): TableAnswer => ({ kind: 'fetched', record, isWhole });

export const stored = (version: Version, wasLive = false): TableAnswer => ({
  kind: 'stored',
  results: [{ version, wasLive }],
});
