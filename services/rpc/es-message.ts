/**
 * Messages of ts-proto, which everything here works with, as messages of protobuf-es, which
 * protovalidate works with. Their fields have the same names and values; only a set oneof is
 * `{ $case, value }` there and `{ case, value }` here. A test holds that for every request we have.
 */
import {
  create,
  type DescField,
  type DescMessage,
  type DescOneof,
  type Message,
} from '@bufbuild/protobuf';

type Plain = Readonly<Record<string, unknown>>;

/** Nothing is encoded or copied but the objects: bytes are shared. */
export function toEsMessage(type: DescMessage, message: Plain): Message {
  const init: Record<string, unknown> = {};
  for (const member of type.members) {
    const value = message[member.localName];
    if (value === undefined) continue;
    init[member.localName] =
      member.kind === 'oneof' ? toEsOneof(member, value as OneofValue) : toEsField(member, value);
  }
  return create(type, init);
}

type OneofValue = { readonly $case: string; readonly value: unknown };

function toEsOneof(oneof: DescOneof, { $case, value }: OneofValue): Plain {
  const field = oneof.fields.find(({ localName }) => localName === $case);
  return { case: $case, value: field && toEsField(field, value) };
}

function toEsField({ fieldKind, message: type }: DescField, value: unknown): unknown {
  // Well-known types look the same in both: a Timestamp, a Duration, a wrapped string.
  if (!type || type.typeName.startsWith('google.protobuf.')) return value;
  switch (fieldKind) {
    case 'message':
      return toEsMessage(type, value as Plain);
    case 'list':
      return (value as readonly Plain[]).map((item) => toEsMessage(type, item));
    default:
      return Object.fromEntries(
        Object.entries(value as Plain).map(([key, item]) => [
          key,
          toEsMessage(type, item as Plain),
        ]),
      );
  }
}
