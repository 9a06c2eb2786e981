import type { Command } from 'commander';
import { printable, printRecord } from '../../output.js';
import { withBinders } from '../../session.js';
import { sayDoubts } from './shared.js';

export function addResolveCommand(bind: Command): void {
  bind
    .command('resolve')
    .description('print the address of a healthy endpoint, the next in rotation')
    .argument('<service>', 'name of the service')
    .action(async (service: string, _flags: object, command: Command) =>
      withBinders(command, async ({ binders, json, signal }) => {
        const resolution = await binders.resolve(service, { signal });
        printRecord(resolution, printable(resolution.endpoint.address), json);
        if (!json) sayDoubts(resolution);
      }),
    );
}
