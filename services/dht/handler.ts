/** The gRPC face of the table: DhtService. */
import type {
  DhtServiceServer,
  Receipt,
  WantResponse,
} from '../../proto/gen/ringbinder/v1/dht_service.js';
import { HEARTBEAT, optionalPeerToWire } from '../peer/wire.js';
import type { Handlers } from '../rpc/handlers.js';
import type { WatchItem } from '../rpc/watch-queue.js';
import { durationFromWire, timestampToWire } from '../rpc/wire-time.js';
import type { TableApplication, Rest } from './application.js';
import type { Content } from './core/record.js';
import { versionText } from './core/version.js';
import { assertPassword } from './stop-password.js';
import type { WantedState } from './core/wants.js';

export type DhtHandlerDeps = {
  readonly application: TableApplication;
  /** What stops this node; undefined when nobody may. */
  readonly stopPassword: string | undefined;
  /** Stops the node once this call has been answered. */
  readonly stop: () => void;
  /** Makes a legacy server known. Throws `DIALECT_UNKNOWN` or `REQUEST_INVALID`. */
  readonly introduce: (address: string, dialect: string) => void;
};

/** Versions named in a receipt. */
const VERSIONS_MAX = 16;

export function createDhtHandler({
  application,
  stopPassword,
  stop,
  introduce,
}: DhtHandlerDeps): Handlers<DhtServiceServer> {
  return {
    put: async ({ key, value, ttl, writeQuorum }) => {
      const ttlMs = ttl === undefined ? undefined : durationFromWire(ttl);
      const result = await application.put(key, value, ttlMs, writeQuorum);
      return {
        version: versionText(result.version),
        expireTime: optionalTime(result.expiresAtMs),
        receipt: receiptOf(result),
      };
    },
    get: async ({ key, readQuorum }) => {
      const result = await application.get(key, readQuorum);
      const { content, version, expiresAtMs } = result.record;
      return {
        value: bytesOf(content),
        version: versionText(version),
        expireTime: optionalTime(expiresAtMs),
        receipt: receiptOf(result),
      };
    },
    delete: async ({ key, writeQuorum }) => {
      const result = await application.delete(key, writeQuorum);
      const { version, wasLive: existed } = result;
      return { version: versionText(version), existed, receipt: receiptOf(result) };
    },
    want: async function* ({ key }, { signal }) {
      for await (const item of application.want(key, signal)) yield wantEventToWire(item);
    },
    listKeys: async ({ pageSize, pageToken, prefix }) => {
      const { keys, nextPageToken } = application.keys(prefix, pageSize, pageToken);
      return {
        keys: keys.map(({ key, sizeBytes, version, expiresAtMs }) => ({
          key,
          sizeBytes,
          version: versionText(version),
          expireTime: optionalTime(expiresAtMs),
        })),
        nextPageToken,
      };
    },
    announceHolder: async ({ key, address, ttl, writeQuorum }) => {
      const ttlMs = ttl === undefined ? undefined : durationFromWire(ttl);
      const result = await application.announce(key, address, ttlMs, writeQuorum);
      return { expireTime: optionalTime(result.expiresAtMs), receipt: receiptOf(result) };
    },
    withdrawHolder: async ({ key, address, writeQuorum }) => {
      const result = await application.withdraw(key, address, writeQuorum);
      return { existed: result.wasLive, receipt: receiptOf(result) };
    },
    listHolders: async ({ key, pageSize, pageToken, readQuorum }) => {
      const result = await application.holders(key, pageSize, pageToken, readQuorum);
      const holders = result.holders.map(({ address = '', expiresAtMs }) => ({
        address,
        expireTime: optionalTime(expiresAtMs),
      }));
      return { holders, nextPageToken: result.nextPageToken, receipt: receiptOf(result) };
    },
    introduce: async ({ address, dialect }) => {
      introduce(address, dialect);
      return {};
    },
    stopServer: async ({ password }) => {
      assertPassword(password, stopPassword);
      stop();
      return {};
    },
  };
}

function receiptOf({ rests: { set, quorum, outcome } }: Rest): Receipt {
  const versions = outcome !== undefined && 'versions' in outcome ? outcome.versions : [];
  return {
    owner: optionalPeerToWire(set?.peers[0]),
    asked: outcome?.asked ?? 0,
    answered: outcome?.answered ?? 0,
    required: quorum.required,
    repaired: outcome !== undefined && 'repaired' in outcome ? outcome.repaired : 0,
    capped: quorum.isCapped,
    versions: versions.slice(0, VERSIONS_MAX).map(versionText),
  };
}

function wantEventToWire({ sequence, observedAtMs, event }: WatchItem<WantedState>): WantResponse {
  const head = { sequence: BigInt(sequence), observeTime: timestampToWire(observedAtMs) };
  if (event === undefined || event.kind === 'absent') {
    const heartbeat = { $case: 'heartbeat', value: HEARTBEAT } as const;
    return { ...head, event: heartbeat, version: '', expireTime: undefined };
  }
  const { content, version, expiresAtMs } = event.record;
  if (event.kind === 'deleted') {
    const deleted = { $case: 'deleted', value: { expired: event.isExpired } } as const;
    return { ...head, event: deleted, version: versionText(version), expireTime: undefined };
  }
  return {
    ...head,
    event: { $case: 'value', value: bytesOf(content) },
    version: versionText(version),
    expireTime: optionalTime(expiresAtMs),
  };
}

/** A view of the bytes of a value. */
function bytesOf(content: Content): Buffer {
  if (content.kind !== 'value') return Buffer.alloc(0);
  const { buffer, byteOffset, byteLength } = content.bytes;
  return Buffer.from(buffer, byteOffset, byteLength);
}

function optionalTime(ms: number | undefined) {
  return ms === undefined ? undefined : timestampToWire(ms);
}
