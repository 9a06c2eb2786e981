/**
 * Addresses as `host:port`, the form in which peers are named everywhere.
 *
 * An address decides which ring ID a peer gets, so one place has one spelling: lower case, IPv6
 * in brackets and in its shortest form.
 */
import { isIPv4, isIPv6 } from 'node:net';

export type HostPort = {
  /** IPv6 without brackets. */
  readonly host: string;
  /** 0…65535; 0 asks the system for a free one. */
  readonly port: number;
};

/** IPv6 in brackets, or what has no colon; then the port, without leading zeros. */
const HOST_PORT = /^(?:\[(?<inner>[^\]]+)\]|(?<outer>[^:[\]]+)):(?<port>0|[1-9]\d{0,4})$/;
const HOST_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$/;
const PORT_MAX = 65_535;

/** Returns the parts in their one spelling, or undefined when the text is no `host:port`. */
export function parseHostPort(text: string): HostPort | undefined {
  const { inner, outer, port } = HOST_PORT.exec(text.toLowerCase())?.groups ?? {};
  const host = inner === undefined ? hostOf(outer ?? '') : ipv6Of(inner);
  if (host === undefined || Number(port) > PORT_MAX) return undefined;
  return { host, port: Number(port) };
}

/** Returns the text that `parseHostPort` reads. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine reaches the host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Whether the host means every address of the machine: good for listening, not for dialling. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function hostOf(host: string): string | undefined {
  const isNumeric = /^[\d.]+$/.test(host);
  return (isNumeric ? isIPv4(host) : HOST_NAME.test(host)) ? host : undefined;
}

/** A zone (`%eth0`) stays as it is written: a URL has no form for it. */
function ipv6Of(host: string): string | undefined {
  if (!isIPv6(host)) return undefined;
  return host.includes('%') ? host : new URL(`http://[${host}]`).hostname.slice(1, -1);
}
