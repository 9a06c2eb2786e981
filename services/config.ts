/**
 * Every option of a node, in one table: flag, environment variable, default, range, help.
 *
 * The key `dataDir` is the flag `--data-dir` and the variable `RINGBINDER_DATA_DIR`. A flag wins over
 * the environment, the environment over the default; a variable that is empty counts as not set.
 */
import { judge } from './config/judgement.js';
import {
  dialAddress,
  dialAddresses,
  integer,
  listenAddress,
  LOG_LEVELS,
  onOff,
  oneOf,
  optionalInteger,
  path,
  placeOrOff,
  ROLES,
  secret,
  someOf,
  storeChoice,
  value,
  type Option,
  type Parsed,
  type ValueOf,
} from './config/kinds.js';
import { parseLegacy, parseLegacyPeers } from './config/legacy.js';
import { COPIES_MAX } from './dht/core/replica-set.js';

export const OPTIONS = {
  listen: listenAddress(
    '127.0.0.1:7400',
    'Where to serve gRPC. Port 0 picks a free one. IPv6 in brackets.',
  ),
  advertise: dialAddress(
    'the address listened on',
    'Where others reach this node; they know it by this address.',
  ),
  join: dialAddresses('Nodes of a ring to join, separated by commas; without any, found a ring.'),
  dataDir: path('./.ringbinder/<listen address>', 'Where this node keeps what must survive.'),
  ephemeral: onOff(
    'Keep nothing on this node: the same as --store memory, where there is no etcd.',
  ),
  ringSize: integer(
    2 ** 31,
    { min: 1, max: 2 ** 53 },
    'Number of positions of a ring to found; who joins takes it from the ring.',
  ),
  roles: someOf(ROLES, 'Services of this node, separated by commas.'),
  store: storeChoice(
    'Where the directory is kept: on this node, or in an etcd that any number of nodes share.',
  ),
  insecureListen: onOff('Allow to listen beyond loopback without TLS: anyone there is obeyed.'),
  logLevel: oneOf(LOG_LEVELS, 'info', 'Least important records to log, on stderr.'),
  /** Lower repairs the ring faster and costs every peer more calls: each tick may ask one peer. */
  tickMs: integer(100, { min: 20, max: 1_000 }, 'Beat of the ring protocol, in ms.'),
  /** Lower notices deaths faster and takes more slow peers for dead. Must span several ticks. */
  answerTimeoutMs: integer(
    2_000,
    { min: 200, max: 30_000 },
    'Silence after which a peer counts as dead, in ms.',
  ),
  /** The ring survives one peer less than this dying at once; each one more makes answers longer. */
  successorsMax: integer(
    4,
    { min: 2, max: 16 },
    'Successors that a peer knows, in a ring to found.',
  ),
  /** The table survives the loss of one disk less than the write quorum; each copy costs a disk. */
  copies: integer(
    3,
    { min: 1, max: COPIES_MAX },
    'Copies of each record of the table, in a ring to found; at most one more than successors.',
  ),
  /** With read and write quorum together above the copies, a read sees the last write. */
  readQuorum: integer(
    2,
    { min: 1, max: COPIES_MAX },
    'Copies that must answer a read, unless the call says otherwise.',
  ),
  writeQuorum: integer(
    2,
    { min: 1, max: COPIES_MAX },
    'Copies that must be on disk before a write is acknowledged, unless the call says otherwise.',
  ),
  /** Lower finds differences between copies faster; a comparison of equal ones costs one question. */
  repairIntervalMs: integer(
    10_000,
    { min: 100, max: 3_600_000 },
    'Time between two comparisons of copies when nothing has changed, in ms.',
  ),
  /** A node that was away for longer than half of it takes what the others lack for deleted. */
  graceMs: integer(
    86_400_000,
    { min: 60_000, max: 31_536_000_000 },
    'How long deletions are remembered, in ms.',
  ),
  leaveTimeoutMs: integer(
    20_000,
    { min: 0, max: 3_600_000 },
    'How long a node that stops may take to hand its records over, in ms.',
  ),
  /** Each costs about 2 KB of memory on every binder. */
  endpointsMax: integer(
    100_000,
    { min: 1, max: 10_000_000 },
    'Endpoints that the binder holds; further ones are refused.',
  ),
  /** Lower keeps more of a service while the binder may see wrong, and drops the dead later. */
  protectionPercent: integer(
    50,
    { min: 0, max: 100 },
    'Share of the endpoints of a service that may vanish within one TTL; more are kept, as unhealthy.',
  ),
  legacy: {
    placeholder: 'dialect=where,…|off',
    default: '',
    defaultInWords: 'all, on a node that founds a ring',
    help: 'Where legacy dialects listen: tlv=[::1]:7401, simple-dht=127.0.0.1:7402, lieur=127.0.0.1:7403:7404, pair=127.0.0.1:7405, ring-hash=127.0.0.1:8001, ring-welcome=127.0.0.1:8000, ring-monitor=127.0.0.1:8002, ring-peer=127.0.0.1:2016; each may be off, ring=off means all four.',
    parse: parseLegacy,
  },
  legacyPeer: {
    placeholder: 'dialect=host:port,…',
    default: '',
    defaultInWords: 'none',
    help: 'Legacy servers to work with: tlv=[ip], simple-dht=host:port, lieur=host:port.',
    parse: parseLegacyPeers,
  },
  metrics: placeOrOff(
    '127.0.0.1:7481 on a node that founds a ring, off on one that joins',
    'Where to serve /metrics for Prometheus, over HTTP.',
  ),
  dashboard: placeOrOff(
    '127.0.0.1:7480 on a node that founds a ring, off on one that joins',
    'Where to serve the dashboard, over HTTP: it shows all and changes nothing.',
  ),
  /** Higher serves many clients behind one address, and lets one host keep the node busier. */
  legacyRate: optionalInteger(
    'by dialect: tlv 100, simple-dht 1000, lieur 20000',
    { min: 1, max: 1_000_000 },
    'Datagrams that a host may send to each legacy dialect in a second; twice as many at once.',
  ),
  stopPassword: secret('Password for DhtService.StopServer; without one, nobody may.'),
  /** With room for all members most lookups take one hop; each takes about 200 bytes. */
  routeCache: integer(
    4_096,
    { min: 0, max: 1_000_000 },
    'Members that this node remembers, to look up in one hop; 0 for none.',
  ),
  /** Lower drops crashed members from the directory faster; members renew three times as often. */
  membershipTtlMs: integer(
    15_000,
    { min: 1_000, max: 600_000 },
    'How long a membership lasts without renewal, in ms.',
  ),
  /** Too low gives up while the directory restarts, or while a small ring takes in others first. */
  joinTimeoutMs: integer(
    60_000,
    { min: 1_000, max: 3_600_000 },
    'How long to try to join before giving up, in ms.',
  ),
  /** At 0 calls under way are cut off at once. */
  drainTimeoutMs: integer(
    5_000,
    { min: 0, max: 60_000 },
    'How long calls under way may take to end when this node stops, in ms.',
  ),
} as const satisfies Record<string, Option<unknown>>;

