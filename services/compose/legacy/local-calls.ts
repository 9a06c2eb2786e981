/** What legacy dialects call, on the applications of this node. */
import type { BinderApplication } from '../../binder/application.js';
import type { Config } from '../../config.js';
import type { TableApplication } from '../../dht/application.js';
import { assertPassword } from '../../dht/stop-password.js';
import { RingbinderError } from '../../errors.js';
import type { BinderCalls, HolderCalls, StopCalls, ValueCalls } from '../../legacy/core/session.js';
import { LIEUR_CHECK } from '../../legacy/lieur/check.js';
import { settle, settlePatiently } from '../../legacy/settle.js';
import type { PeerStreams } from '../../peer/stream/streams.js';
import { systemClock } from '../../system/clock.js';
import type { BinderPart } from '../binder.js';
import type { TablePart } from '../table.js';
import type { LegacyCalls } from './dialect.js';
import { LocalRing, type LocalRingDeps } from './local-ring.js';

/** As many copies as the node has configured. */
const DEFAULT_QUORUM = 0;

export type LocalCallsDeps = {
  readonly config: Pick<Config, 'roles' | 'stopPassword'>;
  readonly table: TablePart;
  readonly binder: BinderPart;
  readonly ring: LocalRingDeps;
  readonly streams: PeerStreams;
  readonly requestStop: () => void;
};

export function localCalls({ config, ...deps }: LocalCallsDeps): LegacyCalls {
  const { binder, streams, requestStop } = deps;
  const table = deps.table.application;
  const { roles, stopPassword } = config;
  return {
    holders: holderCalls(table),
    values: valueCalls(table),
    binder: !roles.includes('binder')
      ? undefined
      : {
          ...binderCalls(binder.application),
          follow: (services, changed) => {
            const wanted = new Set(services);
            binder.follow((change) => {
              if (wanted.has(change.service)) changed(change);
            });
          },
          proveBy: (dialect, prove) => binder.proveBy(dialect, prove),
        },
    ring: (place) => new LocalRing(deps.ring, place),
    streams,
    stop: stopPassword === undefined ? undefined : stopCalls(stopPassword, requestStop),
    followHolders: (changed) =>
      table.onWrite(({ key, address, content, expiresAtMs }) => {
        if (address === undefined) return;
        const lifeMs = (expiresAtMs ?? Number.POSITIVE_INFINITY) - systemClock.now();
        changed(key, address, content.kind === 'deleted' ? 0 : lifeMs);
      }),
    followValues: (isWanted, put) =>
      table.onWrite(({ key, content, expiresAtMs }) => {
        const lifeMs = (expiresAtMs ?? Number.POSITIVE_INFINITY) - systemClock.now();
        if (content.kind === 'value' && isWanted(key)) put(key, content.bytes, lifeMs);
      }),
  };
}

function binderCalls(binder: BinderApplication): BinderCalls {
  return {
    register: (service, address, ttlMs, done) => {
      const registration = { service, address, ttlMs, metadata: {}, check: LIEUR_CHECK };
      settle(binder.keep(registration), done);
    },
    report: (service, address) => settle(binder.report(service, address), () => undefined),
  };
}

function holderCalls(table: TableApplication): HolderCalls {
  return {
    announce: (key, address, ttlMs, done) =>
      settlePatiently(async () => table.announce(key, address, ttlMs, DEFAULT_QUORUM), done),
    list: (key, countMax, done) => {
      table.holders(key, countMax, '', DEFAULT_QUORUM).then(
        ({ holders }) => done(holders.flatMap(({ address }) => address ?? [])),
        () => done(undefined),
      );
    },
  };
}

function valueCalls(table: TableApplication): ValueCalls {
  return {
    put: (key, value, ttlMs, done) =>
      settlePatiently(async () => table.put(key, value, ttlMs, DEFAULT_QUORUM), done),
    get: (key, found) => {
      table.get(key, DEFAULT_QUORUM).then(
        ({ record }) => found(record.content.kind === 'value' ? record.content.bytes : null),
        (thrown: unknown) =>
          found(RingbinderError.from(thrown).reason === 'KEY_NOT_FOUND' ? null : undefined),
      );
    },
    want: (key, changed) => {
      const end = new AbortController();
      void follow(table, key, end.signal, changed);
      return () => end.abort();
    },
  };
}

/** Stops the node when the password is right. */
function stopCalls(expected: string, stop: () => void): StopCalls {
  return {
    stopServer: (password, done) => {
      try {
        assertPassword(password, expected);
      } catch {
        done(false);
        return;
      }
      done(true);
      stop();
    },
  };
}

/** Never rejects: a want that fails is one that is not answered. */
async function follow(
  table: TableApplication,
  key: string,
  signal: AbortSignal,
  changed: (value: Uint8Array) => void,
): Promise<void> {
  try {
    for await (const { event } of table.want(key, signal)) {
      if (event?.kind !== 'value') continue;
      const { content } = event.record;
      if (content.kind === 'value') changed(content.bytes);
    }
  } catch {
    return;
  }
}
