import type { Command } from 'commander';
import type { WantEvent } from '../../../sdk/index.js';
import { wholeNumber } from '../../numbers.js';
import { printable, printRecord, say } from '../../output.js';
import { withNode } from '../../session.js';
import { base64 } from './shared.js';

export function addWantCommand(dht: Command): void {
  dht
    .command('want')
    .description('print the value of a key as soon as there is one, then every change')
    .argument('<key>', 'the key')
    .option('--count <number>', 'end after so many values and deletions', wholeNumber(1))
    .action(async (key: string, { count }: { count?: number }, command: Command) =>
      withNode(command, async ({ node, json, signal }) => {
        if (!json) say(`waiting for ${printable(key)}; Ctrl-C ends`);
        const onLost = ({ message }: Error): void => say(`${message}; trying again`);
        let left = count ?? Number.POSITIVE_INFINITY;
        for await (const event of node.dht.want(key, { signal, onLost })) {
          print(event, json);
          left -= 1;
          if (left <= 0) return;
        }
      }),
    );
}

/** For people, stdout has values only, each in one line. */
function print(event: WantEvent, isJson: boolean): void {
  if (event.kind === 'value') {
    const record = { ...event, value: base64(event.value) };
    printRecord(record, printable(Buffer.from(event.value).toString('utf8')), isJson);
  } else if (isJson) {
    printRecord(event, '', isJson);
  } else {
    say(event.isExpired === true ? 'expired' : 'deleted');
  }
}
