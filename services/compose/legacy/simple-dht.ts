/** Dialect `simple-dht`, put together: one UDP socket. */
import { isWildcard, parseHostPort } from '../../host-port.js';
import { DatagramAdapter } from '../../legacy/adapter.js';
import { withRate } from '../../legacy/core/rate-limit.js';
import { isOwnHost } from '../../legacy/own-hosts.js';
import { isHash } from '../../legacy/simple-dht/codec.js';
import { SIMPLE_DHT_LIMITS } from '../../legacy/simple-dht/limits.js';
import { SimpleDhtSession, type SimpleDhtOptions } from '../../legacy/simple-dht/session.js';
import { systemClock } from '../../system/clock.js';
import type { DialectDeps, OpenDialect } from './dialect.js';

export async function openSimpleDht({
  listen: main,
  peers,
  calls,
  rate,
  note,
  log,
}: DialectDeps<'simple-dht'>): Promise<OpenDialect> {
  const isIpv6 = (host: string): boolean => host.includes(':');
  let own = main;
  const options: SimpleDhtOptions<'main'> = {
    isOwn: ({ host, port }) =>
      port === own.port && (isWildcard(own.host) ? isOwnHost(host) : host === own.host),
    socketFor: (host) => (isIpv6(host) === isIpv6(main.host) ? 'main' : undefined),
    limits: { ...SIMPLE_DHT_LIMITS, datagrams: withRate(SIMPLE_DHT_LIMITS.datagrams, rate) },
  };
  const adapter = await DatagramAdapter.open<'main', SimpleDhtSession<'main'>>({
    addresses: { main },
    clock: systemClock,
    log,
    note,
    create: (end) => new SimpleDhtSession({ ...end, calls: calls.values, options }),
  });
  const { session } = adapter;
  own = parseHostPort(adapter.addresses.main) ?? main;
  calls.followValues(isHash, (key, value, lifeMs) => session.valueChanged(key, value, lifeMs));
  for (const peer of peers['simple-dht']) {
    const why = session.join(peer);
    if (why !== undefined) log.warn({ peer, why }, 'can not work with this legacy server');
  }
  return {
    bound: { 'simple-dht': adapter.addresses.main },
    programCount: () => session.sizes.peers,
    introduce: (address) => {
      const peer = parseHostPort(address);
      return peer === undefined ? 'must be host:port' : session.discover(peer);
    },
    close: async () => {
      session.close();
      await adapter.close();
    },
  };
}
