import { MemoryTable } from '../../../services/dht/core/memory-table.js';
import { describeTableContract, GRACE_MS, RING_SIZE } from '../../contract/table-contract.js';

describeTableContract('MemoryTable', async (options) => ({
  table: new MemoryTable({
    ringSize: RING_SIZE,
    graceMs: GRACE_MS,
    recordsMax: options?.recordsMax ?? 1_000_000,
    bytesMax: options?.bytesMax ?? 2 ** 30,
    later: queueMicrotask,
  }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
}));
