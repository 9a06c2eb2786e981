/** A node's metrics, put together: what counts them, and where they are served. */
import type { Logger } from 'pino';
import type { TableCounts } from '../dht/core/stats.js';
import type { HostPort } from '../host-port.js';
import { Meters, type Readings, type Repair } from '../metrics/meters.js';
import { MetricsServer } from '../metrics/server.js';

/** Of a node that founds a ring. */
const DEFAULT_PLACE: HostPort = { host: '127.0.0.1', port: 7481 };

export class MetricsPart {
  readonly meters: Meters;
  #server: MetricsServer | undefined;

  constructor(read: () => Readings) {
    this.meters = new Meters(read);
  }

  /** Returns where it serves; `off` when it does not, with a warning when the port can't be had. */
  async open(
    chosen: HostPort | 'off' | undefined,
    isOnByDefault: boolean,
    log: Logger,
  ): Promise<string> {
    const place = chosen ?? (isOnByDefault ? DEFAULT_PLACE : 'off');
    if (place === 'off') return 'off';
    try {
      this.#server = await MetricsServer.open(place, this.meters);
      return this.#server.address;
    } catch (err) {
      log.warn({ err, place }, 'the metrics are off: their port can not be had');
      return 'off';
    }
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}

/** None before the node keeps a part of the table. */
export function repairsOf(counts: TableCounts | undefined): Readonly<Record<Repair, number>> {
  return {
    hinted: counts?.hinted ?? 0,
    read_repaired: counts?.readRepaired ?? 0,
    transferred: counts?.transferred ?? 0,
    given: counts?.given ?? 0,
    collected: counts?.collected ?? 0,
  };
}
