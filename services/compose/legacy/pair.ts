/** Dialect `pair`, put together: one TCP port, whose connections are streams of this node. */
import { PairListener } from '../../legacy/pair/listener.js';
import type { DialectDeps, OpenDialect } from './dialect.js';

/** Off where there are no streams. */
export async function openPair({
  listen: where,
  calls: { streams },
  log,
}: DialectDeps<'pair'>): Promise<OpenDialect | undefined> {
  if (streams === undefined) {
    log.info('the dialect is off: only a node has streams');
    return undefined;
  }
  const listener = await PairListener.open({ where, streams, log });
  return { bound: { pair: listener.address }, close: async () => listener.close() };
}
