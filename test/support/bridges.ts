/** Bridges in processes of their own. */
import { legacyFlags, type LegacyPlaces } from './legacy-flags.js';
import { LoggedProcess } from './logged-process.js';
import { CLI } from './nodes.js';

/** Which dialects, and at which nodes. */
export type BridgeOptions = {
  readonly servers: readonly string[];
  readonly legacy: LegacyPlaces;
};

export class TestBridge extends LoggedProcess implements AsyncDisposable {
  private constructor({ servers, legacy }: BridgeOptions) {
    const args = ['bridge', '--server', servers.join(','), ...legacyFlags(legacy)];
    super([process.execPath, CLI, ...args]);
  }

  /** Starts a bridge and waits until it listens. */
  static async start(options: BridgeOptions): Promise<TestBridge> {
    const bridge = new TestBridge(options);
    await bridge.said('ringbinder bridge ready', 30_000);
    return bridge;
  }

  /** Where it listens, by the name of the socket. */
  at(socket: string): string {
    const { legacy } = this.record('ringbinder bridge ready')!;
    return (legacy as Readonly<Record<string, string>>)[socket]!;
  }

  /** How often it said so. */
  count(msg: string): number {
    return this.records.filter((record) => record.msg === msg).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}
