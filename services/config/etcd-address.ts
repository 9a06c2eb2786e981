/** Where an etcd cluster is: `etcd://host:port,host:port/prefix`. */
import { formatHostPort, isWildcard, parseHostPort } from '../host-port.js';

const SCHEME = 'etcd://';
const PREFIX_DEFAULT = '/ringbinder/';
const PREFIX_PATTERN = /^\/[\w./-]{1,200}$/;

export type EtcdAddress = {
  /** `host:port` of members of the cluster, at least one, each once. */
  readonly endpoints: readonly string[];
  /** In front of every key; begins and ends with a slash. */
  readonly prefix: string;
};

export function isEtcdAddress(text: string): boolean {
  return text.startsWith(SCHEME);
}

/** Returns undefined when it is no such address. */
export function parseEtcdAddress(text: string): EtcdAddress | undefined {
  if (!isEtcdAddress(text)) return undefined;
  const [list = '', ...path] = text.slice(SCHEME.length).split('/');
  const endpoints = list.split(',').map((part) => parseHostPort(part.trim()));
  const dialled = endpoints.flatMap((it) =>
    it === undefined || it.port === 0 || isWildcard(it.host) ? [] : [formatHostPort(it)],
  );
  if (dialled.length < endpoints.length) return undefined;
  const given = path.join('/').replace(/\/+$/, '');
  const prefix = given === '' ? PREFIX_DEFAULT : `/${given}/`;
  return PREFIX_PATTERN.test(prefix) ? { endpoints: [...new Set(dialled)], prefix } : undefined;
}
