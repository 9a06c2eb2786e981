/** Answers about the table, to and from the wire. */
import {
  BareAnswer,
  LackingStanding,
  UnsentCopy,
  type FetchedAnswer,
  type LackingAnswer,
  type TableAnswer as NumberedAnswer,
} from '../../proto/gen/ringbinder/internal/v1/table_service.js';
import { RingbinderError } from '../errors.js';
import type { Standing, TableAnswer } from './core/messages.js';
import { BATCH_RECORDS_MAX } from './core/synchronize.js';
import { PLACE_BYTES_MAX } from './wire-question.js';
import {
  atMost,
  digestToWire,
  entryFromWire,
  entryToWire,
  invalid,
  recordFromWire,
  recordsFromWire,
  recordToWire,
  setFromWire,
  setToWire,
  shortText,
  versionFromWire,
  versionToWire,
} from './wire-record.js';

/** What is answered, without the number of the question. */
export type WireAnswer = NonNullable<NumberedAnswer['answer']>;

type BareKind = 'full' | 'ahead' | 'disk-failed' | 'noted' | 'not-member';

/** Most digests, results and indexes: there are no more parts, records and claims in a question. */
const ITEMS_MAX = 256;
const ENTRIES_MAX = 1_000;

const NOT_MEMBER: TableAnswer = { kind: 'not-member' };

const BARE_TO_WIRE: Readonly<Record<BareKind, WireAnswer>> = {
  full: { $case: 'bare', value: BareAnswer.BARE_ANSWER_FULL },
  ahead: { $case: 'bare', value: BareAnswer.BARE_ANSWER_AHEAD },
  'disk-failed': { $case: 'bare', value: BareAnswer.BARE_ANSWER_DISK_FAILED },
  noted: { $case: 'bare', value: BareAnswer.BARE_ANSWER_NOTED },
  'not-member': { $case: 'bare', value: BareAnswer.BARE_ANSWER_NOT_MEMBER },
};

const STANDING_TO_WIRE: Readonly<Record<Standing, LackingStanding>> = {
  whole: LackingStanding.LACKING_STANDING_WHOLE,
  partial: LackingStanding.LACKING_STANDING_PARTIAL,
  'out-of-touch': LackingStanding.LACKING_STANDING_OUT_OF_TOUCH,
};

/** One that is not said, or newer than this node, is of no use. */
const STANDING_FROM_WIRE: Readonly<Partial<Record<LackingStanding, Standing>>> = {
  [LackingStanding.LACKING_STANDING_WHOLE]: 'whole',
  [LackingStanding.LACKING_STANDING_PARTIAL]: 'partial',
  [LackingStanding.LACKING_STANDING_OUT_OF_TOUCH]: 'out-of-touch',
};

export function answerToWire(answer: TableAnswer): WireAnswer {
  switch (answer.kind) {
    case 'stored': {
      const results = answer.results.map(({ version, wasLive }) => {
        return { version: versionToWire(version), wasLive };
      });
      return { $case: 'stored', value: { results } };
    }
    case 'fetched': {
      const { record, isWhole } = answer;
      return { $case: 'fetched', value: { copy: copyToWire(record), isWhole } };
    }
    case 'holders': {
      const { records, next, isWhole } = answer;
      return { $case: 'holders', value: { records: records.map(recordToWire), next, isWhole } };
    }
    case 'set':
      return { $case: 'set', value: setToWire(answer.set) };
    case 'digests': {
      const { digests, isWhole } = answer;
      return { $case: 'digests', value: { digests: digests.map(digestToWire), isWhole } };
    }
    case 'entries': {
      const { entries, next } = answer;
      return { $case: 'entries', value: { entries: entries.map(entryToWire), next } };
    }
    case 'records': {
      const { records, looked } = answer;
      return { $case: 'records', value: { records: records.map(recordToWire), looked } };
    }
    case 'lacking': {
      const { absent, older, newer } = answer;
      const standing = STANDING_TO_WIRE[answer.standing];
      return { $case: 'lacking', value: { absent, older, newer, standing } };
    }
    default:
      return BARE_TO_WIRE[answer.kind];
  }
}

/** Says that a question was refused; of a fault in this node, nothing but that. */
export function refusalToWire(thrown: unknown): WireAnswer {
  const { reason, text } = RingbinderError.from(thrown);
  return { $case: 'refused', value: { reason, text } };
}

