/**
 * What options say together: which exclude each other, and which values follow from others.
 *
 * Judged before anything is dialled or opened. A value that was bad is missing here, and nothing is
 * said about it.
 */
import {
  formatHostPort,
  isLoopback,
  isWildcard,
  parseHostPort,
  type HostPort,
} from '../host-port.js';
import type { StoreChoice } from './kinds.js';

/** The options that depend on each other. */
export type Values = {
  readonly listen?: string | undefined;
  readonly advertise?: string | undefined;
  readonly join?: readonly string[] | undefined;
  readonly dataDir?: string | undefined;
  readonly ephemeral?: boolean | undefined;
  readonly store?: StoreChoice | undefined;
  readonly insecureListen?: boolean | undefined;
  readonly copies?: number | undefined;
  readonly successorsMax?: number | undefined;
};

/** How the person who started the node named an option, flag or variable; none for a default. */
export type Names = { readonly [Key in keyof Values]?: string | undefined };

export type Judgement = {
  readonly conflicts: readonly string[];
  readonly warnings: readonly string[];
  /** Values that replace those given. */
  readonly completed: Values;
};

/** Judges what was given, with every default filled in. */
export function judge(values: Values, names: Names): Judgement {
  const parts = [
    judgeKeeping(values, names),
    judgeListening(values, names),
    judgeJoining(values, names),
    judgeCopies(values, names),
  ];
  return {
    conflicts: parts.flatMap(({ conflicts }) => conflicts ?? []),
    warnings: parts.flatMap(({ warnings }) => warnings ?? []),
    completed: parts.reduce<Values>((all, { completed }) => ({ ...all, ...completed }), {}),
  };
}

/** Copies are kept by an owner and its successors. */
function judgeCopies({ copies, successorsMax }: Values, names: Names): Partial<Judgement> {
  if (copies === undefined || successorsMax === undefined || copies <= successorsMax + 1) return {};
  const name = names.copies ?? '--copies';
  return { conflicts: [`${name}: must be at most ${successorsMax + 1}, one more than successors`] };
}

/** Where a node that listens on an address keeps what must survive, unless it is told. */
export function defaultDataDir(listen: string): string {
  return `./.ringbinder/${listen}`;
}

function judgeKeeping(values: Values, names: Names): Partial<Judgement> {
  const { listen, dataDir, ephemeral, store } = values;
  const ephemeralName = names.ephemeral ?? '--ephemeral';
  if (ephemeral === true && store === 'lmdb' && names.store !== undefined) {
    return { conflicts: [`${ephemeralName} and ${names.store} lmdb exclude each other`] };
  }
  if (ephemeral !== true && store !== 'memory') {
    const hasPort = listen !== undefined && portOf(listen) !== 0;
    return hasPort ? { completed: { dataDir: dataDir ?? defaultDataDir(listen) } } : {};
  }
  if (dataDir === undefined) {
    const isShared = typeof store === 'object';
    return { completed: { ephemeral: true, ...(isShared ? {} : { store: 'memory' }) } };
  }
  const one = ephemeral === true ? ephemeralName : `${names.store ?? '--store'} memory`;
  return { conflicts: [`${one} and ${names.dataDir ?? '--data-dir'} exclude each other`] };
}

function judgeListening(values: Values, names: Names): Partial<Judgement> {
  const { listen, advertise, join = [], insecureListen } = values;
  const host = listen === undefined ? undefined : parseHostPort(listen)?.host;
  if (listen === undefined || host === undefined || isLoopback(host)) return {};
  const name = `${names.listen ?? '--listen'} ${listen}`;
  const conflicts: string[] = [];
  if (insecureListen === false) {
    conflicts.push(
      `${name} can be reached from other machines, without TLS; --insecure-listen allows that`,
    );
  }
  if (!isWildcard(host) || advertise !== undefined) return { conflicts };
  const undiallable = `${name} can't be dialled; --advertise says where others reach this node`;
  if (join.length === 0) return { conflicts, warnings: [undiallable] };
  return { conflicts: [...conflicts, undiallable] };
}

function judgeJoining({ listen, advertise, join = [] }: Values, names: Names): Partial<Judgement> {
  const own = listen === undefined ? undefined : parseHostPort(listen);
  const others = join.filter((address) => !(address === advertise || isOwn(address, own)));
  if (others.length === join.length) return {};
  const name = names.join ?? '--join';
  const itself = join.filter((address) => !others.includes(address)).join(', ');
  if (others.length === 0) return { conflicts: [`${name} ${itself} is this node itself`] };
  const warnings = [`${name} ${itself} is this node itself; only the others are asked`];
  return { warnings, completed: { join: others } };
}

/** Whether dialling an address leads back to where we listen. */
function isOwn(address: string, own: HostPort | undefined): boolean {
  const dialled = parseHostPort(address);
  if (own === undefined || dialled === undefined || own.port !== dialled.port) return false;
  if (formatHostPort(dialled) === formatHostPort(own)) return true;
  const isSelfByName = (name: string, host: string): boolean =>
    name === 'localhost' && (host === '127.0.0.1' || host === '::1');
  return (
    (isWildcard(own.host) && isLoopback(dialled.host)) ||
    isSelfByName(own.host, dialled.host) ||
    isSelfByName(dialled.host, own.host)
  );
}

function portOf(address: string): number | undefined {
  return parseHostPort(address)?.port;
}
