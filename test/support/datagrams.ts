/** A legacy program's end: one UDP socket, and what it has received. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { until } from './until.js';

export class LegacyProgram implements AsyncDisposable {
  readonly #socket: Socket;
  readonly received: { readonly hex: string; readonly fromPort: number }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes, { port }) => {
      this.received.push({ hex: bytes.toString('hex'), fromPort: port });
    });
  }

  static async open(host = '127.0.0.1'): Promise<LegacyProgram> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    // Originals can't use ports from 32768 on: the system gives one, and we look for one below.
    for (let port = 20_000 + (process.pid % 10_000); ; port += 1) {
      try {
        const listening = once(socket, 'listening');
        socket.bind(port, host);
        await listening;
        return new LegacyProgram(socket);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw thrown;
      }
    }
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  send(to: string, hex: string): void {
    const [host = '', port = ''] = to.split(/:(?=\d+$)/);
    this.#socket.send(Buffer.from(hex, 'hex'), Number(port), host.replace(/^\[|\]$/g, ''));
  }

  /** Answers every datagram that begins like this. */
  answer(startHex: string, hex: string): void {
    this.#socket.on('message', (bytes, { address, port }) => {
      if (bytes.toString('hex').startsWith(startHex)) {
        this.#socket.send(Buffer.from(hex, 'hex'), port, address);
      }
    });
  }

  /** Sends, and resolves with the next datagram that comes. */
  async ask(to: string, hex: string, withinMs = 2_000): Promise<string> {
    const seen = this.received.length;
    this.send(to, hex);
    return until(() => this.received[seen]?.hex, withinMs);
  }

  /** Resolves when a datagram like this has come, whatever else has. */
  async until(fits: (hex: string) => boolean, withinMs = 10_000): Promise<void> {
    const describe = (): string => JSON.stringify(this.received);
    await until(() => this.received.find(({ hex }) => fits(hex)), withinMs, describe);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