/** Never throws: an answer that is refused, unknown or damaged is of no use, like `not-member`. */
export function answerFromWire(answer: WireAnswer | undefined, ringSize: number): TableAnswer {
  try {
    return knownAnswer(answer, ringSize) ?? NOT_MEMBER;
  } catch (thrown) {
    if (thrown instanceof RingbinderError) return NOT_MEMBER;
    throw thrown;
  }
}

function knownAnswer(answer: WireAnswer | undefined, ringSize: number): TableAnswer | undefined {
  switch (answer?.$case) {
    case 'stored': {
      const results = atMost(answer.value.results, ITEMS_MAX, 'results').map((result) => {
        const { version, wasLive } = result;
        return { version: versionFromWire(version, ringSize), wasLive };
      });
      return { kind: 'stored', results };
    }
    case 'fetched': {
      const { copy, isWhole } = answer.value;
      return { kind: 'fetched', record: copyFromWire(copy, ringSize), isWhole };
    }
    case 'holders': {
      const { next, isWhole } = answer.value;
      const records = recordsFromWire(answer.value.records, BATCH_RECORDS_MAX, ringSize);
      return { kind: 'holders', records, next: nextFromWire(next), isWhole };
    }
    case 'set':
      return { kind: 'set', set: setFromWire(answer.value, ringSize) };
    case 'digests': {
      const { digests, isWhole } = answer.value;
      return { kind: 'digests', digests: atMost(digests, ITEMS_MAX, 'digests'), isWhole };
    }
    case 'entries': {
      const entries = atMost(answer.value.entries, ENTRIES_MAX, 'entries');
      return {
        kind: 'entries',
        entries: entries.map((entry) => entryFromWire(entry, ringSize)),
        next: nextFromWire(answer.value.next),
      };
    }
    case 'records': {
      const records = recordsFromWire(answer.value.records, BATCH_RECORDS_MAX, ringSize);
      return { kind: 'records', records, looked: answer.value.looked };
    }
    case 'lacking':
      return lackingFromWire(answer.value);
    case 'bare':
      return bareFromWire(answer.value);
    default:
      return undefined;
  }
}

type Copy = Extract<TableAnswer, { kind: 'fetched' }>['record'];

function copyToWire(copy: Copy): FetchedAnswer['copy'] {
  switch (copy) {
    case undefined:
      return undefined;
    case 'same':
      return { $case: 'unsent', value: UnsentCopy.UNSENT_COPY_SAME };
    case 'damaged':
      return { $case: 'unsent', value: UnsentCopy.UNSENT_COPY_DAMAGED };
    default:
      return { $case: 'record', value: recordToWire(copy) };
  }
}

function copyFromWire(copy: FetchedAnswer['copy'], ringSize: number): Copy {
  if (copy === undefined) return undefined;
  if (copy.$case === 'record') return recordFromWire(copy.value, ringSize);
  switch (copy.value) {
    case UnsentCopy.UNSENT_COPY_SAME:
      return 'same';
    case UnsentCopy.UNSENT_COPY_DAMAGED:
      return 'damaged';
    default:
      throw invalid('unsent', 'must be one that this peer knows');
  }
}

function lackingFromWire(wire: LackingAnswer): TableAnswer | undefined {
  const { absent, older, newer } = wire;
  atMost([...absent, ...older, ...newer], ITEMS_MAX, 'absent, older and newer');
  const standing = STANDING_FROM_WIRE[wire.standing];
  return standing && { kind: 'lacking', absent, older, newer, standing };
}

function bareFromWire(answer: BareAnswer): TableAnswer | undefined {
  switch (answer) {
    case BareAnswer.BARE_ANSWER_FULL:
      return { kind: 'full' };
    case BareAnswer.BARE_ANSWER_AHEAD:
      return { kind: 'ahead' };
    case BareAnswer.BARE_ANSWER_DISK_FAILED:
      return { kind: 'disk-failed' };
    case BareAnswer.BARE_ANSWER_NOTED:
      return { kind: 'noted' };
    default:
      return undefined;
  }
}

function nextFromWire(next: string | undefined): string | undefined {
  return next === undefined ? undefined : shortText(next, PLACE_BYTES_MAX, 'next');
}
