/** Which file of the descriptors declares what. */
import type { AnyDesc, DescEnum, DescFile, DescMessage, FileRegistry } from '@bufbuild/protobuf';

export type SymbolIndex = {
  /** By full name: types, services, methods, fields, oneofs, enum values, extensions. */
  readonly files: ReadonlyMap<string, DescFile>;
  /** By extended type, then by number. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
};

export function indexSymbols(registry: FileRegistry): SymbolIndex {
  const files = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of registry.files) {
    for (const symbol of symbolsOf(file)) {
      files.set(nameOf(symbol), file);
      if (symbol.kind !== 'extension') continue;
      const extended = symbol.extendee.typeName;
      const numbers = extensions.get(extended) ?? new Map<number, DescFile>();
      extensions.set(extended, numbers.set(symbol.number, file));
    }
  }
  return { files, extensions };
}

function symbolsOf(file: DescFile): AnyDesc[] {
  return [
    ...file.messages.flatMap(symbolsOfMessage),
    ...file.enums.flatMap(symbolsOfEnum),
    ...file.extensions,
    ...file.services.flatMap((service) => [service, ...service.methods]),
  ];
}

function symbolsOfMessage(message: DescMessage): AnyDesc[] {
  return [
    message,
    ...message.fields,
    ...message.oneofs,
    ...message.nestedMessages.flatMap(symbolsOfMessage),
    ...message.nestedEnums.flatMap(symbolsOfEnum),
    ...message.nestedExtensions,
  ];
}

function symbolsOfEnum(enumeration: DescEnum): AnyDesc[] {
  return [enumeration, ...enumeration.values];
}

/** An enum value is a sibling of its enum, not a child. */
function nameOf(symbol: AnyDesc): string {
  switch (symbol.kind) {
    case 'field':
    case 'oneof':
    case 'rpc':
      return `${symbol.parent.typeName}.${symbol.name}`;
    case 'enum_value':
      return symbol.parent.typeName.replace(/[^.]*$/, symbol.name);
    case 'file':
      return symbol.name;
    default:
      return symbol.typeName;
  }
}
