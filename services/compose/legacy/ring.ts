/** Dialect `ring`, put together: the ports of the original servers, of a monitored peer, and of a peer. */
import { RING_PEER_PORT } from '../../config/legacy.js';
import { parseHostPort } from '../../host-port.js';
import { RingPorts } from '../../legacy/ring/ports.js';
import { systemClock } from '../../system/clock.js';
import type { DialectDeps, OpenDialect } from './dialect.js';

/** Off where no guests can be. */
export async function openRing({
  listen,
  calls,
  note,
  log,
}: DialectDeps<'ring'>): Promise<OpenDialect | undefined> {
  if (calls.ring === undefined) return undefined;
  let peerPort = listen.peer?.port ?? RING_PEER_PORT;
  const ring = calls.ring({ host: listen.peer?.host, peerPort: () => peerPort });
  const ports = await RingPorts.open({
    addresses: listen,
    calls: ring,
    clock: systemClock,
    log,
    note,
  }).catch((thrown: unknown) => {
    ring.close();
    throw thrown;
  });
  const { addresses } = ports;
  peerPort = parseHostPort(addresses.peer ?? '')?.port ?? peerPort;
  return {
    bound: Object.fromEntries(
      Object.entries(addresses).map(([port, address]) => [`ring ${port}`, address]),
    ),
    programCount: () => ring.guestCount,
    close: async () => {
      await ports.close();
      ring.close();
    },
  };
}
