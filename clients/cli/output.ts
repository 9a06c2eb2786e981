/** What the CLI prints and how it ends: data on stdout, talk on stderr, exit codes that mean something. */
import { CallError } from '../sdk/index.js';

export const EXIT = {
  done: 0,
  failed: 1,
  misuse: 2,
  interrupted: 130,
  /** A call that was refused: 64 + gRPC status. */
  refused: (code: number): number => 64 + code,
} as const;

/** Ends a command with a line on stderr and an exit code, where no call was refused. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Prints one record: a line for people, or one JSON object for machines. */
export function printRecord(record: object, line: string, isJson: boolean): void {
  process.stdout.write(`${isJson ? JSON.stringify(record) : line}\n`);
}

/** Writes bytes as they are. On a terminal they end their line, unless they are to stay as they are. */
export function printBytes(value: Uint8Array, isRaw = false): void {
  process.stdout.write(value);
  if (!isRaw && process.stdout.isTTY && value.length > 0 && value.at(-1) !== NEWLINE) {
    process.stdout.write('\n');
  }
}

const NEWLINE = 0x0a;

/** Text of others in one line, without what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => {
    const hex = (control.codePointAt(0) ?? 0).toString(16).padStart(2, '0');
    return SHORT_ESCAPES[control] ?? `\\x${hex}`;
  });
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** Says something that is not data. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const ADVICE: Readonly<Record<string, string>> = {
  PEER_NOT_FOUND: 'rb peers lists who is in the ring',
  PEER_NOT_MEMBER: 'the node is still joining its ring; try again in a moment',
  DIRECTORY_UNREACHABLE:
    'start the node that founded the ring; lookups and messages work without it',
  STORE_UNREACHABLE: 'etcd does not answer; reads work without it, changes when it is back',
  QUORUM_NOT_REACHED:
    'too few peers answered; try again in a moment. A write may have reached some of them',
  TABLE_FULL: 'the peers have no room left for it; delete something, or give things a --ttl',
  VALUE_TOO_LARGE: 'a value has at most 1 MiB',
  SERVICE_UNKNOWN: 'rb bind list names the services',
  NO_HEALTHY_ENDPOINT: 'rb bind list SERVICE shows its endpoints, rb bind explain says why',
  ENDPOINT_UNKNOWN: 'rb bind list SERVICE shows its endpoints',
  LEASE_EXPIRED: 'the endpoint is gone; register it again',
  FENCING_TOKEN_STALE: 'the endpoint was registered anew since; whoever did that renews it now',
  BINDER_STARTING:
    'the binder still takes the endpoints over; try again in a moment, or ask another',
  STREAM_TAKEN: '--name opens another stream between the same two peers',
  INBOX_FULL: 'somebody must read that inbox: rb inbox --server ADDRESS',
};

/** Prints what went wrong, with a line of advice, and returns the exit code. */
export function printError(thrown: unknown): number {
  if (!(thrown instanceof CallError)) {
    say(thrown instanceof Error ? thrown.message : String(thrown));
    return thrown instanceof CommandFailure ? thrown.exitCode : EXIT.failed;
  }
  say(thrown.message);
  for (const { field, description } of thrown.violations) say(`  ${field}: ${description}`);
  const advice = ADVICE[thrown.reason] ?? adviceForStatus(thrown);
  if (advice !== undefined) say(advice);
  return EXIT.refused(thrown.code);
}

function adviceForStatus({ reason, status }: CallError): string | undefined {
  if (reason !== '') return undefined;
  if (status === 'UNAVAILABLE') return 'is a node running there? npm start starts one';
  if (status === 'DEADLINE_EXCEEDED') return 'the node did not answer in time; see --timeout-ms';
  return undefined;
}
