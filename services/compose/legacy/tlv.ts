/** Dialect `tlv`, put together: five UDP sockets, and TCP for clients of the plain framing. */
import { parseHostPort, type HostPort } from '../../host-port.js';
import { DatagramAdapter } from '../../legacy/adapter.js';
import { withRate } from '../../legacy/core/rate-limit.js';
import { TLV_DEFAULTS, TLV_PORTS, type TlvSocket } from '../../legacy/tlv/options.js';
import { TlvSession } from '../../legacy/tlv/session.js';
import { TlvStreams } from '../../legacy/tlv/socket.js';
import { systemClock } from '../../system/clock.js';
import type { DialectDeps, OpenDialect } from './dialect.js';

/** Streams come to the same port as the datagrams of clients. */
export async function openTlv({
  listen,
  peers,
  calls,
  rate,
  note,
  log,
}: DialectDeps<'tlv'>): Promise<OpenDialect> {
  const { holders, stop, followHolders } = calls;
  const clientRate = withRate(TLV_DEFAULTS.clientRate, rate);
  const options = { ...TLV_DEFAULTS, ownHosts: [listen.host], clientRate };
  const adapter = await DatagramAdapter.open<TlvSocket, TlvSession>({
    addresses: socketsOf(listen),
    clock: systemClock,
    log,
    note,
    create: (end) =>
      new TlvSession({
        ...end,
        calls: { holders, ...(stop !== undefined && { stop }) },
        options,
      }),
  });
  const { session } = adapter;
  const where = parseHostPort(adapter.addresses.client) ?? listen;
  const streamsDeps = { where, session, clock: systemClock, log };
  const streams = await TlvStreams.open(streamsDeps).catch(async (thrown: unknown) => {
    await adapter.close();
    throw thrown;
  });
  followHolders?.((key, address, lifeMs) => {
    if (lifeMs > 0) session.holderAnnounced(key, address, lifeMs);
    else session.holderWithdrawn(key, address);
  });
  for (const server of peers.tlv) {
    session.join(server, (outcome) => {
      log.info({ server, outcome }, 'asked to join a legacy server');
    });
  }
  return {
    bound: { tlv: adapter.addresses.client },
    introduce: (address) => introduce(session, address),
    close: async () => {
      session.close();
      await streams.close();
      await adapter.close();
    },
  };
}

/** The client's port is an option, the four others are fixed. */
function socketsOf(client: HostPort): Readonly<Record<TlvSocket, HostPort>> {
  const { host } = client;
  const fixed = Object.entries(TLV_PORTS).map(([name, port]) => [name, { host, port }]);
  return { client, ...Object.fromEntries(fixed) } as Record<TlvSocket, HostPort>;
}

function introduce(session: TlvSession, address: string): string | undefined {
  const server = parseHostPort(address)?.host ?? address.replace(/^\[(.*)\]$/, '$1');
  if (!server.includes(':')) return 'must be an IPv6 address';
  session.join(server);
  return undefined;
}
