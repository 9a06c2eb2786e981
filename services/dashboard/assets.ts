/** The files of the page, read once and kept: a path that is not among them leads nowhere. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Asset = { readonly type: string; readonly bytes: Buffer };

const FILES = [
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
  { path: '/page.css', file: 'page.css', type: 'text/css; charset=utf-8' },
  { path: '/icon.svg', file: 'icon.svg', type: 'image/svg+xml' },
] as const;

/** By their path. Rejects when one is missing: the page was not built. */
export async function readAssets(directory: string): Promise<ReadonlyMap<string, Asset>> {
  return new Map(
    await Promise.all(
      FILES.map(async ({ path, file, type }): Promise<[string, Asset]> => {
        return [path, { type, bytes: await readFile(join(directory, file)) }];
      }),
    ),
  );
}
