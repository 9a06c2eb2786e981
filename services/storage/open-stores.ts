/** The stores of a node: in its data directory, or in memory when nothing is to be kept. */
import { createServer } from 'node:net';
import type { Config } from '../config.js';
import { defaultDataDir } from '../config/judgement.js';
import { formatHostPort, parseHostPort } from '../host-port.js';
import { StartError } from '../node/start-error.js';
import { DataDirError, openDataDir, type DataDir } from './data-dir.js';
import { openLmdbStore } from './lmdb-store.js';
import { MemoryStore } from './memory-store.js';
import type { Store } from './store.js';

export type NodeStores = {
  /** Assignments and memberships, on the node that holds the directory. */
  readonly directory: Store;
  /** What the node remembers of itself. */
  readonly node: Store;
  close(): Promise<void>;
};

export type OpenedStores = {
  readonly stores: NodeStores;
  /** Where to listen: as configured, but with a port where the data directory is named after it. */
  readonly listen: string;
};

/** Opens the stores. Throws a `StartError` when the data directory can't be had. */
export async function openStores(config: Config): Promise<OpenedStores> {
  if (config.store === 'memory') return { stores: memoryStores(), listen: config.listen };
  if (config.dataDir !== undefined) {
    return { stores: await lmdbStores(config.dataDir), listen: config.listen };
  }
  const listen = await withPort(config.listen);
  return { stores: await lmdbStores(defaultDataDir(listen)), listen };
}

function memoryStores(): NodeStores {
  const directory = new MemoryStore();
  const node = new MemoryStore();
  return {
    directory,
    node,
    close: async () => {
      await directory.close();
      await node.close();
    },
  };
}

async function lmdbStores(path: string): Promise<NodeStores> {
  const dataDir = lockedDataDir(path);
  try {
    const directory = await openLmdbStore(dataDir.directoryStorePath);
    const node = await openLmdbStore(dataDir.nodeStorePath);
    return {
      directory,
      node,
      close: async () => {
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
