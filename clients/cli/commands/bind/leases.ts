import { InvalidArgumentError, type Command } from 'commander';
import { printRecord } from '../../output.js';
import { withBinders } from '../../session.js';
import { durationText } from './shared.js';

const TOKEN_MAX = 2n ** 64n - 1n;

export function addLeaseCommands(bind: Command): void {
  bind
    .command('renew')
    .description('prolong the lease of an endpoint by its TTL')
    .argument('<endpoint-id>', 'the first word that bind register has printed')
    .argument('<token>', 'the second', fencingToken)
    .action(async (endpointId: string, token: bigint, _flags: object, command: Command) =>
      withBinders(command, async ({ binders, json, signal }) => {
        const leaseTtlMs = await binders.renew(endpointId, token, { signal });
        printRecord({ leaseTtlMs }, durationText(leaseTtlMs), json);
      }),
    );
  bind
    .command('deregister')
    .description('remove an endpoint, named by its ID or by service and address')
    .usage('<endpoint-id> | <service> <address>')
    .argument('<endpoint-id | service>', 'the endpoint, or its service')
    .argument('[address]', 'its address, written as it was registered')
    .option('--token <token>', 'only the registration with this fencing token', fencingToken)
    .action(deregister);
}

async function deregister(
  name: string,
  address: string | undefined,
  { token }: { readonly token?: bigint },
  command: Command,
): Promise<void> {
  await withBinders(command, async ({ binders, json, signal }) => {
    const endpoint = address === undefined ? { endpointId: name } : { service: name, address };
    const options = { signal, ...(token !== undefined && { fencingToken: token }) };
    await binders.deregister(endpoint, options);
    printRecord(endpoint, 'deregistered', json);
  });
}

function fencingToken(text: string): bigint {
  const token = /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
  if (token > 0n && token <= TOKEN_MAX) return token;
  throw new InvalidArgumentError('must be a fencing token, a whole number from 1');
}
