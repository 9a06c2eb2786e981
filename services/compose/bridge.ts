/** A bridge, put together: legacy dialects here, and the services of a node elsewhere. */
import type { Logger } from 'pino';
import type { BridgeConfig } from '../bridge/config.js';
import { NodeLink } from '../bridge/link.js';
import { RemoteBinder } from '../bridge/wire-binder.js';
import { remoteHolders, remoteStop, remoteValues } from '../bridge/wire-table.js';
import { ValueFollower } from '../bridge/wire-writes.js';
import { StartError } from '../node/start-error.js';
import { systemClock } from '../system/clock.js';
import type { LegacyCalls } from './legacy/dialect.js';
import { LegacyPart } from './legacy/part.js';

export type Bridge = {
  /** Resolves when it listens, whether a node answers or not; rejects with a `StartError`. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** `requestStop` is called when a legacy client has stopped the node. */
export function composeBridge(config: BridgeConfig, log: Logger, requestStop: () => void): Bridge {
  const { servers, legacy, legacyPeer, legacyRate } = config;
  const link = new NodeLink({ servers, clock: systemClock, log: log.child({ component: 'link' }) });
  const part = new LegacyPart({
    legacy,
    legacyPeer,
    legacyRate,
    calls: remoteCalls(link, requestStop),
    noted: () => undefined,
    log: log.child({ component: 'legacy' }),
  });
  return {
    start: async () => {
      const bound = await part.open({ isOnByDefault: true });
      if (Object.keys(bound).length === 0) {
        throw new StartError('no dialect can listen; --legacy chooses other ports');
      }
      log.info({ servers, legacy: bound }, 'ringbinder bridge ready');
      link.start();
    },
    stop: async () => {
      await part.close();
      link.close();
    },
  };
}

function remoteCalls(link: NodeLink, requestStop: () => void): LegacyCalls {
  const binder = new RemoteBinder(link);
  return {
    holders: remoteHolders(link),
    values: remoteValues(link),
    binder: {
      register: (...registration) => binder.register(...registration),
      report: (...place) => binder.report(...place),
      follow: (...following) => binder.follow(...following),
      proveBy: (_dialect, prove) => binder.proveBy(prove),
    },
    ring: undefined,
    streams: undefined,
    stop: remoteStop(link, requestStop),
    followHolders: undefined,
    followValues: (isWanted, put) =>
      new ValueFollower({ link, clock: systemClock, isWanted, put }).start(),
  };
}
