/**
 * The kinds of options: how a text becomes a value, and what is said when it can't.
 */
import { isEtcdAddress, parseEtcdAddress, type EtcdAddress } from './etcd-address.js';
import { formatHostPort, isWildcard, parseHostPort, type HostPort } from '../host-port.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The services that a node can host, in the order in which they are named everywhere. */
export const ROLES = ['hash', 'welcome', 'peer', 'monitor', 'dht', 'binder'] as const;
export type Role = (typeof ROLES)[number];

/** Where the directory is kept. */
export type StoreChoice = 'lmdb' | 'memory' | EtcdAddress;

const SECRET_CHARS_MAX = 1_024;

/** A value, or what it must be; that continues “must be”. */
export type Parsed<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'bad'; readonly mustBe: string };

/** One row of the table of options. */
export type Option<Value> = {
  /** What a flag's value is called in the help; undefined for a switch, which has none. */
  readonly placeholder: string | undefined;
  /** The text that stands when none is given; undefined when the value follows from others. */
  readonly default: string | undefined;
  /** The default in words, where it is no text. */
  readonly defaultInWords?: string;
  readonly help: string;
  readonly parse: (text: string) => Parsed<Value>;
};

/** The value of an option: undefined only where nothing is given and nothing is the default. */
export type ValueOf<Row> =
  Row extends Option<infer Value>
    ? Row extends { readonly default: string }
      ? Value
      : Value | undefined
    : never;

type Row<Value, Default> = Option<Value> & { readonly default: Default };

/** An address to listen on: any port, 0 included. */
export function listenAddress(byDefault: string, help: string): Row<string, string> {
  return { placeholder: 'host:port', default: byDefault, help, parse: parseListen };
}

/** A place to listen on beside gRPC; undefined when nothing is said. */
export function placeOrOff(defaultInWords: string, help: string): Row<HostPort | 'off', undefined> {
  const parse = (text: string): Parsed<HostPort | 'off'> => {
    const place = text === 'off' ? 'off' : parseHostPort(text);
    return place === undefined ? bad('host:port, or off') : value(place);
  };
  return { placeholder: 'host:port|off', default: undefined, defaultInWords, help, parse };
}

/** An address that others dial. */
export function dialAddress(defaultInWords: string, help: string): Row<string, undefined> {
  return { placeholder: 'host:port', default: undefined, defaultInWords, help, parse: parseDial };
}

/** Addresses to dial, separated by commas; repeats are dropped. */
export function dialAddresses(help: string): Row<readonly string[], string> {
  const parse = (text: string) => collect(splitList(text), parseDial);
  return { placeholder: 'host:port,…', default: '', defaultInWords: 'none', help, parse };
}

export function path(defaultInWords: string, help: string): Row<string, undefined> {
  const parse = (text: string): Parsed<string> => (text === '' ? bad('a path') : value(text));
  return { placeholder: 'dir', default: undefined, defaultInWords, help, parse };
}

/** A text that is compared and never shown. */
export function secret(help: string): Row<string, undefined> {
  const parse = (text: string): Parsed<string> => {
    return text.length > SECRET_CHARS_MAX ? bad('a shorter text') : value(text);
  };
  return { placeholder: 'text', default: undefined, defaultInWords: 'none', help, parse };
}

/** `lmdb`, `memory`, or the address of an etcd. */
export function storeChoice(help: string): Row<StoreChoice, string> {
  const placeholder = 'lmdb|memory|etcd://host:port,…';
  return { placeholder, default: 'lmdb', help, parse: parseStore };
}

export function onOff(help: string): Row<boolean, string> {
  return { placeholder: undefined, default: 'false', help, parse: parseOnOff };
}

/** An integer between two bounds, both included and both at most 2^53. */
export function integer(
  byDefault: number,
  { min, max }: { readonly min: number; readonly max: number },
  help: string,
): Row<number, string> {
  const parse = (text: string): Parsed<number> => {
    const isInRange = /^\d{1,16}$/.test(text) && BigInt(text) >= min && BigInt(text) <= max;
    return isInRange ? value(Number(text)) : bad(`an integer from ${min} to ${max}`);
  };
  const row = { placeholder: 'n', default: byDefault.toString(), parse };
  return { ...row, help: `${help} From ${min} to ${max}.` };
}

/** The same, of which nothing given means that each place has its own default. */
export function optionalInteger(
  defaultInWords: string,
  range: { readonly min: number; readonly max: number },
  help: string,
): Row<number, undefined> {
  return { ...integer(range.min, range, help), default: undefined, defaultInWords };
}

export function oneOf<Choice extends string>(
  choices: readonly Choice[],
  byDefault: NoInfer<Choice>,
  help: string,
): Row<Choice, string> {
  const parse = (text: string) => parseChoice(text, choices);
  return { placeholder: choices.join('|'), default: byDefault, help, parse };
}

/** Some of several, at least one, separated by commas; they come in the order of the choices. */
export function someOf<Choice extends string>(
  choices: readonly Choice[],
  help: string,
): Row<readonly Choice[], string> {
  const parse = (text: string): Parsed<readonly Choice[]> => {
    const chosen = collect(splitList(text), (part) => parseChoice(part, choices));
    if (chosen.kind === 'bad') return chosen;
    if (chosen.value.length === 0) return bad(`some of ${choices.join(', ')}`);
    return value(choices.filter((choice) => chosen.value.includes(choice)));
  };
  return { placeholder: 'name,…', default: choices.join(','), help, parse };
}

export function bad<Value>(mustBe: string): Parsed<Value> {
  return { kind: 'bad', mustBe };
}

export function value<Value>(found: Value): Parsed<Value> {
  return { kind: 'value', value: found };
}

function parseStore(text: string): Parsed<StoreChoice> {
  if (text === 'lmdb' || text === 'memory') return value(text);
  const address = parseEtcdAddress(text);
  if (address !== undefined) return value(address);
  if (isEtcdAddress(text)) return bad('etcd://host:port,host:port with an optional /prefix');
  return bad('lmdb, memory, or etcd://host:port,…');
}

function parseListen(text: string): Parsed<string> {
  const address = parseHostPort(text);
  return address ? value(formatHostPort(address)) : bad('host:port, with IPv6 in brackets');
}

function parseDial(text: string): Parsed<string> {
  const address = parseHostPort(text);
  if (address && isDiallable(address)) return value(formatHostPort(address));
  return bad('host:port that can be dialled, with IPv6 in brackets');
}

function isDiallable({ host, port }: HostPort): boolean {
  return port !== 0 && !isWildcard(host);
}

function parseOnOff(text: string): Parsed<boolean> {
  if (text === 'true' || text === '1') return value(true);
  if (text === 'false' || text === '0') return value(false);
  return bad('true or false');
}

function parseChoice<Choice extends string>(
  text: string,
  choices: readonly Choice[],
): Parsed<Choice> {
  const choice = choices.find((it) => it === text);
  return choice === undefined ? bad(`one of ${choices.join(', ')}`) : value(choice);
}

function splitList(text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

/** The values without repeats, or what the first that is bad must be. */
function collect<Value>(
  texts: readonly string[],
  parse: (text: string) => Parsed<Value>,
): Parsed<readonly Value[]> {
  const found = new Set<Value>();
  for (const text of texts) {
    const parsed = parse(text);
    if (parsed.kind === 'bad') return bad(`${parsed.mustBe}, not “${text}”`);
    found.add(parsed.value);
  }
  return value([...found]);
}
