import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  addressesIn,
  canonicalIpv6,
  EXIT_ACCEPTED,
  TLV,
  type Framing,
  type TlvMessage,
} from '../../../../services/legacy/tlv/codec.js';
import { EXIT, printable, printRecord, say } from '../../output.js';
import { runCommand } from '../../session.js';
import { ipv6Address, localHostFor, type Where } from './addresses.js';
import { noAnswer, notFound, notPermitted } from './answers.js';
import { DatagramEnd } from './datagrams.js';
import * as streams from './streams.js';

/** An original client waits so long for an answer. */
const ANSWER_MS = 5_000;
/** Of a hash, by what the programs of a framing take. */
const HASH_CHARS: Readonly<Record<Framing, { readonly min: number; readonly max: number }>> = {
  original: { min: 65, max: 175 },
  plain: { min: 1, max: 512 },
};
const PASSWORD_CHARS_MAX = 175;

type ServerOptions = {
  readonly at: Where;
  readonly framing?: Framing;
  readonly tcp: boolean;
};
/** How to speak to a server. */
type Way = { readonly at: Where; readonly framing: Framing; readonly isTcp: boolean };

export function addTlvCommands(legacy: Command): void {
  const tlv = legacy.command('tlv').description('who has a hash, over UDP and IPv6');
  subcommand(tlv, 'get')
    .description('print the addresses that have a hash')
    .argument('<hash>', 'its text: 65 to 175 characters, or 1 to 512 in the plain framing', word)
    .action(async (hash: string, options: ServerOptions, command: Command) => {
      const way = wayOf(command, options, hash);
      await runCommand(command, async ({ json }) => get(hash, way, json));
    });
  subcommand(tlv, 'put')
    .description('say that an address has a hash, for 30 s')
    .argument('<ip>', 'an IPv6 address', ipv6)
    .argument('<hash>', 'its text: 65 to 175 characters, or 1 to 512 in the plain framing', word)
    .action(async (ip: string, hash: string, options: ServerOptions, command: Command) => {
      const way = wayOf(command, options, hash);
      await runCommand(command, async () => put(ip, hash, way));
    });
  subcommand(tlv, 'exit')
    .description('stop the server, with its password')
    .argument('<password>', 'up to 175 characters', password)
    .action(async (text: string, options: ServerOptions, command: Command) => {
      const way = wayOf(command, options);
      await runCommand(command, async () => exit(text, way));
    });
}

function subcommand(tlv: Command, name: string): Command {
  const at = new Option('--at <[ip]:port>', 'the server to speak to')
    .argParser(ipv6Address)
    .default({ host: '::1', port: 7401 } satisfies Where, '[::1]:7401');
  const framing = new Option(
    '--framing <name>',
    'as the original programs write, or as their document reads (default: original)',
  ).choices(Object.keys(HASH_CHARS));
  return tlv
    .command(name)
    .addOption(at)
    .addOption(framing)
    .option('--tcp', 'over TCP, in the plain framing', false);
}

/** Ends as a misuse where the options, or they and the hash, do not go together. */
function wayOf(command: Command, { at, framing, tcp }: ServerOptions, hash?: string): Way {
  const misuse = { exitCode: EXIT.misuse };
  if (tcp && framing === 'original') {
    command.error('error: --tcp takes the plain framing', misuse);
  }
  const way: Way = { at, framing: framing ?? (tcp ? 'plain' : 'original'), isTcp: tcp };
  const { min, max } = HASH_CHARS[way.framing];
  if (hash !== undefined && (hash.length < min || hash.length > max)) {
    const text = `error: the hash has ${hash.length} characters; ${min} to ${max} are taken in the ${way.framing} framing`;
    command.error(text, misuse);
  }
  return way;
}

async function get(hash: string, way: Way, isJson: boolean): Promise<void> {
  const { framing } = way;
  const text = await exchange(way, { framing, kind: 'GET', hash }, (answer) =>
    answer.kind === 'ANSWER' ? answer.text : undefined,
  );
  const addresses = addressesIn(text);
  if (addresses.length === 0) throw notFound('nobody has it');
  for (const address of addresses) printRecord({ address }, address, isJson);
}

async function put(ip: string, hash: string, way: Way): Promise<void> {
  const { at, framing, isTcp } = way;
  const bytes = TLV.encode({ framing, kind: 'PUT', ip, hash });
  if (isTcp) {
    await streams.tell(at, bytes, ANSWER_MS);
  } else {
    const end = await DatagramEnd.open(localHostFor(at));
    try {
      await end.send(at, bytes);
    } finally {
      end.close();
    }
  }
  say('sent; there is no answer to that');
}

async function exit(text: string, way: Way): Promise<void> {
  const { framing } = way;
  const answer = await exchange(way, { framing, kind: 'EXIT', password: text }, (message) =>
    message.kind === 'EXIT_ANSWER' ? message.text : undefined,
  );
  if (answer !== EXIT_ACCEPTED) throw notPermitted(`the server refuses: ${printable(answer)}`);
  say('the server stops');
}

/** The first answer that fits, wherever it comes from: an original answers from another port. */
async function exchange(
  { at, isTcp }: Way,
  question: TlvMessage,
  read: (message: TlvMessage) => string | undefined,
): Promise<string> {
  const bytes = TLV.encode(question);
  const readBytes = (received: Uint8Array): string | undefined => {
    const decoded = TLV.decode(received);
    return decoded.kind === 'message' ? read(decoded.message) : undefined;
  };
  const answer = isTcp
    ? await streams.ask(at, bytes, readBytes, ANSWER_MS)
    : await askByDatagram(at, bytes, readBytes);
  if (answer === undefined) throw noAnswer('server', at);
  return answer;
}

async function askByDatagram(
  at: Where,
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => string | undefined,
): Promise<string | undefined> {
  const end = await DatagramEnd.open(localHostFor(at));
  try {
    return await end.ask(at, bytes, read, ANSWER_MS);
  } finally {
    end.close();
  }
}

function word(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new InvalidArgumentError('must be printable ASCII without spaces');
}

function ipv6(text: string): string {
  const address = canonicalIpv6(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('must be an IPv6 address, such as 2001:db8::1');
}

function password(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && text.length <= PASSWORD_CHARS_MAX) return text;
  throw new InvalidArgumentError(`must be printable ASCII, at most ${PASSWORD_CHARS_MAX}`);
}
