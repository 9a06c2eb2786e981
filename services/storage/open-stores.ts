/** The stores of a node: in its data directory, or in memory when nothing is to be kept. */
import { createServer } from 'node:net';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import type { EtcdAddress } from '../config/etcd-address.js';
import { defaultDataDir } from '../config/judgement.js';
import { RingbinderError } from '../errors.js';
import { formatHostPort, parseHostPort } from '../host-port.js';
import { StartError } from '../node/start-error.js';
import { MemoryTable } from '../dht/core/memory-table.js';
import type { Table } from '../dht/core/table.js';
import { systemClock } from '../system/clock.js';
import { turnEnd } from '../system/turn.js';
import { DataDirError, openDataDir, type DataDir } from './data-dir.js';
import { openEtcdStore } from './etcd-store.js';
import { openLmdbStore } from './lmdb-store.js';
import { openLmdbTable, type LmdbTable, type LmdbTableOptions } from './lmdb-table.js';
import { MemoryStore } from './memory-store.js';
import type { Store } from './store.js';

/** Whoever starts a node is told when etcd takes longer to answer. */
const LATE_MS = 1_000;

export type NodeStores = {
  /** Assignments and memberships, on the nodes that hold the directory. */
  readonly directory: Store;
  /** What the node remembers of itself. */
  readonly node: Store;
  /** Opens the table of a ring; closed with the stores. Throws a `StartError`. */
  readonly openTable: (options: LmdbTableOptions) => Promise<Table>;
  close(): Promise<void>;
};

export type OpenedStores = {
  readonly stores: NodeStores;
  /** Where to listen: as configured, but with a port where the data directory is named after it. */
  readonly listen: string;
};

/** Opens the stores. Throws a `StartError` when the data directory or the etcd can't be had. */
export async function openStores(config: Config, log: Logger): Promise<OpenedStores> {
  const { store } = config;
  const shared = typeof store === 'object' ? await openShared(store, config, log) : undefined;
  try {
    return await openOwn(config, shared, log);
  } catch (thrown) {
    await shared?.close();
    throw thrown;
  }
}

/** `shared` is the directory of several nodes; without one, this node keeps its own. */
async function openOwn(
  config: Config,
  shared: Store | undefined,
  log: Logger,
): Promise<OpenedStores> {
  const { ephemeral, dataDir } = config;
  if (ephemeral) return { stores: memoryStores(shared), listen: config.listen };
  const listen = dataDir === undefined ? await withPort(config.listen) : config.listen;
  const path = dataDir ?? defaultDataDir(listen);
  const openDirectory = async (directoryPath: string): Promise<Store> =>
    shared ?? openLmdbStore(directoryPath, { log });
  return { stores: await lmdbStores(path, openDirectory), listen };
}

async function openShared(
  address: EtcdAddress,
  { joinTimeoutMs }: Config,
  log: Logger,
): Promise<Store> {
  const { endpoints } = address;
  const cancel = systemClock.after(LATE_MS, () => {
    log.warn({ endpoints, joinTimeoutMs }, 'etcd does not answer yet; waiting for it');
  });
  try {
    return await openEtcdStore({ ...address, openTimeoutMs: joinTimeoutMs, log });
  } catch (thrown) {
    const why = RingbinderError.from(thrown).text;
    throw new StartError(`${why}; waited for ${joinTimeoutMs} ms`, thrown);
  } finally {
    cancel();
  }
}

function memoryStores(shared: Store | undefined): NodeStores {
  const directory = shared ?? new MemoryStore();
  const node = new MemoryStore();
  return {
    directory,
    node,
    openTable: async (options) => new MemoryTable({ ...options, later: atTurnEnd }),
    close: async () => {
      await directory.close();
      await node.close();
    },
  };
}

async function lmdbStores(
  path: string,
  openDirectory: (path: string) => Promise<Store>,
): Promise<NodeStores> {
  const dataDir = lockedDataDir(path);
  try {
    const directory = await openDirectory(dataDir.directoryStorePath);
    const node = await openLmdbStore(dataDir.nodeStorePath);
    let table: LmdbTable | undefined;
    return {
      directory,
      node,
      openTable: async (options) => {
        table = await openTableIn(path, dataDir.recordStorePath, options);
        return table;
      },
      close: async () => {
        await table?.close();
        await directory.close();
        await node.close();
        dataDir.release();
      },
    };
  } catch (thrown) {
    dataDir.release();
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new StartError(`the data in ${path} can't be opened: ${why}`, thrown);
  }
}

async function openTableIn(
  path: string,
  directory: string,
  options: LmdbTableOptions,
): Promise<LmdbTable> {
  try {
    return await openLmdbTable(directory, options);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new StartError(`the table in ${path} can't be opened: ${why}`, thrown);
  }
}

function atTurnEnd(act: () => void): void {
  void turnEnd().then(act);
}

function lockedDataDir(path: string): DataDir {
  try {
    return openDataDir(path);
  } catch (thrown) {
    if (thrown instanceof DataDirError) throw new StartError(thrown.message, thrown);
    throw thrown;
  }
}

/** Lets the system choose a port, so that it is known before anything is opened. */
async function withPort(listen: string): Promise<string> {
  const { host } = parseHostPort(listen) ?? { host: '127.0.0.1' };
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject).listen({ host, port: 0 }, resolve);
  });
  const bound = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const port = bound === null || typeof bound === 'string' ? 0 : bound.port;
  return formatHostPort({ host, port });
}
