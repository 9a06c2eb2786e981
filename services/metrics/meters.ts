/**
 * What a node counts and measures, by the names in docs/metrics.md. Each counter begins at 0 with the
 * node; gauges are read when somebody asks.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From a tenth of a millisecond, which a local read takes, to the 10 s that a call usually may take. */
const SECONDS = [
  1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 10,
];
const HOPS = [0, 1, 2, 3, 4, 6, 8, 12, 16];

export type RingEventName =
  'joined' | 'join-failed' | 'founded' | 'lost' | 'rejoining' | 'departed';
export type Repair = 'hinted' | 'read_repaired' | 'transferred' | 'given' | 'collected';

/** Read when somebody asks for the metrics. */
export type Readings = {
  readonly isMember: boolean;
  readonly members: number;
  readonly guests: Readonly<Record<string, number>>;
  readonly streams: number;
  readonly tableRecords: number;
  readonly tableBytes: number;
  readonly repairs: Readonly<Record<Repair, number>>;
  readonly services: number;
  readonly endpoints: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
};

export class Meters {
  readonly #registry = new Registry();
  /** What all gauges of one answer show. */
  #readings: Readings | undefined;
  readonly #calls = new Histogram({
    name: 'ringbinder_rpc_duration_seconds',
    help: 'How long gRPC calls took that ended, streams included.',
    labelNames: ['method', 'code'],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #ringEvents = this.#counter(
    'ringbinder_ring_events_total',
    'What happened to this peer and its neighbours.',
    ['event'],
  );
  readonly #lookups = new Histogram({
    name: 'ringbinder_lookup_hops',
    help: 'Peers that lookups of this node asked.',
    buckets: HOPS,
    registers: [this.#registry],
  });
  readonly #failedLookups = this.#counter(
    'ringbinder_lookups_failed_total',
    'Lookups of this node that found no way.',
  );
  readonly #legacy = this.#counter(
    'ringbinder_legacy_messages_total',
    'Messages of legacy dialects, and what was dropped of them.',
    ['dialect', 'direction', 'message'],
  );

  /** Looked up by one text: there may be tens of thousands of messages a second. */
  readonly #legacyChildren = new Map<string, Counter.Internal>();

  constructor(read: () => Readings) {
    collectDefaultMetrics({ register: this.#registry });
    const now = (): Readings => (this.#readings ??= read());
    const gauge = (name: string, help: string, of: (readings: Readings) => number): void => {
      new Gauge({
        name: `ringbinder_${name}`,
        help,
        registers: [this.#registry],
        collect() {
          this.set(of(now()));
        },
      });
    };
    const labelled = (
      name: string,
      help: string,
      label: string,
      of: (readings: Readings) => Readonly<Record<string, number>>,
    ): void => {
      new Gauge({
        name: `ringbinder_${name}`,
        help,
        labelNames: [label],
        registers: [this.#registry],
        collect() {
          this.reset();
          for (const [key, value] of Object.entries(of(now()))) this.set({ [label]: key }, value);
        },
      });
    };
    gauge('member', 'Whether this node is a member of its ring.', (it) => Number(it.isMember));
    gauge('members', 'Members of the ring that this node knows.', (it) => it.members);
    labelled('guests', 'Legacy programs at this node.', 'dialect', (it) => it.guests);
    gauge('streams', 'Peer streams at this node.', (it) => it.streams);
    gauge('table_records', 'Records stored here, dead ones included.', (it) => it.tableRecords);
    gauge('table_bytes', 'Bytes of the records stored here.', (it) => it.tableBytes);
    const repairs = 'What was done since the start to make copies whole, in records.';
    labelled('table_repairs', repairs, 'kind', (it) => it.repairs);
    gauge('services', 'Services that the binder knows.', (it) => it.services);
    gauge('endpoints', 'Endpoints with a lease that the binder knows.', (it) => it.endpoints);
    const bytes = 'Bytes of gRPC messages since the start';
    gauge('received_bytes', `${bytes}, received.`, (it) => it.receivedBytes);
    gauge('sent_bytes', `${bytes}, sent.`, (it) => it.sentBytes);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, in the text format of Prometheus. */
  async text(): Promise<string> {
    this.#readings = undefined;
    return this.#registry.metrics();
  }

  /** Names of everything that is measured. */
  get names(): readonly string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  callEnded(method: string, code: string, ms: number): void {
    this.#calls.observe({ method, code }, ms / 1_000);
  }

  ringEvent(event: RingEventName): void {
    this.#ringEvents.inc({ event });
  }

  lookupEnded(hops: number | undefined): void {
    if (hops === undefined) this.#failedLookups.inc();
    else this.#lookups.observe(hops);
  }

  legacyMessage(dialect: string, direction: 'in' | 'out', message: string): void {
    const key = `${dialect} ${direction} ${message}`;
    let child = this.#legacyChildren.get(key);
    if (child === undefined) {
      child = this.#legacy.labels({ dialect, direction, message });
      this.#legacyChildren.set(key, child);
    }
    child.inc();
  }

  #counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}
