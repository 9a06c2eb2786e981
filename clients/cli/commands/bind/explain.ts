import type { Command } from 'commander';
import { printable, printRecord, say } from '../../output.js';
import { withBinders } from '../../session.js';
import { endpointLine, evidenceLines, sayDoubts } from './shared.js';

export function addExplainCommands(bind: Command): void {
  bind
    .command('explain')
    .description(
      'say why an endpoint is in the state it is in; also after its removal, for an hour',
    )
    .argument('<service>', 'name of the service')
    .argument('<address>', 'address of the endpoint, written as it was registered')
    .action(explain);
  bind
    .command('report')
    .description('complain about an endpoint that cannot be reached; the binder looks by itself')
    .argument('<service>', 'name of the service')
    .argument('<address>', 'address of the endpoint, written as it was registered')
    .action(report);
}

async function explain(
  service: string,
  address: string,
  _flags: object,
  command: Command,
): Promise<void> {
  await withBinders(command, async ({ binders, json, signal }) => {
    const explanation = await binders.explain(service, address, { signal });
    const { endpoint, evidence } = explanation;
    printRecord(explanation, evidenceLines(evidence).join('\n'), json);
    if (json) return;
    say(endpoint === undefined ? `${printable(address)}  removed` : endpointLine(endpoint));
    sayDoubts(explanation);
  });
}

async function report(
  service: string,
  address: string,
  _flags: object,
  command: Command,
): Promise<void> {
  await withBinders(command, async ({ binders, json, signal }) => {
    const complaint = await binders.report(service, address, { signal });
    const lines = [complaint.verdict, ...evidenceLines(complaint.evidence)];
    printRecord(complaint, lines.join('\n'), json);
  });
}
