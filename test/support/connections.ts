/** TCP connections of processes of ours, as Linux lists them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const ESTABLISHED = '01';

/** How many established connections a process has dialled to a port. */
export function connectionsTo(port: number, pid: number): number {
  const inodes = socketInodesOf(pid);
  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote = '', state, , , , , , inode = '']) => {
      const remotePort = Number.parseInt(remote.split(':')[1] ?? '', 16);
      return remotePort === port && state === ESTABLISHED && inodes.has(inode);
    }).length;
}

function socketInodesOf(pid: number): ReadonlySet<string> {
  const folder = `/proc/${pid}/fd`;
  const links = readdirSync(folder).map((name) => {
    try {
      return readlinkSync(`${folder}/${name}`);
    } catch {
      return '';
    }
  });
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.slice(1) ?? []));
}
