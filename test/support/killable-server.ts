/** A gRPC server whose connections can break off as when its process is killed. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { ServerCredentials, type Server } from '@grpc/grpc-js';

export class KillableServer implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;
  readonly #listener: NetServer;
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(server: Server, listener: NetServer, sockets: ReadonlySet<Socket>) {
    this.#server = server;
    this.#listener = listener;
    this.#sockets = sockets;
    this.address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  }

  static async listen(server: Server, port = 0): Promise<KillableServer> {
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      injector.injectConnection(socket);
    });
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
    return new KillableServer(server, listener, sockets);
  }

  get port(): number {
    return Number(this.address.split(':')[1]);
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Ends as when the process is killed: the connections break off. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.#listener.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#server.forceShutdown();
  }
}
