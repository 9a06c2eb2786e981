import { Option, type Command } from 'commander';
import type { RingNeighbor, RingRow } from '../../../../services/legacy/core/session.js';
import {
  baseTableIn,
  departureIn,
  entryIn,
  hostIn,
  membersIn,
  ringIdIn,
  tableIn,
} from '../../../../services/legacy/ring/reply-codec.js';
import { requestLine } from '../../../../services/legacy/ring/request-codec.js';
import { wholeNumber } from '../../numbers.js';
import { CommandFailure, EXIT, printable, printRecord, say } from '../../output.js';
import { runCommand } from '../../session.js';
import { hostPort, hostText, textOf, type Where } from './addresses.js';
import { askLine, isEnd, isFirst, type Asking } from './line-questions.js';

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const RING_ID_MAX = 2 ** 31 - 1;

type WelcomeFlags = { readonly welcome: Where };
type JoinFlags = WelcomeFlags & { readonly hash: Where };
type TableFlags = WelcomeFlags & { readonly monitorPort: number };

const EXAMPLES = `
Examples:
  $ rb legacy ring list                     # who is in the ring of 127.0.0.1:8000?
  $ rb legacy ring base-table 5             # the table that 5 should have
  $ rb legacy ring table 5                  # the table that it has
  $ rb legacy ring join 10.9.0.1            # a ring ID, and whom to enter by
  $ rb legacy ring leave 5 --welcome 10.9.0.1:8000`;

export function addRingCommands(legacy: Command): void {
  const ring = legacy
    .command('ring')
    .description('servers and peers of an old ring, over TCP')
    .addHelpText('after', EXAMPLES);
  const ringId = wholeNumber(0, RING_ID_MAX);
  ring
    .command('list')
    .description('list the members that a WelcomeServer knows')
    .addOption(welcomeOption())
    .action(async (flags: WelcomeFlags, command: Command) =>
      runCommand(command, async (asking) => list(flags, asking)),
    );
  ring
    .command('table')
    .description('print the table of a peer, which it is asked for itself')
    .argument('<ring-id>', 'its ring ID', ringId)
    .addOption(welcomeOption())
    .option('--monitor-port <port>', 'where peers answer monitors', wholeNumber(1, 65_535), 8_002)
    .action(async (it: number, flags: TableFlags, command: Command) =>
      runCommand(command, async (asking) => table(it, flags, asking)),
    );
  ring
    .command('base-table')
    .description('print the table that a peer should have, as a WelcomeServer sees it')
    .argument('<ring-id>', 'its ring ID', ringId)
    .addOption(welcomeOption())
    .action(async (it: number, flags: WelcomeFlags, command: Command) =>
      runCommand(command, async (asking) => baseTable(it, flags, asking)),
    );
  ring
    .command('join')
    .description('enter a host as a new peer; prints its ring ID, and its entry member or "first"')
    .argument('<host>', 'its IPv4 address, or its name', hostText)
    .addOption(welcomeOption())
    .addOption(serverOption('--hash <host:port>', 'the HashServer', 8_001))
    .action(async (host: string, flags: JoinFlags, command: Command) =>
      runCommand(command, async (asking) => join(host, flags, asking)),
    );
  ring
    .command('leave')
    .description('take a peer out of the list of a WelcomeServer')
    .argument('<ring-id>', 'its ring ID', ringId)
    .addOption(welcomeOption())
    .action(async (it: number, flags: WelcomeFlags, command: Command) =>
      runCommand(command, async (asking) => leave(it, flags, asking)),
    );
}

async function list({ welcome }: WelcomeFlags, asking: Asking): Promise<void> {
  const lines = await askLine(welcome, requestLine({ kind: 'list' }), isEnd, asking);
  const members = membersIn(lines) ?? brokenOff('list', welcome);
  for (const member of members) printRecord(member, neighborText(member), asking.json);
  if (members.length === 0 && !asking.json) say('no members');
}

