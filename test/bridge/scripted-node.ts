/** A server that says it serves, with whichever handlers a test gives it, and a link to it. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { NodeLink } from '../../services/bridge/link.js';
import type { HandlersFor } from '../../services/rpc/handlers.js';
import { RpcServer } from '../../services/rpc/server.js';
import { systemClock } from '../../services/system/clock.js';
import { captureLog, type LogLine } from '../support/capture-log.js';

export class ScriptedNode implements AsyncDisposable {
  readonly link: NodeLink;
  readonly #server: RpcServer;
  readonly #lines: () => readonly LogLine[];

  private constructor(server: RpcServer, address: string) {
    const { log, lines } = captureLog();
    this.#server = server;
    this.#lines = lines;
    this.link = new NodeLink({ servers: [address], clock: systemClock, log });
    this.link.start();
  }

  static async start<Definition extends ServiceDefinition>(
    definition: Definition,
    handlers: Partial<HandlersFor<Definition>>,
  ): Promise<ScriptedNode> {
    const server = new RpcServer({ log: captureLog().log, clock: systemClock });
    server.add(definition, handlers);
    return new ScriptedNode(server, await server.listen('127.0.0.1:0'));
  }

  /** What the link has logged, as messages. */
  get said(): readonly string[] {
    return this.#lines().map(({ msg }) => String(msg));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.link.close();
    await this.#server.drain(0);
  }
}
