/**
 * The heap of a node that runs: started with `HEAP_ARGV` it collects all garbage on SIGUSR2 and writes
 * what is left to its log. No inspector is attached.
 */
import type { TestNode } from './nodes.js';
import { until } from './until.js';

const PROBE = `process.on('SIGUSR2', () => {
  for (let round = 0; round < 3; round += 1) gc();
  process.stderr.write(JSON.stringify({ msg: 'heap', ...process.memoryUsage() }) + '\\n');
});`;

export const HEAP_ARGV = [
  '--expose-gc',
  '--import',
  `data:text/javascript,${encodeURIComponent(PROBE)}`,
] as const;

/** Bytes that live, on the heap and in buffers. */
export async function liveBytes(node: TestNode): Promise<number> {
  const seen = node.records.length;
  node.process.kill('SIGUSR2');
  const isHeap = ({ msg }: { readonly msg: string }): boolean => msg === 'heap';
  const record = await until(() => node.records.slice(seen).find(isHeap), 10_000);
  return Number(record['heapUsed']) + Number(record['arrayBuffers']);
}
