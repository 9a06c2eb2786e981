/** A server of bytes as a script has them, as originals were seen to send them. */
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';

/** For one connection, once its first bytes have come. */
type Answer = {
  readonly text: string;
  readonly then: 'close' | 'stay' | 'reset';
};

export class ScriptedServer {
  /** What each connection sent first. */
  readonly requests: string[] = [];
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();

  constructor(script: readonly Answer[]) {
    const left = [...script];
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.once('data', (request: Buffer) => {
        this.requests.push(request.toString());
        const answer = left.shift();
        if (answer !== undefined) play(socket, answer);
      });
    });
  }

  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    const listening = once(this.#server, 'listening');
    this.#server.listen(0, '127.0.0.1');
    await listening;
    return { host: '127.0.0.1', port: (this.#server.address() as { port: number }).port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A reset comes behind the text, which must have been read by then. */
function play(socket: Socket, { text, then }: Answer): void {
  if (then === 'close') return void socket.end(text);
  socket.write(text, () => {
    if (then === 'reset') setTimeout(() => socket.resetAndDestroy(), 50);
  });
}
