import { readdirSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ServerReflectionClient,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../proto/gen/grpc/reflection/v1/reflection.js';
import { ServerReflectionClient as ServerReflectionClientV1Alpha } from '../../proto/gen/grpc/reflection/v1alpha/reflection.js';
import { NodeServiceService } from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import { descriptors } from '../../services/rpc/descriptors.js';
import { startServer } from './started-server.js';

type Question = NonNullable<ServerReflectionRequest['messageRequest']>;
type Answer = ServerReflectionResponse['messageResponse'];

const HASH_FILE = 'ringbinder/v1/hash_service.proto';
const PEER_FILE = 'ringbinder/v1/peer_service.proto';
const RULES_FILE = 'buf/validate/validate.proto';
const DESCRIPTOR_FILE = 'google/protobuf/descriptor.proto';

function namesOf(answer: Answer): string[] {
  if (answer?.$case !== 'fileDescriptorResponse') throw new Error(JSON.stringify(answer));
  const files = answer.value.fileDescriptorProto;
  return files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

describe.each([
  { version: 'v1', Client: ServerReflectionClient },
  { version: 'v1alpha', Client: ServerReflectionClientV1Alpha },
])('server reflection $version', ({ Client }) => {
  let node: Awaited<ReturnType<typeof startServer>>;
  let client: InstanceType<typeof Client>;

  beforeAll(async () => {
    node = await startServer({});
    node.server.addNotServed(NodeServiceService);
    client = new Client(node.address, credentials.createInsecure());
  });

  afterAll(async () => {
    client.close();
    await node[Symbol.asyncDispose]();
  });

  /** Asks all over one stream. */
  async function ask(...questions: readonly (Question | undefined)[]): Promise<Answer[]> {
    const stream = client.serverReflectionInfo();
    for (const messageRequest of questions) stream.write({ host: 'h', messageRequest });
    stream.end();
    const answers: Answer[] = [];
    for await (const each of stream) {
      const { validHost, originalRequest, messageResponse } = each as ServerReflectionResponse;
      expect({ validHost, originalRequest }).toEqual({
        validHost: 'h',
        originalRequest: { host: 'h', messageRequest: questions[answers.length] },
      });
      answers.push(messageResponse);
    }
    return answers;
  }

  it('lists the services that the node serves, and no others', async () => {
    const [answer] = await ask({ $case: 'listServices', value: '' });
    expect(answer).toEqual({
      $case: 'listServicesResponse',
      value: {
        service: [
          { name: 'grpc.reflection.v1.ServerReflection' },
          { name: 'grpc.reflection.v1alpha.ServerReflection' },
          { name: 'grpc.health.v1.Health' },
          { name: 'ringbinder.v1.HashService' },
          { name: 'ringbinder.v1.PeerService' },
        ],
      },
    });
  });

  it.each([
    { title: 'a service', symbol: 'ringbinder.v1.HashService', file: HASH_FILE },
    { title: 'a method', symbol: 'ringbinder.v1.HashService.HashKey', file: HASH_FILE },
    { title: 'a message', symbol: 'ringbinder.v1.HashKeyRequest', file: HASH_FILE },
    { title: 'a field', symbol: 'ringbinder.v1.HashKeyRequest.key', file: HASH_FILE },
    { title: 'a oneof', symbol: 'ringbinder.v1.LookupRequest.target', file: PEER_FILE },
    { title: 'an enum', symbol: 'ringbinder.v1.PeerStage', file: PEER_FILE },
    { title: 'an enum value', symbol: 'ringbinder.v1.PEER_STAGE_MEMBER', file: PEER_FILE },
    {
      title: 'a nested enum value',
      symbol: 'grpc.health.v1.HealthCheckResponse.SERVING',
      file: 'grpc/health/v1/health.proto',
    },
    {
      title: 'a nested message',
      symbol: 'google.protobuf.DescriptorProto.ExtensionRange',
      file: DESCRIPTOR_FILE,
    },
    { title: 'an extension', symbol: 'buf.validate.field', file: RULES_FILE },
    { title: 'a name with a dot before it', symbol: '.ringbinder.v1.Caller', file: PEER_FILE },
  ])('finds the file that declares $title', async ({ symbol, file }) => {
    const [answer] = await ask({ $case: 'fileContainingSymbol', value: symbol });
    expect(namesOf(answer)[0]).toBe(file);
  });

  it('sends a file with all that it imports, and on one stream each import once', async () => {
    const [peer, hash, again] = await ask(
      { $case: 'fileByFilename', value: PEER_FILE },
      { $case: 'fileByFilename', value: HASH_FILE },
      { $case: 'fileByFilename', value: HASH_FILE },
    );
    expect(namesOf(peer).sort()).toEqual([
      RULES_FILE,
      DESCRIPTOR_FILE,
      'google/protobuf/duration.proto',
      'google/protobuf/timestamp.proto',
      PEER_FILE,
      'ringbinder/v1/ring.proto',
    ]);
    expect(namesOf(hash)).toEqual([HASH_FILE]);
    expect(namesOf(again)).toEqual([HASH_FILE]);
  });

  it('finds extensions by type and number, and the numbers of a type', async () => {
    const extension = { containingType: 'google.protobuf.FieldOptions', extensionNumber: 1159 };
    const [file, numbers, none] = await ask(
      { $case: 'fileContainingExtension', value: extension },
      { $case: 'allExtensionNumbersOfType', value: extension.containingType },
      { $case: 'allExtensionNumbersOfType', value: 'ringbinder.v1.Caller' },
    );
    expect(namesOf(file)[0]).toBe(RULES_FILE);
    expect(numbers?.value).toMatchObject({
      extensionNumber: expect.arrayContaining([1159]) as number[],
    });
    expect(none?.value).toEqual({ baseTypeName: 'ringbinder.v1.Caller', extensionNumber: [] });
  });

  it.each<{ title: string; question: Question | undefined; code: status }>([
    {
      title: 'a file that is not there',
      question: { $case: 'fileByFilename', value: 'acme.proto' },
      code: status.NOT_FOUND,
    },
    {
      title: 'a symbol that is not there',
      question: { $case: 'fileContainingSymbol', value: 'acme.Thing' },
      code: status.NOT_FOUND,
    },
    {
      title: 'an extension that is not there',
      question: {
        $case: 'fileContainingExtension',
        value: { containingType: 'ringbinder.v1.Caller', extensionNumber: 100 },
      },
      code: status.NOT_FOUND,
    },
    {
      title: 'the extensions of a type that is not there',
      question: { $case: 'allExtensionNumbersOfType', value: 'acme.Thing' },
      code: status.NOT_FOUND,
    },
    { title: 'nothing', question: undefined, code: status.INVALID_ARGUMENT },
  ])('answers a question for $title with an error, and goes on', async ({ question, code }) => {
    const [error, next] = await ask(question, { $case: 'fileByFilename', value: HASH_FILE });
    expect(error).toMatchObject({ $case: 'errorResponse', value: { errorCode: code } });
    expect(namesOf(next)[0]).toBe(HASH_FILE);
  });
});

function protosUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.proto'),
  );
}

describe('descriptors', () => {
  it.each(['proto', 'proto/vendor'])('has every file under %s', (directory) => {
    const paths = protosUnder(directory).filter((path) => !path.startsWith('vendor/'));
    expect(paths.length).toBeGreaterThan(4);
    for (const path of paths) expect(descriptors().getFile(path)?.proto.name).toBe(path);
  });
});
