import type { Command } from 'commander';
import type { MembershipEvent, Peer } from '../../sdk/index.js';
import { printRecord, say } from '../output.js';
import { withNode, type Session } from '../session.js';

export function addPeersCommand(program: Command): void {
  program
    .command('peers')
    .description('list the members of the ring, in ring order')
    .option('--watch', 'go on with every change', false)
    .action(async ({ watch }: { watch: boolean }, command: Command) =>
      withNode(command, async (session) => (watch ? watchPeers(session) : listPeers(session))),
    );
}

async function listPeers({ node, json, signal }: Session): Promise<void> {
  let count = 0;
  for await (const peer of node.welcome.peers({ signal })) {
    printRecord(peer, lineOf(peer), json);
    count += 1;
  }
  if (count === 0) say('no members');
}

async function watchPeers({ node, json, signal }: Session): Promise<void> {
  for await (const event of node.welcome.watch({ signal })) {
    for (const { change, peer } of changesOf(event)) {
      printRecord({ change, ...peer }, `${change.padEnd(8)} ${lineOf(peer)}`, json);
    }
  }
}

function changesOf(event: MembershipEvent): readonly { change: string; peer: Peer }[] {
  if (event.kind !== 'snapshot') return [{ change: event.kind, peer: event.peer }];
  return event.peers.map((peer) => ({ change: 'member', peer }));
}

function lineOf({ ringId, address }: Peer): string {
  return `${String(ringId).padStart(16)}  ${address}`;
}
