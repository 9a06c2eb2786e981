/**
 * Server reflection, v1 and v1alpha alike: what `grpcurl` and `buf curl` need to call this node
 * without its protos.
 */
import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
  ServerReflectionServer,
} from '../../proto/gen/grpc/reflection/v1/reflection.js';
import { descriptors } from './descriptors.js';
import type { Handlers } from './handlers.js';
import { indexSymbols, type SymbolIndex } from './symbols.js';

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

/** The messages of v1alpha have the same shape, so these handlers are good for both. */
export function createReflectionHandlers(
  serviceNames: () => readonly string[],
): Handlers<ServerReflectionServer> {
  return {
    serverReflectionInfo: async function* (requests) {
      const conversation = new Conversation(serviceNames);
      for await (const request of requests) {
        const messageResponse = conversation.answer(request.messageRequest);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  };
}

let symbols: SymbolIndex | undefined;

/** Remembers which files the caller has. */
class Conversation {
  readonly #serviceNames: () => readonly string[];
  readonly #sent = new Set<string>();

  constructor(serviceNames: () => readonly string[]) {
    this.#serviceNames = serviceNames;
  }

  answer(question: ServerReflectionRequest['messageRequest']): Answer {
    symbols ??= indexSymbols(descriptors());
    switch (question?.$case) {
      case 'listServices':
        return services(this.#serviceNames());
      case 'fileByFilename':
        return this.#files(descriptors().getFile(question.value), question.value);
      case 'fileContainingSymbol':
        return this.#files(symbols.files.get(question.value.replace(/^\./, '')), question.value);
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = question.value;
        const file = symbols.extensions.get(containingType)?.get(extensionNumber);
        return this.#files(file, `${containingType} extension ${extensionNumber}`);
      }
      case 'allExtensionNumbersOfType':
        return extensionNumbers(symbols, question.value);
      case undefined:
        return failure(status.INVALID_ARGUMENT, 'the request asks for nothing this node knows');
    }
  }

  /** The file that was asked for comes first, and always; those it imports come once. */
  #files(file: DescFile | undefined, name: string): Answer {
    if (file === undefined) return notFound(name);
    const files = withImports(file).filter(
      (each) => each === file || !this.#sent.has(each.proto.name),
    );
    for (const { proto } of files) this.#sent.add(proto.name);
    const fileDescriptorProto = files.map(({ proto }) =>
      Buffer.from(toBinary(FileDescriptorProtoSchema, proto)),
    );
    return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
  }
}

function withImports(file: DescFile): DescFile[] {
  const files = new Set<DescFile>([file]);
  // A set visits what is added meanwhile.
  for (const each of files) for (const imported of each.dependencies) files.add(imported);
  return [...files];
}

function services(names: readonly string[]): Answer {
  return {
    $case: 'listServicesResponse',
    value: { service: names.map((name) => ({ name })) },
  };
}

function extensionNumbers({ files, extensions }: SymbolIndex, typeName: string): Answer {
  if (!files.has(typeName)) return notFound(typeName);
  const extensionNumber = [...(extensions.get(typeName)?.keys() ?? [])];
  return {
    $case: 'allExtensionNumbersResponse',
    value: { baseTypeName: typeName, extensionNumber },
  };
}

function notFound(name: string): Answer {
  return failure(status.NOT_FOUND, `this node has no ${name}`);
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
