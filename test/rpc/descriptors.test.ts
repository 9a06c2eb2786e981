import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { descriptors } from '../../services/rpc/descriptors.js';

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
