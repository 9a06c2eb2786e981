/** What the kernel says of UDP sockets: /proc/net/udp and udp6. */
import { readFileSync } from 'node:fs';

export type UdpQueue = {
  /** Bytes that wait to be read, as the kernel counts them: with what it needs to keep them. */
  readonly queuedBytes: number;
  /** Datagrams that found no room, since the socket was opened. */
  readonly dropped: number;
};

/** Of all sockets on these ports of this machine, together. */
export function udpQueues(ports: readonly number[]): UdpQueue {
  const queues = ['/proc/net/udp', '/proc/net/udp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .flatMap((line) => queueIn(line, ports)),
  );
  return {
    queuedBytes: queues.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
    dropped: queues.reduce((sum, { dropped }) => sum + dropped, 0),
  };
}

function queueIn(line: string, ports: readonly number[]): readonly UdpQueue[] {
  const columns = line.trim().split(/\s+/);
  const port = Number.parseInt(columns[1]?.split(':')[1] ?? '', 16);
  if (!ports.includes(port)) return [];
  const queuedBytes = Number.parseInt(columns[4]?.split(':')[1] ?? '', 16);
  return [{ queuedBytes, dropped: Number(columns.at(-1)) }];
}
