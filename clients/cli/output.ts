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

/** Prints one record: a line for people, or one JSON object for machines. */
export function printRecord(record: object, line: string, isJson: boolean): void {
  process.stdout.write(`${isJson ? JSON.stringify(record) : line}\n`);
}

/** Says something that is not data. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const ADVICE: Readonly<Record<string, string>> = {
  PEER_NOT_FOUND: 'rb peers lists who is in the ring',
  PEER_NOT_MEMBER: 'the node is still joining its ring; try again in a moment',
  DIRECTORY_UNREACHABLE:
    'start the node that founded the ring; lookups and messages work without it',
  INBOX_FULL: 'somebody must read that inbox: rb inbox --server ADDRESS',
};

/** Prints what went wrong, with a line of advice, and returns the exit code. */
export function printError(thrown: unknown): number {
  if (!(thrown instanceof CallError)) {
    say(thrown instanceof Error ? thrown.message : String(thrown));
    return EXIT.failed;
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
