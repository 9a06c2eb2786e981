/**
 * Looks at an LMDB data file before LMDB does.
 *
 * lmdb 3.5.6 doesn't report a file that is no database: it ends the whole process with SIGSEGV. So
 * the head of the file is read here first. What is found wrong: another format, a head cut off, and
 * a tree whose root lies behind the end of the file. What is not found: damage further inside.
 *
 * The file begins with two meta pages, each a page header of 24 bytes and then (little-endian)
 * magic u32, format version u32, map address u64, map size u64, and two trees of 48 bytes each,
 * of which the first begins with the page size u32 and each ends with its root's page number u64.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const META_OFFSET = 24;
const META_BYTES = 152;
const MAGIC = 0xbeef_c0de;
const FORMAT_VERSION = 2;
const PAGE_BYTES_OFFSET = META_OFFSET + 24;
const ROOT_OFFSETS = [META_OFFSET + 64, META_OFFSET + 112];
/** Root of a tree that is empty. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/** Throws an `Error` when the directory holds a data file that LMDB can't work with. */
export function assertLmdbFile(directory: string): void {
  const path = join(directory, 'data.mdb');
  if (!existsSync(path)) return;
  const file = openSync(path, 'r+');
  try {
    const fileBytes = fstatSync(file).size;
    if (fileBytes === 0) return;
    const pageBytes = assertMetaPage(path, file, { offset: 0, fileBytes });
    assertMetaPage(path, file, { offset: pageBytes, fileBytes });
  } finally {
    closeSync(file);
  }
}

type MetaPage = { readonly offset: number; readonly fileBytes: number };

/** Returns the page size that the page states. */
function assertMetaPage(path: string, file: number, { offset, fileBytes }: MetaPage): number {
  const page = Buffer.alloc(META_BYTES);
  const damaged = (how: string) => new Error(`${path} is damaged or no database: ${how}`);
  if (readSync(file, page, 0, META_BYTES, offset) < META_BYTES) throw damaged('it is too short');
  if (page.readUInt32LE(META_OFFSET) !== MAGIC) throw damaged(`no magic number at ${offset}`);
  const version = page.readUInt16LE(META_OFFSET + 4);
  if (version !== FORMAT_VERSION) throw damaged(`format ${version}, not ${FORMAT_VERSION}`);
  const pageBytes = page.readUInt32LE(PAGE_BYTES_OFFSET);
  if (pageBytes < 256 || pageBytes > 65_536) throw damaged(`pages of ${pageBytes} bytes`);
  for (const rootOffset of ROOT_OFFSETS) {
    const root = page.readBigUInt64LE(rootOffset);
    if (root !== NO_PAGE && (root + 1n) * BigInt(pageBytes) > BigInt(fileBytes)) {
      throw damaged('its end is missing');
    }
  }
  return pageBytes;
}
