/** The ports of dialect `ring` on loopback, over a ring in memory. */
import { logNote } from '../../../services/legacy/adapter.js';
import type { SessionNote } from '../../../services/legacy/core/session.js';
import type { LineServerLimits } from '../../../services/legacy/line-server.js';
import { RingPorts, type RingPortName } from '../../../services/legacy/ring/ports.js';
import { systemClock, type Clock } from '../../../services/system/clock.js';
import { captureLog, type LogLine } from '../../support/capture-log.js';
import type { MemoryRing } from './memory-ring.js';

const LOCAL = { host: '127.0.0.1', port: 0 };

export class Rig {
  readonly ring: MemoryRing;
  readonly logLines: () => readonly LogLine[];
  readonly #ports: RingPorts;

  private constructor(ring: MemoryRing, ports: RingPorts, logLines: () => readonly LogLine[]) {
    this.ring = ring;
    this.#ports = ports;
    this.logLines = logLines;
  }

  static async open(
    ring: MemoryRing,
    {
      clock = systemClock,
      limits = {},
    }: { readonly clock?: Clock; readonly limits?: Partial<LineServerLimits> } = {},
  ): Promise<Rig> {
    const { log, lines } = captureLog();
    const addresses = { hash: LOCAL, welcome: LOCAL, monitor: LOCAL, peer: LOCAL };
    const note = (it: SessionNote): void => logNote(log, it);
    const ports = await RingPorts.open({ addresses, calls: ring, clock, log, note, limits });
    return new Rig(ring, ports, lines);
  }

  address(port: RingPortName): string {
    return this.#ports.addresses[port]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ports.close();
  }
}
