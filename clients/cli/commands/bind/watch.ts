import type { Command } from 'commander';
import type { ServiceEvent } from '../../../sdk/index.js';
import { wholeNumber } from '../../numbers.js';
import { printable, printRecord, say } from '../../output.js';
import { withBinders } from '../../session.js';
import { endpointLine } from './shared.js';

export function addWatchCommand(bind: Command): void {
  bind
    .command('watch')
    .description('print the endpoints of a service, then every change')
    .argument('<service>', 'name of the service')
    .option(
      '--count <number>',
      'end after so many events; the first is all endpoints',
      wholeNumber(1),
    )
    .action(async (service: string, { count }: { readonly count?: number }, command: Command) =>
      withBinders(command, async ({ binders, json, signal }) => {
        if (!json) say(`watching ${printable(service)}; Ctrl-C ends`);
        const onLost = ({ message }: Error): void => say(`${message}; trying again`);
        let left = count ?? Number.POSITIVE_INFINITY;
        for await (const event of binders.watch(service, { signal, onLost })) {
          print(event, json);
          left -= 1;
          if (left <= 0) break;
        }
      }),
    );
}

/** For people: `=` is there from the start, then `+` added, `~` changed, `-` removed. */
function print(event: ServiceEvent, isJson: boolean): void {
  if (isJson) printRecord(event, '', isJson);
  else for (const line of eventLines(event)) printRecord(event, line, isJson);
}

function eventLines(event: ServiceEvent): readonly string[] {
  switch (event.kind) {
    case 'snapshot':
      return event.endpoints.map((endpoint) => `= ${endpointLine(endpoint)}`);
    case 'added':
      return [`+ ${endpointLine(event.endpoint)}`];
    case 'changed':
      return [`~ ${endpointLine(event.endpoint)}`];
    case 'removed': {
      const { check = '', outcome = '', rule = '' } = event.evidence ?? {};
      const why = [check, outcome, rule].filter((word) => word !== '').join(', ');
      return [printable(`- ${event.endpoint.address}${why === '' ? '' : `  ${why}`}`)];
    }
  }
}
