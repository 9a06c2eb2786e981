import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { wholeNumber } from '../numbers.js';
import { printRecord, say } from '../output.js';
import { withNode } from '../session.js';

type SendOptions = { readonly file?: string; readonly messageId?: string };

export function addSendCommand(program: Command): void {
  program
    .command('send')
    .description('send a message to the peer with exactly this ring ID')
    .argument('<ring-id>', 'ring ID of the receiver', wholeNumber(0))
    .argument('[text]', 'the message; - or nothing reads stdin')
    .option('--file <path>', 'send the bytes of a file')
    .option('--message-id <id>', 'a name for the message; a repeat with it arrives once')
    .action(
      async (ringId: number, text: string | undefined, options: SendOptions, command: Command) =>
        withNode(command, async ({ node, json, signal }) => {
          const payload = await payloadOf(text, options.file);
          const { messageId } = options;
          const named = messageId === undefined ? {} : { messageId };
          const receipt = await node.peer.send(ringId, payload, { signal, ...named });
          printRecord(receipt, receipt.messageId, json);
          if (!json) say(`path ${receipt.path.map((peer) => peer.ringId).join(' > ')}`);
        }),
    );
}

async function payloadOf(text: string | undefined, file: string | undefined): Promise<Buffer> {
  if (file !== undefined) return readFile(file);
  return text === undefined || text === '-' ? buffer(process.stdin) : Buffer.from(text, 'utf8');
}
