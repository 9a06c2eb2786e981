/**
 * From bytes to a request that keeps the rules of its proto.
 *
 * Not the bytes are checked, but the decoded request: ts-proto and protobuf-es differ in what they
 * make of a repeated message field or a wrong wire type, so bytes can be made that the one finds
 * valid and the other decodes to something else. What is checked is what the handler gets.
 */
import { type DescMessage, hasOption } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { createValidator, type Validator, type Violation } from '@bufbuild/protovalidate';
import {
  field as fieldRules,
  message as messageRules,
  oneof as oneofRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { type FieldViolation, RingbinderError } from '../errors.js';
import { descriptors } from './descriptors.js';
import { toEsMessage } from './es-message.js';
import type { RequestCodec } from './handlers.js';
import { REQUEST_BYTES_MAX } from './limits.js';

/**
 * Decodes and checks one request. Throws `REQUEST_TOO_LARGE`, `REQUEST_MALFORMED` or
 * `REQUEST_INVALID`.
 */
export type ReadRequest<Request> = (bytes: Buffer) => Request;

/**
 * Returns the reader of a method's requests. The rules of a type are compiled with its first
 * request: for all types that takes some 300 ms, which a start need not wait for.
 */
export function requestReader<Request>(method: RequestCodec<Request>): ReadRequest<Request> {
  let checked: DescMessage | undefined;
  let isKnown = false;
  return (bytes) => {
    const quick = method.requestShortcut?.(bytes);
    if (quick !== undefined) return quick;
    const request = decode(bytes, method);
    if (!isKnown) checked = checkedTypeOf(method.path);
    isKnown = true;
    if (checked) check(checked, request as Readonly<Record<string, unknown>>);
    return request;
  };
}

/** ts-proto would put U+FFFD in the place of bytes that are no UTF-8. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array): string => utf8.decode(bytes);

/** Generated decoders take a reader as well as bytes; only the service definition hides it. */
function decode<Request>(bytes: Buffer, method: RequestCodec<Request>): Request {
  if (bytes.length > REQUEST_BYTES_MAX) throw tooLarge(bytes.length);
  const reader = new BinaryReader(bytes, decodeUtf8);
  try {
    assertFields(reader);
    reader.pos = 0;
    return method.requestDeserialize(reader as unknown as Buffer);
  } catch (error) {
    throw malformed(method.path, error);
  }
}

/** Throws when the bytes are no fields: at a tag that can't be, a decoder just stops. */
function assertFields(reader: BinaryReader): void {
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    reader.skip(wireType, field);
  }
}

function tooLarge(bytes: number): RingbinderError {
  return new RingbinderError(
    'REQUEST_TOO_LARGE',
    `the request has ${bytes} bytes; at most ${REQUEST_BYTES_MAX} are accepted`,
    { bytes: String(bytes), bytesMax: String(REQUEST_BYTES_MAX) },
  );
}

function malformed(method: string, cause: unknown): RingbinderError {
  return new RingbinderError(
    'REQUEST_MALFORMED',
    `the bytes are no request of ${method}; generate the client anew`,
    { method },
    { cause },
  );
}

let validator: Validator | undefined;

function check(type: DescMessage, request: Readonly<Record<string, unknown>>): void {
  validator ??= createValidator({ registry: descriptors() });
  const result = validator.validate(type, toEsMessage(type, request));
  if (result.kind === 'valid') return;
  if (result.kind === 'error') throw result.error;
  throw invalid(perField(result.violations));
}

/** One entry for each field, in the order of the fields, with everything that is wrong about it. */
function perField(violations: readonly Violation[]): FieldViolation[] {
  const descriptions = new Map<string, string[]>();
  for (const { field: path, message } of violations) {
    const field = pathToString(path);
    const earlier = descriptions.get(field);
    if (earlier) earlier.push(message);
    else descriptions.set(field, [message]);
  }
  return [...descriptions].map(([field, all]) => ({ field, description: all.join('; ') }));
}

function invalid(violations: readonly FieldViolation[]): RingbinderError {
  const lines = violations.map(({ field, description }) =>
    field === '' ? description : `${field}: ${description}`,
  );
  const fields = violations.map(({ field }) => field).join(', ');
  return new RingbinderError('REQUEST_INVALID', lines.join(', '), { fields }, { violations });
}

/** Returns the request type of a method, or undefined when there is nothing to check about it. */
function checkedTypeOf(path: string): DescMessage | undefined {
  const [, service = '', name = ''] = path.split('/');
  const methods = descriptors().getService(service)?.methods;
  const input = methods?.find((method) => method.name === name)?.input;
  return input && hasRules(input, new Set()) ? input : undefined;
}

function hasRules(type: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(type)) return false;
  seen.add(type);
  return (
    hasOption(type, messageRules) ||
    type.oneofs.some((oneof) => hasOption(oneof, oneofRules)) ||
    type.fields.some(
      (field) =>
        hasOption(field, fieldRules) || (field.message && hasRules(field.message, seen)) === true,
    )
  );
}
