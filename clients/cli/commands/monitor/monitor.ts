/** Commands that show the whole ring. */
import type { Command } from 'commander';
import type { NodeStats, Peer, PeerView, RingVerdict, TopologyEvent } from '../../../sdk/index.js';
import { wholeNumber } from '../../numbers.js';
import { CommandFailure, EXIT, printRecord, say } from '../../output.js';
import { withNode, type Session } from '../../session.js';

export function addMonitorCommands(program: Command): void {
  program
    .command('ring')
    .description('show every peer with its neighbours, in ring order, as they say themselves')
    .action(async (_: object, command: Command) => withNode(command, showRing));
  program
    .command('check')
    .description('judge the live ring; exit code 0 only when it is legal')
    .action(async (_: object, command: Command) => withNode(command, check));
  program
    .command('trace')
    .description('show the way of a lookup, hop by hop')
    .argument('[key]', 'the key')
    .option('--ring-id <number>', 'a position instead of a key', wholeNumber(0))
    .option('--from <ring-id>', 'the peer that looks it up; default the node', wholeNumber(0))
    .action(async (key: string | undefined, flags: TraceFlags, command: Command) => {
      if ((key === undefined) === (flags.ringId === undefined)) {
        command.error('error: give either a key or --ring-id', { exitCode: EXIT.misuse });
      }
      await withNode(command, async (session) => trace(key ?? flags.ringId ?? 0, flags, session));
    });
  program
    .command('stats')
    .description('count what a node holds and has done')
    .option('--ring-id <number>', 'another node than the one asked', wholeNumber(0))
    .action(async ({ ringId }: { ringId?: number }, command: Command) =>
      withNode(command, async ({ node, json, signal }) => {
        const stats = await node.monitor.stats({ signal, ...(ringId !== undefined && { ringId }) });
        printRecord(stats, statsText(stats), json);
      }),
    );
  program
    .command('watch')
    .description('show the ring, then every change of it, until Ctrl-C')
    .action(async (_: object, command: Command) => withNode(command, watch));
}

type TraceFlags = { readonly ringId?: number; readonly from?: number };

async function showRing({ node, json, signal }: Session): Promise<void> {
  const { views, unreachable } = await node.monitor.topology({ signal });
  for (const view of views) printRecord(view, viewText(view), json);
  for (const peer of unreachable) {
    const line = `${nameOf(peer)}  does not answer`;
    printRecord({ peer, unreachable: true }, line, json);
  }
  if (!json) say(`${views.length} peers, ${unreachable.length} that do not answer`);
}

async function check({ node, json, signal }: Session): Promise<void> {
  const verdict = await node.monitor.check({ signal });
  printRecord(verdict, verdictText(verdict), json);
  if (verdict.state === 'broken') throw new CommandFailure('the ring is broken', EXIT.failed);
  if (verdict.state === 'unknown') throw new CommandFailure('no verdict', EXIT.failed);
}

function verdictText(verdict: RingVerdict): string {
  const { state, memberCount, principalCount, stable, violations, unreachable } = verdict;
  const flux = stable ? '' : ', in flux';
  const head = `${state}${flux}: ${memberCount} members, ${principalCount} principals`;
  return [
    head,
    ...violations.map(({ rule, text }) => `  ${rule}: ${text}`),
    ...unreachable.map((peer) => `  does not answer: ${nameOf(peer)}`),
  ].join('\n');
}

async function trace(
  target: string | number,
  { from }: TraceFlags,
  { node, json, signal }: Session,
): Promise<void> {
  const found = await node.monitor.trace(target, { signal, ...(from !== undefined && { from }) });
  const total = found.hops.reduce((sum, { latencyMs }) => sum + latencyMs, 0);
  const hops = found.hops.map(
    ({ peer, latencyMs }, index) => `${index + 1}  ${nameOf(peer)}  ${latencyMs.toFixed(1)} ms`,
  );
  const lines = [`0  ${nameOf(found.origin)}  looks for ${found.ringId}`, ...hops];
  printRecord(found, lines.join('\n'), json);
  if (!json) say(`${nameOf(found.owner)} owns it; ${hops.length} hops, ${total.toFixed(1)} ms`);
}

async function watch({ node, json, signal }: Session): Promise<void> {
  for await (const event of node.monitor.watch({ signal })) {
    for (const { what, peer, line } of changesOf(event)) {
      printRecord({ change: what, ...peer }, `${what.padEnd(12)} ${line}`, json);
    }
  }
}

function changesOf(
  event: TopologyEvent,
): readonly { readonly what: string; readonly peer: object; readonly line: string }[] {
  switch (event.kind) {
    case 'snapshot':
      return event.views.map((view) => ({ what: 'member', peer: view, line: viewText(view) }));
    case 'changed':
      return [{ what: 'changed', peer: event.view, line: viewText(event.view) }];
    default:
      return [{ what: event.kind, peer: { peer: event.peer }, line: nameOf(event.peer) }];
  }
}

function viewText({ peer, predecessor, successors }: PeerView): string {
  const before = predecessor === undefined ? 'nobody' : String(predecessor.ringId);
  const after = successors.map(({ ringId }) => ringId).join(' ') || 'nobody';
  return `${nameOf(peer)}  before ${before}  after ${after}`;
}

function nameOf({ ringId, address }: Peer): string {
  return `${String(ringId).padStart(10)}  ${address}`;
}

function statsText({ guestCounts, startTime, ...counts }: NodeStats): string {
  const guests = Object.entries(guestCounts).map(([name, count]) => [`guests of ${name}`, count]);
  const rows = [...Object.entries(counts), ...guests, ['startTime', startTime?.toISOString()]];
  return rows
    .map(([name, value]) => `${String(name).padEnd(16)} ${String(value ?? '')}`)
    .join('\n');
}
