/** Where a legacy program is, and what it calls a host. */
import { InvalidArgumentError } from 'commander';

/** IPv6 without brackets. */
export type Where = { readonly host: string; readonly port: number };

export function hostPort(text: string): Where {
  const [, inner, outer, port] = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = inner ?? outer;
  if (host !== undefined && Number(port) > 0 && Number(port) < 65_536) {
    return { host, port: Number(port) };
  }
  throw new InvalidArgumentError('must be a host and a port, such as 127.0.0.1:8000');
}

/** A host as a field of a line. */
export function hostText(text: string): string {
  if (/^[^:\s]+$/.test(text)) return text;
  throw new InvalidArgumentError('must be an IPv4 address or a name: no colons, no spaces');
}

export function whereText({ host, port }: Where): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
