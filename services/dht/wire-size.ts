/**
 * How many bytes questions and answers have on the wire, a little more rather than less: enough to know
 * when a message is large enough.
 */
import type { TableAnswer } from './core/messages.js';
import type { RecordId, TableRecord } from './core/record.js';
import type { ReplicaSet } from './core/replica-set.js';
import type { PeerQuestion } from './wire-question.js';

/** Of everything without texts and values in it: tags, lengths, numbers, up to three versions. */
const ITEM_BYTES = 64;
/** A part, a digest, a span or an index. */
const SMALL_BYTES = 24;

export function questionBytes(question: PeerQuestion): number {
  switch (question.kind) {
    case 'store':
      return ITEM_BYTES + sum(question.records, recordBytes);
    case 'fetch':
      return ITEM_BYTES + idBytes(question.id);
    case 'fetch-holders':
      return ITEM_BYTES + textBytes(question.key) + textBytes(question.after);
    case 'watch':
      return ITEM_BYTES + textBytes(question.key);
    case 'changed':
      return ITEM_BYTES + recordBytes(question.record);
    case 'describe-set':
      return ITEM_BYTES;
    case 'cover':
      return ITEM_BYTES + setBytes(question.set);
    case 'compare':
      return ITEM_BYTES + (question.parts.length + question.spans.length) * SMALL_BYTES;
    case 'list':
      return ITEM_BYTES + textBytes(question.after);
    case 'take':
      return ITEM_BYTES + sum(question.ids, idBytes);
    case 'lacking':
      return ITEM_BYTES + sum(question.claims, ({ id }) => idBytes(id));
  }
}

export function answerBytes(answer: TableAnswer): number {
  switch (answer.kind) {
    case 'stored':
      return ITEM_BYTES + answer.results.length * ITEM_BYTES;
    case 'fetched':
      return ITEM_BYTES + (typeof answer.record === 'object' ? recordBytes(answer.record) : 0);
    case 'holders':
      return ITEM_BYTES + sum(answer.records, recordBytes) + textBytes(answer.next);
    case 'set':
      return ITEM_BYTES + setBytes(answer.set);
    case 'digests':
      return ITEM_BYTES + answer.digests.length * SMALL_BYTES;
    case 'entries':
      return ITEM_BYTES + sum(answer.entries, idBytes) + textBytes(answer.next);
    case 'records':
      return ITEM_BYTES + sum(answer.records, recordBytes);
    case 'lacking':
      return (
        ITEM_BYTES +
        (answer.absent.length + answer.older.length + answer.newer.length) * SMALL_BYTES
      );
    default:
      return ITEM_BYTES;
  }
}

function recordBytes(record: TableRecord): number {
  const { content } = record;
  return idBytes(record) + (content.kind === 'value' ? content.bytes.length : ITEM_BYTES);
}

function idBytes({ key, address }: RecordId): number {
  return ITEM_BYTES + textBytes(key) + textBytes(address);
}

function setBytes({ peers }: ReplicaSet): number {
  return ITEM_BYTES + sum(peers, ({ address }) => ITEM_BYTES + textBytes(address));
}

function textBytes(text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(text, 'utf8');
}

function sum<Item>(items: readonly Item[], bytesOf: (item: Item) => number): number {
  let bytes = 0;
  for (const item of items) bytes += bytesOf(item);
  return bytes;
}
