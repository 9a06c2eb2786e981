import {
  create,
  type DescField,
  type DescMessage,
  type DescOneof,
  type Message,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { NodeServiceService } from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import { RegistryServiceService } from '../../proto/gen/ringbinder/internal/v1/registry_service.js';
import { TableServiceService } from '../../proto/gen/ringbinder/internal/v1/table_service.js';
import { BinderServiceService } from '../../proto/gen/ringbinder/v1/binder_service.js';
import { DhtServiceService } from '../../proto/gen/ringbinder/v1/dht_service.js';
import { HashServiceService } from '../../proto/gen/ringbinder/v1/hash_service.js';
import { MonitorServiceService } from '../../proto/gen/ringbinder/v1/monitor_service.js';
import { PeerServiceService } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { WelcomeServiceService } from '../../proto/gen/ringbinder/v1/welcome_service.js';
import { descriptors } from '../../services/rpc/descriptors.js';
import { toEsMessage } from '../../services/rpc/es-message.js';
import type { RpcMethod } from '../../services/rpc/handlers.js';

const METHODS: readonly RpcMethod[] = [
  BinderServiceService,
  DhtServiceService,
  HashServiceService,
  MonitorServiceService,
  NodeServiceService,
  PeerServiceService,
  RegistryServiceService,
  TableServiceService,
  WelcomeServiceService,
].flatMap((definition) => Object.values<RpcMethod>(definition));

const DEPTH_MAX = 6;

/** A message with every field set, and of each oneof the field with this index. */
function populated(type: DescMessage, caseIndex: number, depth = 0): Message {
  const init: Record<string, unknown> = {};
  for (const member of type.members) {
    const value =
      member.kind === 'oneof'
        ? oneofOf(member, caseIndex, depth)
        : fieldOf(member, caseIndex, depth);
    if (value !== undefined) init[member.localName] = value;
  }
  return create(type, init);
}

function oneofOf({ fields }: DescOneof, caseIndex: number, depth: number): unknown {
  const field = fields[caseIndex % fields.length]!;
  const value = fieldOf(field, caseIndex, depth);
  return value === undefined ? undefined : { case: field.localName, value };
}

function fieldOf(field: DescField, caseIndex: number, depth: number): unknown {
  if (field.message && depth >= DEPTH_MAX) return undefined;
  const one = () =>
    field.message ? populated(field.message, caseIndex, depth + 1) : scalarOf(field);
  switch (field.fieldKind) {
    case 'list':
      return [one(), one()];
    case 'map':
      return { [field.mapKey === ScalarType.STRING ? 'key' : '7']: one() };
    default:
      return one();
  }
}

function scalarOf({ scalar, name }: DescField): unknown {
  switch (scalar) {
    case undefined:
      return 1;
    case ScalarType.STRING:
      return `text of ${name}`;
    case ScalarType.BYTES:
      return Buffer.from(name);
    case ScalarType.BOOL:
      return true;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return -7n;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return 2n ** 63n;
    default:
      return 7;
  }
}

function inputOf(path: string): DescMessage {
  const [, service = '', name] = path.split('/');
  return descriptors()
    .getService(service)!
    .methods.find((method) => method.name === name)!.input;
}

describe('toEsMessage', () => {
  it('knows every method of every service of ours', () => {
    const declared = [...descriptors().files]
      .filter(({ proto }) => proto.package.startsWith('ringbinder.'))
      .flatMap(({ services }) => services.flatMap(({ methods }) => methods));
    expect(METHODS.length).toBe(declared.length);
  });

  it.each(METHODS)('keeps everything in a request of $path', (method) => {
    const type = inputOf(method.path);
    for (let caseIndex = 0; caseIndex < 12; caseIndex += 1) {
      const original = populated(type, caseIndex);
      const request = method.requestDeserialize(Buffer.from(toBinary(type, original)));
      expect(toEsMessage(type, request as Record<string, unknown>)).toEqual(original);
    }
  });
});
