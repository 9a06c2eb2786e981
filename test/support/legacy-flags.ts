/** Where a process under test speaks legacy dialects: nowhere but where the test says. */

const NAMES = [
  ...(['tlv', 'simple-dht', 'lieur', 'pair'] as const),
  ...(['ring-hash', 'ring-welcome', 'ring-monitor', 'ring-peer'] as const),
];

export type LegacyPlaces = Partial<Readonly<Record<(typeof NAMES)[number], string>>>;

export function legacyFlags(places: LegacyPlaces): readonly string[] {
  return ['--legacy', NAMES.map((name) => `${name}=${places[name] ?? 'off'}`).join(',')];
}