async function table(
  ringId: number,
  { welcome, monitorPort }: TableFlags,
  asking: Asking,
): Promise<void> {
  const found = hostIn(
    await askLine(welcome, requestLine({ kind: 'host', ringId }), isFirst, asking),
  );
  if (found === 'refused') throw refusedBy(welcome);
  if (found === 'unknown' || found === undefined) throw unknown(ringId, welcome);
  const peer = { host: found.host, port: monitorPort };
  const lines = await askLine(peer, requestLine({ kind: 'table' }), isEnd, asking);
  printRows(tableIn(lines) ?? brokenOff('table', peer), asking);
}

async function baseTable(ringId: number, { welcome }: WelcomeFlags, asking: Asking): Promise<void> {
  const line = requestLine({ kind: 'base-table', ringId });
  const isLast = (it: string): boolean => isEnd(it) || typeof baseTableIn([it]) === 'string';
  const rows = baseTableIn(await askLine(welcome, line, isLast, asking));
  if (rows === 'refused') throw refusedBy(welcome);
  if (rows === 'unknown') throw unknown(ringId, welcome);
  printRows(rows ?? brokenOff('table', welcome), asking);
}

async function join(host: string, { welcome, hash }: JoinFlags, asking: Asking): Promise<void> {
  const ringId = ringIdIn(await askLine(hash, host, isFirst, asking));
  if (ringId === undefined) brokenOff('ring ID', hash);
  if (ringId === 'full') {
    const text = `the HashServer at ${textOf(hash)} has no ring ID left`;
    throw new CommandFailure(text, EXIT.refused(RESOURCE_EXHAUSTED));
  }
  const line = requestLine({ kind: 'enter', ringId, host });
  const entry = entryIn(await askLine(welcome, line, isFirst, asking));
  if (entry === undefined) brokenOff('entry', welcome);
  if (entry === 'refused') {
    const why = `refuses ring ID ${ringId}; is it in the list already? rb legacy ring leave frees it`;
    throw new CommandFailure(
      `the WelcomeServer at ${textOf(welcome)} ${why}`,
      EXIT.refused(INVALID_ARGUMENT),
    );
  }
  const isFirstMember = entry === 'first';
  const text = `${ringIdText(ringId)}  ${isFirstMember ? entry : printable(entry.entry)}`;
  printRecord({ ringId, entry: isFirstMember ? null : entry.entry }, text, asking.json);
}

async function leave(ringId: number, { welcome }: WelcomeFlags, asking: Asking): Promise<void> {
  const line = requestLine({ kind: 'leave', ringId });
  const outcome = departureIn(await askLine(welcome, line, isFirst, asking));
  if (outcome === undefined) brokenOff('answer', welcome);
  if (outcome === 'refused') {
    const text = `the WelcomeServer at ${textOf(welcome)} refuses: ${ringId} is no member`;
    throw new CommandFailure(text, EXIT.refused(INVALID_ARGUMENT));
  }
  printRecord({ ringId, outcome }, `${ringIdText(ringId)}  ${outcome}`, asking.json);
}

function printRows(rows: readonly RingRow[], { json }: Asking): void {
  for (const row of rows) {
    printRecord(row, `${ringIdText(row.start)}  ${neighborText(row.successor)}`, json);
  }
  if (rows.length === 0 && !json) say('an empty table');
}

function neighborText({ ringId, host }: RingNeighbor): string {
  return `${ringIdText(ringId)}  ${printable(host)}`;
}

function ringIdText(ringId: number): string {
  return String(ringId).padStart(10);
}

/** Throws: what came is none. */
function brokenOff(what: string, from: Where): never {
  throw new CommandFailure(`what ${textOf(from)} sends is no ${what}`, EXIT.failed);
}

function unknown(ringId: number, welcome: Where): CommandFailure {
  const text = `the WelcomeServer at ${textOf(welcome)} knows no member ${ringId}`;
  return new CommandFailure(text, EXIT.refused(NOT_FOUND));
}

function refusedBy(welcome: Where): CommandFailure {
  const text = `the WelcomeServer at ${textOf(welcome)} refuses the request`;
  return new CommandFailure(text, EXIT.refused(INVALID_ARGUMENT));
}

function welcomeOption(): Option {
  return serverOption('--welcome <host:port>', 'the WelcomeServer', 8_000);
}

function serverOption(flags: string, text: string, port: number): Option {
  const where = { host: '127.0.0.1', port };
  return new Option(flags, text).argParser(hostPort).default(where, textOf(where));
}
