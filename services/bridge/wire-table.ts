/** The table of a node, as legacy dialects call it over gRPC. */
import { DhtServiceService } from '../../proto/gen/ringbinder/v1/dht_service.js';
import { RingbinderError } from '../errors.js';
import type { HolderCalls, StopCalls, ValueCalls } from '../legacy/core/session.js';
import { settlePatiently } from '../legacy/settle.js';
import { callServerStream } from '../rpc/channel.js';
import { durationToWire } from '../rpc/wire-time.js';
import type { NodeLink } from './link.js';

/** As many copies as the node has configured. */
const DEFAULT_QUORUM = 0;

export function remoteHolders(link: NodeLink): HolderCalls {
  return {
    announce: (key, address, ttlMs, done) => {
      const ttl = durationToWire(ttlMs);
      const request = { key, address, ttl, writeQuorum: DEFAULT_QUORUM };
      settlePatiently(async () => link.call(DhtServiceService.announceHolder, request), done);
    },
    list: (key, countMax, done) => {
      const request = { key, pageSize: countMax, pageToken: '', readQuorum: DEFAULT_QUORUM };
      link.call(DhtServiceService.listHolders, request).then(
        ({ holders }) => done(holders.map(({ address }) => address)),
        () => done(undefined),
      );
    },
  };
}

export function remoteValues(link: NodeLink): ValueCalls {
  return {
    put: (key, value, ttlMs, done) => {
      const ttl = durationToWire(ttlMs);
      const request = { key, value: Buffer.from(value), ttl, writeQuorum: DEFAULT_QUORUM };
      settlePatiently(async () => link.call(DhtServiceService.put, request), done);
    },
    get: (key, found) => {
      link.call(DhtServiceService.get, { key, readQuorum: DEFAULT_QUORUM }).then(
        ({ value }) => found(value),
        (thrown: unknown) => found(reasonOf(thrown) === 'KEY_NOT_FOUND' ? null : undefined),
      );
    },
    want: (key, changed) => {
      const end = new AbortController();
      void link.whileServed(end.signal, async (client, signal) => {
        const events = callServerStream(client, DhtServiceService.want, { key }, { signal });
        for await (const { event } of events) if (event?.$case === 'value') changed(event.value);
      });
      return () => end.abort();
    },
  };
}

/** Stops the node when the password is its own; the bridge ends with it, as one server to its clients. */
export function remoteStop(link: NodeLink, stopped: () => void): StopCalls {
  return {
    stopServer: (password, done) => {
      link.call(DhtServiceService.stopServer, { password }).then(
        () => {
          done(true);
          stopped();
        },
        (thrown: unknown) => {
          const reason = reasonOf(thrown);
          const isRefused = reason === 'PASSWORD_WRONG' || reason === 'STOP_DISABLED';
          done(isRefused ? false : undefined);
        },
      );
    },
  };
}

function reasonOf(thrown: unknown): string {
  return RingbinderError.from(thrown).reason;
}
