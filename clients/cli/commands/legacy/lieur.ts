import { once } from 'node:events';
import { Option, type Command } from 'commander';
import {
  LIEUR,
  type LieurEntry,
  type LieurMessage,
} from '../../../../services/legacy/lieur/codec.js';
import { wholeNumber } from '../../numbers.js';
import { CommandFailure, EXIT, printRecord, say } from '../../output.js';
import { runCommand } from '../../session.js';
import { ipv4Address, localHostFor, textOf, type Where } from './addresses.js';
import { noAnswer, notFound, unavailable } from './answers.js';
import { DatagramEnd } from './datagrams.js';

/** An original waits so long for a binder, and a service for its confirmation. */
const ANSWER_MS = 2_000;
const CONFIRMATION_MS = 4_000;

type BinderOption = { readonly binder: Where };

export function addLieurCommands(legacy: Command): void {
  const lieur = legacy.command('lieur').description('services by number, over UDP');
  const type = wholeNumber(0, 255);
  lieur
    .command('ask')
    .description('print the address of a service of a type')
    .argument('<type>', 'its number, 0 to 255', type)
    .addOption(binderOption())
    .action(async (number: number, options: BinderOption, command: Command) =>
      runCommand(command, async ({ json }) => printRecord(...(await ask(number, options)), json)),
    );
  lieur
    .command('subscribe')
    .description('be a service of a type that echoes what it is sent, until Ctrl-C')
    .argument('<type>', 'its number, 0 to 255', type)
    .addOption(binderOption())
    .option('--port <port>', 'where to listen; by default one below 32768', wholeNumber(1, 65_535))
    .action(async (number: number, options: BinderOption & { port?: number }, command: Command) =>
      runCommand(command, async ({ signal }) => subscribe(number, options, signal)),
    );
  lieur
    .command('complain')
    .description('say that a service does not answer; the binder looks by itself')
    .argument('<type>', 'its number, 0 to 255', type)
    .argument('<address>', 'where it should be', ipv4Address)
    .addOption(binderOption())
    .action(async (number: number, address: Where, options: BinderOption, command: Command) =>
      runCommand(command, async () => complain({ type: number, ...address }, options)),
    );
}

async function ask(
  type: number,
  { binder }: BinderOption,
): Promise<[record: object, line: string]> {
  const answer = await exchange(binder, { kind: 'request', type }, (message) =>
    message.kind === 'answer' || message.kind === 'none' ? message : undefined,
  );
  if (answer === undefined) {
    throw noAnswer('binder', binder);
  }
  if (answer.kind !== 'answer') {
    throw notFound(`there is no service of type ${type}`);
  }
  return [answer.entry, textOf(answer.entry)];
}

async function complain(entry: LieurEntry, { binder }: BinderOption): Promise<void> {
  const end = await DatagramEnd.open(localHostFor(binder));
  try {
    await end.send(binder, LIEUR.encode({ kind: 'complaint', entry }));
    say('complained; there is no answer to that');
  } finally {
    end.close();
  }
}

async function subscribe(
  type: number,
  { binder, port }: BinderOption & { readonly port?: number },
  signal: AbortSignal,
): Promise<void> {
  const end = await openService(localHostFor(binder), port);
  try {
    const isConfirmed = await end.ask(
      binder,
      LIEUR.encode({ kind: 'subscription', type }),
      (bytes) => messageIn(bytes)?.kind === 'confirmation' || undefined,
      CONFIRMATION_MS,
    );
    if (isConfirmed === undefined) {
      throw unavailable(`the binder at ${textOf(binder)} does not confirm`);
    }
    end.onMessage(({ bytes, from }) => void end.send(from, LIEUR.encode(answerTo(bytes))));
    say(`a service of type ${type} on port ${end.port}; Ctrl-C ends`);
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    end.close();
  }
}

/** As an original service does: an echo, or else that it exists. */
function answerTo(bytes: Uint8Array): LieurMessage {
  const message = messageIn(bytes);
  if (message?.kind === 'contact') return { kind: 'echo', payload: message.payload };
  return { kind: 'existence' };
}

/** Originals can't reach ports from 32768 on. */
async function openService(host: string, port: number | undefined): Promise<DatagramEnd> {
  if (port !== undefined) return DatagramEnd.open(host, port);
  for (let candidate = 20_000; candidate < 32_768; candidate += 1) {
    try {
      return await DatagramEnd.open(host, candidate);
    } catch {
      // Taken: the next one.
    }
  }
  throw new CommandFailure('no port from 20000 to 32767 is free', EXIT.failed);
}

async function exchange<Answer>(
  binder: Where,
  message: LieurMessage,
  read: (message: LieurMessage) => Answer | undefined,
): Promise<Answer | undefined> {
  const end = await DatagramEnd.open(localHostFor(binder));
  try {
    const readBytes = (bytes: Uint8Array): Answer | undefined => {
      const answer = messageIn(bytes);
      return answer === undefined ? undefined : read(answer);
    };
    return await end.ask(binder, LIEUR.encode(message), readBytes, ANSWER_MS);
  } finally {
    end.close();
  }
}

function messageIn(bytes: Uint8Array): LieurMessage | undefined {
  const decoded = LIEUR.decode(bytes);
  return decoded.kind === 'message' ? decoded.message : undefined;
}

function binderOption(): Option {
  return new Option('--binder <host:port>', 'the binder to speak to')
    .argParser(ipv4Address)
    .default({ host: '127.0.0.1', port: 7403 } satisfies Where, '127.0.0.1:7403');
}
