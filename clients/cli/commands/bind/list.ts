import type { Command } from 'commander';
import type { ServiceSummary } from '../../../sdk/index.js';
import { printable, printRecord, say } from '../../output.js';
import { withBinders, type BinderSession } from '../../session.js';
import { endpointLine } from './shared.js';

export function addListCommand(bind: Command): void {
  bind
    .command('list')
    .description('list the services, or the endpoints of one')
    .argument('[service]', 'name of a service')
    .action(async (service: string | undefined, _flags: object, command: Command) =>
      withBinders(command, async (session) => {
        const count = await (service === undefined
          ? listServices(session)
          : listEndpoints(service, session));
        const what = service === undefined ? 'services' : `endpoints of ${printable(service)}`;
        if (count === 0 && !session.json) say(`no ${what}`);
      }),
    );
}

async function listServices({ binders, json, signal }: BinderSession): Promise<number> {
  let count = 0;
  for await (const summary of binders.services({ signal })) {
    printRecord(summary, summaryLine(summary), json);
    count += 1;
  }
  return count;
}

async function listEndpoints(
  service: string,
  { binders, json, signal }: BinderSession,
): Promise<number> {
  let count = 0;
  for await (const endpoint of binders.endpoints(service, { signal })) {
    printRecord(endpoint, endpointLine(endpoint), json);
    count += 1;
  }
  return count;
}

function summaryLine(summary: ServiceSummary): string {
  const { service, endpointCount, healthyCount, protectionActive } = summary;
  const note = protectionActive ? ', in protection mode' : '';
  return `${printable(service)}  ${healthyCount} of ${endpointCount} healthy${note}`;
}