export type OptionKey = keyof typeof OPTIONS;

/**
 * What a node runs with: complete, checked, frozen. Addresses have one spelling (`host-port.ts`).
 * `ephemeral` and `store` agree; `ephemeral` with an etcd is about everything but the directory. `advertise` is undefined when it is the address listened on;
 * `dataDir` is undefined when nothing is kept, and when port 0 is to be listened on: the default is
 * then `defaultDataDir`, of the address that the system gave.
 */
export type Config = { readonly [Key in OptionKey]: ValueOf<(typeof OPTIONS)[Key]> };

/** What was given for some options, as text. */
export type GivenOptions = Readonly<Partial<Record<OptionKey, string | undefined>>>;

export type ConfigSources = {
  /** By option key. A switch that is set is `'true'`. Keys that are no options are ignored. */
  readonly flags: GivenOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
};

export type LoadedConfig = {
  readonly config: Config;
  /** What was given and is not followed to the letter; for the log. */
  readonly warnings: readonly string[];
};

/** Everything that is wrong with what was given, one line each: a misuse, exit code 2. */
export class ConfigError extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'ConfigError';
    this.lines = lines;
  }
}

/** One option for a help text or a document. */
export type OptionHelp = {
  readonly key: OptionKey;
  /** For example `--data-dir <dir>`; a switch has no value. */
  readonly flag: string;
  readonly env: string;
  readonly default: string;
  readonly help: string;
};

/** Completes and checks the options. Throws a `ConfigError` that names all that is wrong. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { values, names, lines } = readOptions(optionKeys(), sources);
  const judged = judge(values, names);
  if (lines.length + judged.conflicts.length > 0) {
    throw new ConfigError([...lines, ...judged.conflicts]);
  }
  return { config: deepFreeze({ ...values, ...judged.completed }), warnings: judged.warnings };
}

export type ReadOptions = {
  readonly values: Readonly<Record<string, unknown>>;
  /** How the person named an option, flag or variable; none for a default. */
  readonly names: Readonly<Record<string, string>>;
  /** What is wrong, one line each; such a value is missing. */
  readonly lines: readonly string[];
};

/** Reads some options; what they say together is not judged. */
export function readOptions(
  keys: readonly OptionKey[],
  { flags, env }: ConfigSources,
): ReadOptions {
  const values: Record<string, unknown> = {};
  const names: Record<string, string> = {};
  const lines: string[] = [];
  for (const key of keys) {
    const flag = flags[key];
    const given = flag ?? (env[envOf(key)] || undefined);
    if (given !== undefined) names[key] = flag === undefined ? envOf(key) : flagOf(key);
    const parsed = parse(OPTIONS[key], given);
    if (parsed.kind === 'value') values[key] = parsed.value;
    else lines.push(`${names[key] ?? key}: must be ${parsed.mustBe}; it is “${given ?? ''}”`);
  }
  return { values, names, lines };
}

/** One row for each option, in the order of the table. */
export function optionsHelp(): readonly OptionHelp[] {
  return optionKeys().map((key) => {
    const row: Option<unknown> = OPTIONS[key];
    const { placeholder, help } = row;
    const flag = placeholder === undefined ? flagOf(key) : `${flagOf(key)} <${placeholder}>`;
    return { key, flag, env: envOf(key), default: row.defaultInWords ?? row.default ?? '', help };
  });
}

function parse(option: Option<unknown>, given: string | undefined): Parsed<unknown> {
  const text = given ?? option.default;
  return text === undefined ? value(undefined) : option.parse(text);
}

function optionKeys(): readonly OptionKey[] {
  return Object.keys(OPTIONS) as OptionKey[];
}

function flagOf(key: OptionKey): string {
  return `--${wordsOf(key).join('-')}`;
}

function envOf(key: OptionKey): string {
  return `RINGBINDER_${wordsOf(key).join('_').toUpperCase()}`;
}

function wordsOf(key: OptionKey): readonly string[] {
  return key.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}

/** Every option has a value by now, of the type that its row parses to. */
function deepFreeze(values: Record<string, unknown>): Config {
  for (const member of Object.values(values)) Object.freeze(member);
  return Object.freeze(values) as Config;
}
