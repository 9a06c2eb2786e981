/** Where legacy programs are: numeric addresses, where their formats have no names. */
import { isIPv4, isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';

export type Where = { readonly host: string; readonly port: number };

export function ipv4Address(text: string): Where {
  const where = addressIn(text);
  if (where !== undefined && isIPv4(where.host)) return where;
  throw new InvalidArgumentError('must be an IPv4 address and a port, such as 127.0.0.1:7403');
}

export function ipv6Address(text: string): Where {
  const where = addressIn(text);
  if (where !== undefined && isIPv6(where.host)) return where;
  throw new InvalidArgumentError('must be an IPv6 address and a port, such as [::1]:7401');
}

export function ipAddress(text: string): Where {
  const where = addressIn(text);
  if (where !== undefined) return where;
  throw new InvalidArgumentError(
    'must be an IP address and a port, such as 127.0.0.1:7402 or [::1]:7402',
  );
}

/** A name will do as well. */
export function hostPort(text: string): Where {
  const [, inner, outer, digits] = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = inner ?? outer;
  const port = Number(digits);
  if (host !== undefined && port > 0 && port < 65_536) return { host, port };
  throw new InvalidArgumentError('must be a host and a port, such as 127.0.0.1:8000');
}

/** A host as a field of a line. */
export function hostText(text: string): string {
  if (/^[^:\s]+$/.test(text)) return text;
  throw new InvalidArgumentError('must be an IPv4 address or a name: no colons, no spaces');
}

export function textOf({ host, port }: Where): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where to speak from: loopback to a program there, for some are known by where they speak from. */
export function localHostFor({ host }: Where): string {
  if (isIPv6(host)) return host === '::1' ? '::1' : '::';
  return host.startsWith('127.') ? '127.0.0.1' : '0.0.0.0';
}

function addressIn(text: string): Where | undefined {
  const [, inner, outer, digits] = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? [];
  const isAddress = inner === undefined ? isIPv4(outer ?? '') : isIPv6(inner);
  const port = Number(digits);
  if (!isAddress || port < 1 || port > 65_535) return undefined;
  return { host: inner ?? outer ?? '', port };
}
