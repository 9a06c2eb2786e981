import { isIPv4 } from 'node:net';
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  simpleDht,
  VALUE_BYTES_MAX,
  whyNoPeer,
  type SimpleDhtMessage,
} from '../../../../services/legacy/simple-dht/codec.js';
import { CommandFailure, EXIT, printBytes, printRecord, say } from '../../output.js';
import { payloadOf } from '../../payload.js';
import { runCommand } from '../../session.js';
import { ipAddress, localHostFor, textOf, type Where } from './addresses.js';
import { noAnswer, notFound } from './answers.js';
import { DatagramEnd } from './datagrams.js';

type ServerOptions = { readonly at: Where };

/** What came of a question: the answer, or whether anything came at all. */
type Outcome<Answer> = { readonly answer: Answer | undefined; readonly isHeard: boolean };

export function addSimpleDhtCommands(legacy: Command): void {
  const dht = legacy.command('simple-dht').description('values by hash, over UDP');
  dht
    .command('get')
    .description('write the value of a hash to stdout; waits for one that is not there yet')
    .argument('<hash>', 'up to 16 hexadecimal digits', hash)
    .addOption(atOption())
    .action(async (of: string, options: ServerOptions, command: Command) =>
      runCommand(command, async ({ json, timeoutMs }) => get(of, options, timeoutMs, json)),
    );
  dht
    .command('put')
    .description('store a value under a hash, for 30 s')
    .argument('<hash>', 'up to 16 hexadecimal digits', hash)
    .argument('[value]', 'the value; - or nothing reads stdin')
    .option('--file <path>', 'store the bytes of a file')
    .addOption(atOption())
    .action(put);
  dht
    .command('discover')
    .description('tell a server of another one')
    .argument('<address>', 'of the other one', ipAddress)
    .addOption(atOption())
    .action(async (other: Where, options: ServerOptions, command: Command) => {
      const why = whyNotTold(other, options);
      if (why !== undefined) command.error(`error: ${why}`, { exitCode: EXIT.misuse });
      await runCommand(command, async ({ timeoutMs }) => discover(other, options, timeoutMs));
    });
}

/** A server says nothing of what it does not have, but shows every second that it is there. */
async function get(
  of: string,
  { at }: ServerOptions,
  timeoutMs: number,
  isJson: boolean,
): Promise<void> {
  const { answer: value, isHeard } = await exchange(
    at,
    { kind: 'get', hash: of },
    timeoutMs,
    (it) => (it.kind === 'put' && it.hash === of ? it.value : undefined),
  );
  if (value === undefined) {
    throw isHeard ? notFound(`no value under ${of}`) : noAnswer('server', at);
  }
  if (isJson) printRecord({ hash: of, value: Buffer.from(value).toString('base64') }, '', isJson);
  else printBytes(value);
}

async function put(
  of: string,
  text: string | undefined,
  { at, file }: ServerOptions & { readonly file?: string },
  command: Command,
): Promise<void> {
  const value = await payloadOf(command, text, file);
  await runCommand(command, async ({ timeoutMs }) => {
    if (value.length > VALUE_BYTES_MAX) {
      const why = `the value has ${value.length} bytes; a datagram has room for ${VALUE_BYTES_MAX}`;
      throw new CommandFailure(why, EXIT.failed);
    }
    const message = { kind: 'put', hash: of, value } as const;
    const { answer } = await exchange(at, message, timeoutMs, (it) =>
      it.kind === 'i-have' && it.hash === of ? true : undefined,
    );
    if (answer === undefined) throw noAnswer('server', at);
    say(`stored under ${of}`);
  });
}

/** What an original that was told of it would die of (wire/simple-dht.md, section 6). */
function whyNotTold(other: Where, { at }: ServerOptions): string | undefined {
  const why = whyNoPeer(other);
  if (why !== undefined) return `${textOf(other)} can be no server: ${why}`;
  const isBeyond = isIPv4(at.host) && !isIPv4(other.host);
  return isBeyond ? 'a server that is spoken to by IPv4 may not reach an IPv6 address' : undefined;
}

/** Anything that comes is the answer: the server takes us for a peer, too. */
async function discover(other: Where, { at }: ServerOptions, timeoutMs: number): Promise<void> {
  const address = bytesOf(other.host);
  const message = { kind: 'discover', address, port: other.port } as const;
  const { isHeard } = await exchange(at, message, timeoutMs, () => true);
  if (!isHeard) throw noAnswer('server', at);
  say(`told of ${textOf(other)}`);
}

/** Answers count wherever they come from; what is no message is passed over. */
async function exchange<Answer>(
  at: Where,
  message: SimpleDhtMessage,
  timeoutMs: number,
  read: (message: SimpleDhtMessage) => Answer | undefined,
): Promise<Outcome<Answer>> {
  const end = await DatagramEnd.open(localHostFor(at));
  let isHeard = false;
  const readBytes = (bytes: Uint8Array): Answer | undefined => {
    const decoded = simpleDht.decode(bytes);
    if (decoded.kind !== 'message') return undefined;
    isHeard = true;
    return read(decoded.message);
  };
  try {
    const answer = await end.ask(at, simpleDht.encode(message), readBytes, timeoutMs);
    return { answer, isHeard };
  } finally {
    end.close();
  }
}

function atOption(): Option {
  return new Option('--at <host:port>', 'the server to speak to')
    .argParser(ipAddress)
    .default({ host: '127.0.0.1', port: 7402 } satisfies Where, '127.0.0.1:7402');
}

/** As an original client reads it: zeros are put in front. */
function hash(text: string): string {
  if (/^[\da-f]{0,16}$/i.test(text)) return text.toLowerCase().padStart(16, '0');
  throw new InvalidArgumentError('must be up to 16 hexadecimal digits');
}

/** The 4 or 16 bytes of a numeric address. */
function bytesOf(host: string): Uint8Array {
  if (isIPv4(host)) return Uint8Array.from(host.split('.'), Number);
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::');
  const groupsIn = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const behind = tail === undefined ? [] : groupsIn(tail);
  const zeros = Array.from({ length: 8 - groupsIn(head).length - behind.length }, () => '0');
  const groups = [...groupsIn(head), ...zeros, ...behind];
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  );
}
