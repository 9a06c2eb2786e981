/**
 * What a bridge runs with: nodes to work with, and those options of a node that are about old programs and
 * the log, with the same flags, variables and defaults.
 */
import {
  ConfigError,
  optionsHelp,
  readOptions,
  type Config,
  type ConfigSources,
  type OptionHelp,
  type OptionKey,
} from '../config.js';
import { dialAddresses } from '../config/kinds.js';
import { listenOf, type LegacyChoice } from '../config/legacy.js';

const KEYS = [
  'legacy',
  'legacyPeer',
  'legacyRate',
  'logLevel',
] as const satisfies readonly OptionKey[];

export type BridgeConfig = Pick<Config, (typeof KEYS)[number]> & {
  /** `host:port` of nodes of one ring, at least one. */
  readonly servers: readonly string[];
};

export type BridgeSources = ConfigSources & {
  /** Separated by commas. */
  readonly server: string;
};

const SERVERS = dialAddresses('Nodes to work with.');

/** Completes and checks the options. Throws a `ConfigError` that names all that is wrong. */
export function loadBridgeConfig({ server, ...sources }: BridgeSources): BridgeConfig {
  const { values, lines } = readOptions(KEYS, sources);
  const servers = SERVERS.parse(server);
  const config = { ...values, servers: servers.kind === 'value' ? servers.value : [] };
  const wrong = [...lines];
  if (servers.kind === 'bad') wrong.push(`--server: must be ${servers.mustBe}`);
  else if (servers.value.length === 0) wrong.push('--server: must name a node');
  const { legacy } = config as Partial<BridgeConfig>;
  if (legacy !== undefined) wrong.push(...whyNotBridged(legacy));
  if (wrong.length > 0) throw new ConfigError(wrong);
  return Object.freeze(config) as BridgeConfig;
}

/** One row for each option but `--server`. */
export function bridgeOptionsHelp(): readonly OptionHelp[] {
  return optionsHelp()
    .filter(({ key }) => (KEYS as readonly OptionKey[]).includes(key))
    .map((row) => (row.key === 'legacy' ? { ...row, default: 'all' } : row));
}

function whyNotBridged(legacy: LegacyChoice): readonly string[] {
  const isRingNamed = Object.values(legacy.ring).some((it) => it !== undefined && it !== 'off');
  if (isRingNamed) return ['--legacy: a bridge has no ring; guests need a node that runs them'];
  const isOn = Object.entries(listenOf(legacy, true)).some(
    ([name, where]) => name !== 'ring' && where !== 'off',
  );
  if (isOn) return [];
  return ['--legacy: must leave a dialect on; there is nothing else to bridge'];
}
