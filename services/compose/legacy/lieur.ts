/** Dialect `lieur`, put together: the main socket, and the one that verifications are made from. */
import { parseHostPort } from '../../host-port.js';
import { DatagramAdapter } from '../../legacy/adapter.js';
import { withRate } from '../../legacy/core/rate-limit.js';
import { LieurSession, type LieurSocket } from '../../legacy/lieur/session.js';
import { LEGACY_RATES } from '../../limits.js';
import { systemClock } from '../../system/clock.js';
import type { DialectDeps, OpenDialect } from './dialect.js';

/** Off where there is no binder. */
export async function openLieur({
  listen,
  peers,
  calls: { binder },
  rate,
  note,
  log,
}: DialectDeps<'lieur'>): Promise<OpenDialect | undefined> {
  if (binder === undefined) return undefined;
  const rates = withRate(LEGACY_RATES, rate);
  const options = { binders: peers.lieur, names: new Map(), rates };
  const adapter = await DatagramAdapter.open<LieurSocket, LieurSession>({
    addresses: listen,
    clock: systemClock,
    log,
    note,
    create: (end) => new LieurSession({ ...end, options, calls: binder }),
  });
  const { session } = adapter;
  binder.follow(session.services, (change) => session.changed(change));
  binder.proveBy('lieur', async (address) => {
    const to = parseHostPort(address);
    return to !== undefined && new Promise((resolve) => session.verify(to, resolve));
  });
  const { main, verification } = adapter.addresses;
  return {
    bound: { lieur: main, 'lieur verification': verification },
    close: async () => adapter.close(),
  };
}
