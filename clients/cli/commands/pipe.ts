import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { PeerStream, Ringbinder } from '../../sdk/index.js';
import { EXIT, printable, say } from '../output.js';
import { withNode } from '../session.js';

const EXAMPLES = `
What comes on stdin goes to the other end, what comes from there goes to stdout. The end of stdin ends one
direction; the command ends when both have ended.

Examples:
  $ rb pipe --accept --server 127.0.0.1:7410 > copy     # at one node
  $ rb pipe 127.0.0.1:7410 < film                       # at another
  $ rb pipe 1183 --name chat                            # by ring ID; one of several streams
  $ rb pipe --raw 10.0.0.9:80                           # any TCP port, dialled by the node`;

type PipeFlags = { readonly accept?: true; readonly raw?: string; readonly name: string };

export function addPipeCommand(program: Command): void {
  program
    .command('pipe')
    .description('connect stdin and stdout with another peer')
    .argument('[ring-id|address]', 'the other peer')
    .option('--accept', 'take the next stream that another peer opens')
    .option('--raw <host:port>', 'dial a program that speaks raw TCP, from the node')
    .option('--name <name>', 'which of several streams between the same two peers', '')
    .addHelpText('after', EXAMPLES)
    .action(async (target: string | undefined, flags: PipeFlags, command: Command) => {
      const ways = [target, flags.accept, flags.raw].filter((way) => way !== undefined);
      if (ways.length !== 1) {
        const text = 'error: give one of a ring ID or an address, --accept, and --raw';
        command.error(text, { exitCode: EXIT.misuse });
      }
      await withNode(command, async ({ node, json, signal }) => {
        const stream = streamOf(node, target, flags);
        const giveUp = (): void => void stream.destroy();
        signal.addEventListener('abort', giveUp);
        if (flags.accept && !json) say(`waiting for a stream to ${node.address}; Ctrl-C ends`);
        const peer = await stream.connect();
        say(json ? JSON.stringify(peer) : `connected with ${printable(peer.address)}`);
        await joinStdio(stream, signal);
      });
    });
}

/** One direction may end long before the other: a single pipeline would end both with the first. */
async function joinStdio(stream: PeerStream, signal: AbortSignal): Promise<void> {
  await Promise.all([
    pipeline(process.stdin, stream, { signal }),
    pipeline(stream, process.stdout, { signal }),
  ]);
  if (!stream.closed) await once(stream, 'close');
}

/** A number is a ring ID: an address has a port. */
function streamOf(
  { peer }: Ringbinder,
  target: string | undefined,
  { raw, name }: PipeFlags,
): PeerStream {
  if (raw !== undefined) return peer.stream(`pair://${raw}`, { name });
  if (target === undefined) return peer.acceptStream({ name });
  return peer.stream(/^\d+$/.test(target) ? Number(target) : target, { name });
}
