/** Addresses of this machine. */
import { networkInterfaces } from 'node:os';

/** Whether an address, without brackets, is one of this machine's. */
export function isOwnHost(host: string): boolean {
  const all = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  return all.some(({ address }) => address === host);
}
