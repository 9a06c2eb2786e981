import { InvalidArgumentError, type Command } from 'commander';
import type { Lease, LeaseOptions, Registration } from '../../../sdk/index.js';
import { duration } from '../../numbers.js';
import { EXIT, printable, printRecord, say } from '../../output.js';
import { runCommand } from '../../run-command.js';
import { withBinders, type BinderSession } from '../../session.js';
import { addCheckOptions, checkFrom, type CheckFlags } from './check-flags.js';
import { durationText, registrationRecord } from './shared.js';

const TTL_MS_MAX = 86_400_000;

type Metadata = Readonly<Record<string, string>>;
type RegisterFlags = CheckFlags & {
  readonly ttl?: number;
  readonly meta?: Metadata;
  readonly once: boolean;
};

const EXAMPLES = `
Prints the endpoint ID and the fencing token; bind renew takes both. After --, a command is run: the
endpoint is registered while it runs, and the exit code is the command's.

Examples:
  $ rb bind register orders 127.0.0.1:9001 --meta zone=a            # until Ctrl-C
  $ rb bind register orders 127.0.0.1:9001 --tcp -- node server.js  # while it runs
  $ rb bind register orders 127.0.0.1:9001 --ttl 1h --once          # for an hour`;

export function addRegisterCommand(bind: Command): void {
  const register = bind
    .command('register')
    .description('register an endpoint, and keep its lease until Ctrl-C')
    .argument('<service>', 'name of the service')
    .argument('<address>', 'where the endpoint is, such as 127.0.0.1:9001')
    .argument('[command...]', 'after --: keep the lease while this runs')
    .option(
      '--ttl <duration>',
      'how long the lease lives when nobody renews it',
      duration(TTL_MS_MAX),
    )
    .option('--meta <key=value>', 'what else callers should know; may be repeated', addEntry)
    .option('--once', 'register, print, and leave', false);
  addCheckOptions(register).addHelpText('after', EXAMPLES).action(act);
}

async function act(
  service: string,
  address: string,
  commandLine: readonly string[],
  flags: RegisterFlags,
  command: Command,
): Promise<void> {
  const isRun = commandLine.length > 0;
  if (isRun && flags.once) {
    command.error('error: give either --once or a command', { exitCode: EXIT.misuse });
  }
  const healthCheck = checkFrom(flags, command);
  const options = {
    ...(flags.meta !== undefined && { metadata: flags.meta }),
    ...(flags.ttl !== undefined && { ttlMs: flags.ttl }),
    ...(healthCheck !== undefined && { healthCheck }),
  };
  const hold = async (session: BinderSession, isQuiet: boolean): Promise<Lease> =>
    session.binders.hold(service, address, {
      ...options,
      ...listeners(session, isQuiet),
      signal: session.signal,
    });
  if (isRun) {
    let exitCode: number | undefined;
    const run = async (session: BinderSession): Promise<void> => {
      exitCode = await runWith(await hold(session, true), commandLine);
    };
    await withBinders(command, run, []);
    if (exitCode !== undefined) process.exitCode = exitCode;
    return;
  }
  const keepOrPrint = async (session: BinderSession): Promise<void> => {
    const { binders, json, signal } = session;
    if (!flags.once) await keep(await hold(session, false), session);
    else print(await binders.register(service, address, { ...options, signal }), json);
  };
  await withBinders(command, keepOrPrint, ['SIGINT', 'SIGTERM']);
}

/** What is said while a lease is kept; stdout belongs to the command, if there is one. */
function listeners({ json }: BinderSession, isQuiet: boolean): LeaseOptions {
  return {
    onLost: ({ message }) => say(`${message}; trying again`),
    onRegistered: (registration) => {
      say('the binders had lost it; registered anew');
      if (!isQuiet) print(registration, json);
    },
  };
}

/** Keeps a lease until a signal comes. */
async function keep(lease: Lease, { json }: BinderSession): Promise<void> {
  print(lease.registration, json);
  const { service, address } = lease;
  const ttl = durationText(lease.registration.leaseTtlMs);
  if (!json) say(`${printable(`${service} at ${address}`)}, lease of ${ttl}; Ctrl-C deregisters`);
  const end = await lease.ended;
  if (end.kind === 'lost') throw end.error;
  await release(lease);
}

async function runWith(lease: Lease, commandLine: readonly string[]): Promise<number> {
  void lease.ended.then((end) => {
    if (end.kind === 'lost') say(`${end.error.message}; the command runs on without a lease`);
  });
  try {
    return await runCommand(commandLine);
  } finally {
    await release(lease);
  }
}

async function release(lease: Lease): Promise<void> {
  try {
    await lease.release();
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    say(`not deregistered: ${why}; the lease ends by itself`);
  }
}

function print(registration: Registration, isJson: boolean): void {
  const { endpoint, fencingToken } = registration;
  printRecord(registrationRecord(registration), `${endpoint.endpointId} ${fencingToken}`, isJson);
}

function addEntry(text: string, known: Metadata = {}): Metadata {
  const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === '') throw new InvalidArgumentError('must be key=value');
  return { ...known, [key]: value };
}
