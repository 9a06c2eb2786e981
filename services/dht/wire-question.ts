/** Questions about the table, to and from the wire. */
import {
  StorePurpose as WirePurpose,
  type CompareQuestion,
  type StoreQuestion,
  type TableQuestion as NumberedQuestion,
} from '../../proto/gen/ringbinder/internal/v1/table_service.js';
import type { StorePurpose, TableQuestion } from './core/messages.js';
import { BATCH_RECORDS_MAX } from './core/synchronize.js';
import {
  atMost,
  claimFromWire,
  claimToWire,
  idFromWire,
  idToWire,
  invalid,
  keyFromWire,
  optionalVersionFromWire,
  optionalVersionToWire,
  partFromWire,
  present,
  recordFromWire,
  recordsFromWire,
  recordToWire,
  setFromWire,
  setToWire,
  shortText,
  spanFromWire,
  spanToWire,
} from './wire-record.js';

/** What is asked, without its number. */
export type WireQuestion = NonNullable<NumberedQuestion['question']>;

/** What one peer may ask of another; to drop records, a peer asks only itself. */
export type PeerQuestion = Exclude<TableQuestion, { kind: 'drop' }>;

const CLAIMS_MAX = 256;
const PARTS_MAX = 256;
const SPANS_MAX = 1_024;
/** Longest place in a listing: our tables make them of a key and a digest. */
export const PLACE_BYTES_MAX = 8_192;

const PURPOSE_TO_WIRE: Readonly<Record<StorePurpose, WirePurpose>> = {
  write: WirePurpose.STORE_PURPOSE_WRITE,
  hint: WirePurpose.STORE_PURPOSE_HINT,
  'read-repair': WirePurpose.STORE_PURPOSE_READ_REPAIR,
  transfer: WirePurpose.STORE_PURPOSE_TRANSFER,
};

export function questionToWire(question: PeerQuestion): WireQuestion {
  switch (question.kind) {
    case 'store': {
      const records = question.records.map(recordToWire);
      return { $case: 'store', value: { records, purpose: PURPOSE_TO_WIRE[question.purpose] } };
    }
    case 'fetch': {
      const { id, known } = question;
      const value = { id: idToWire(id), known: optionalVersionToWire(known) };
      return { $case: 'fetch', value };
    }
    case 'fetch-holders': {
      const { key, after } = question;
      return { $case: 'fetchHolders', value: { key, after } };
    }
    case 'watch': {
      const { key, known } = question;
      return { $case: 'watch', value: { key, known: optionalVersionToWire(known) } };
    }
    case 'changed':
      return { $case: 'changed', value: recordToWire(question.record) };
    case 'describe-set':
      return { $case: 'describeSet', value: {} };
    case 'cover': {
      const { set, isWhole } = question;
      return { $case: 'cover', value: { set: setToWire(set), isWhole } };
    }
    case 'compare': {
      const { parts, spans } = question;
      return { $case: 'compare', value: { parts, spans: spans.map(spanToWire) } };
    }
    case 'list': {
      const { span, after } = question;
      return { $case: 'list', value: { span: spanToWire(span), after } };
    }
    case 'take':
      return { $case: 'take', value: { ids: question.ids.map(idToWire) } };
    case 'lacking':
      return { $case: 'lacking', value: { claims: question.claims.map(claimToWire) } };
  }
}

/** Throws `REQUEST_INVALID` or `RING_ID_OUT_OF_RANGE`; also for a question that is unknown here. */
export function questionFromWire(
  question: WireQuestion | undefined,
  ringSize: number,
): PeerQuestion {
  switch (question?.$case) {
    case 'store':
      return storeFromWire(question.value, ringSize);
    case 'fetch': {
      const { id, known } = question.value;
      return {
        kind: 'fetch',
        id: idFromWire(id),
        known: optionalVersionFromWire(known, ringSize),
      };
    }
    case 'fetchHolders': {
      const { key, after } = question.value;
      return { kind: 'fetch-holders', key: keyFromWire(key), after: placeFromWire(after) };
    }
    case 'watch': {
      const { key, known } = question.value;
      const version = optionalVersionFromWire(known, ringSize);
      return { kind: 'watch', key: keyFromWire(key), known: version };
    }
    case 'changed':
      return { kind: 'changed', record: recordFromWire(question.value, ringSize) };
    case 'describeSet':
      return { kind: 'describe-set' };
    case 'cover': {
      const { set, isWhole } = question.value;
      return { kind: 'cover', set: setFromWire(present(set, 'set'), ringSize), isWhole };
    }
    case 'compare':
      return compareFromWire(question.value, ringSize);
    case 'list': {
      const { span, after } = question.value;
      const positions = spanFromWire(present(span, 'span'), ringSize);
      return { kind: 'list', span: positions, after: placeFromWire(after) };
    }
    case 'take': {
      const ids = atMost(question.value.ids, BATCH_RECORDS_MAX, 'ids');
      return { kind: 'take', ids: ids.map(idFromWire) };
    }
    case 'lacking': {
      const claims = atMost(question.value.claims, CLAIMS_MAX, 'claims');
      return { kind: 'lacking', claims: claims.map((claim) => claimFromWire(claim, ringSize)) };
    }
    case undefined:
      throw invalid('question', 'must be one that this peer knows');
  }
}

function storeFromWire({ records, purpose }: StoreQuestion, ringSize: number): PeerQuestion {
  if (records.length === 0) throw invalid('records', 'must have at least 1 item');
  return {
    kind: 'store',
    records: recordsFromWire(records, BATCH_RECORDS_MAX, ringSize),
    purpose: purposeFromWire(purpose),
  };
}

function purposeFromWire(purpose: WirePurpose): StorePurpose {
  switch (purpose) {
    case WirePurpose.STORE_PURPOSE_WRITE:
      return 'write';
    case WirePurpose.STORE_PURPOSE_HINT:
      return 'hint';
    case WirePurpose.STORE_PURPOSE_READ_REPAIR:
      return 'read-repair';
    case WirePurpose.STORE_PURPOSE_TRANSFER:
      return 'transfer';
    default:
      throw invalid('purpose', 'must be one that this peer knows');
  }
}

function compareFromWire({ parts, spans }: CompareQuestion, ringSize: number): PeerQuestion {
  return {
    kind: 'compare',
    parts: atMost(parts, PARTS_MAX, 'parts').map(partFromWire),
    spans: atMost(spans, SPANS_MAX, 'spans').map((span) => spanFromWire(span, ringSize)),
  };
}

function placeFromWire(place: string | undefined): string | undefined {
  return place === undefined ? undefined : shortText(place, PLACE_BYTES_MAX, 'after');
}
