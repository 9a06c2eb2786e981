/**
 * Names a process so that it is never taken for another one: by its PID, by when it started, and by
 * the boot of the machine in which it did. A PID alone comes back: in a container it is 1 every time.
 *
 * Where the system doesn't tell start and boot (no `/proc`), the PID has to do.
 */
import { readFileSync } from 'node:fs';

/** Who holds a lock, as its file name says. */
export type Holder = {
  readonly pid: number;
  /** Clock ticks from boot to start; empty where unknown. */
  readonly startTicks: string;
  /** First 8 characters of the boot ID; empty where unknown. */
  readonly boot: string;
};

const HOLDER_NAME = /^holder-(?<pid>[1-9]\d*)-(?<startTicks>\d*)-(?<boot>[0-9a-f]*)-[^-]+$/;

/** Returns the file name for this process; `suffix` tells two locks of one process apart. */
export function thisHolder(suffix: string): string {
  const { startTicks } = statOf(process.pid) ?? { startTicks: '' };
  return `holder-${process.pid}-${startTicks}-${bootOf()}-${suffix}`;
}

/** Returns whom a file name means, or undefined when it is no such name. */
export function parseHolder(name: string): Holder | undefined {
  const groups = HOLDER_NAME.exec(name)?.groups;
  if (groups === undefined) return undefined;
  const { pid = '', startTicks = '', boot = '' } = groups;
  return { pid: Number(pid), startTicks, boot };
}

/** Tells whether the very process still runs; a zombie doesn't. When in doubt, it does. */
export function isAlive(holder: Holder): boolean {
  if (holder.boot !== bootOf() || !hasProcess(holder.pid)) return false;
  const stat = statOf(holder.pid);
  if (stat === undefined) return true;
  return stat.startTicks === holder.startTicks && stat.state !== 'Z' && stat.state !== 'X';
}

function hasProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Fields 3 and 22 of `/proc/<pid>/stat`; field 2, the program's name, may contain anything. */
function statOf(pid: number): { readonly state: string; readonly startTicks: string } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  const [state = '', ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTicks = rest[18];
  return startTicks === undefined ? undefined : { state, startTicks };
}

function bootOf(): string {
  return readText('/proc/sys/kernel/random/boot_id').slice(0, 8);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
