/** The members of a cluster of etcd on loopback: where they listen, and how each is started. */
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';

export const ETCD = '/usr/bin/etcd';

export function hasEtcd(): boolean {
  return existsSync(ETCD);
}

export type EtcdMember = {
  /** Where clients reach it, `host:port`. */
  readonly client: string;
  readonly args: readonly string[];
};

/** Plans a cluster on free ports; `pathOf` names a member's data directory. */
export async function planMembers(
  count: number,
  pathOf: (name: string) => string,
): Promise<readonly EtcdMember[]> {
  const ports = await freePorts(2 * count);
  const all = Array.from({ length: count }, (_, index) => ({
    name: `etcd-${index}`,
    client: `127.0.0.1:${ports[2 * index] ?? 0}`,
    peer: `http://127.0.0.1:${ports[2 * index + 1] ?? 0}`,
  }));
  const cluster = all.map(({ name, peer }) => `${name}=${peer}`).join(',');
  return all.map(({ name, client, peer }) => {
    const options: Readonly<Record<string, string>> = {
      name,
      'data-dir': pathOf(name),
      'listen-client-urls': `http://${client}`,
      'advertise-client-urls': `http://${client}`,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': cluster,
      logger: 'zap',
      'log-level': 'error',
    };
    return { client, args: Object.entries(options).map(([option, it]) => `--${option}=${it}`) };
  });
}

/** Ports that were free a moment ago, each another one. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(
    async (server) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
      }),
  );
  const found = await Promise.all(ports);
  await Promise.all(servers.map(async (server) => new Promise((resolve) => server.close(resolve))));
  return found;
}
