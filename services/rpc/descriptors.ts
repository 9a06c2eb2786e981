/**
 * The descriptors of all our protos, and of those they import. Made by `scripts/generate.mjs`, and
 * compiled in, so that there is no file to be found at run time.
 */
import { createFileRegistry, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { DESCRIPTOR_SET } from '../../proto/gen/descriptors.js';

let registry: FileRegistry | undefined;

/** Reads them when first asked, which takes some 30 ms. */
export function descriptors(): FileRegistry {
  registry ??= createFileRegistry(
    fromBinary(FileDescriptorSetSchema, Buffer.from(DESCRIPTOR_SET, 'base64')),
  );
  return registry;
}
