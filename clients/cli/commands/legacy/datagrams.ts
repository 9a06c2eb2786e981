/** A UDP socket of a legacy program, for one command. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after } from '../../../sdk/timing.js';
import type { Where } from './addresses.js';

export type Datagram = { readonly bytes: Uint8Array; readonly from: Where };

export class DatagramEnd {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Port 0 picks one. */
  static async open(host: string, port = 0): Promise<DatagramEnd> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const listening = once(socket, 'listening');
    socket.bind(port, host);
    await listening;
    return new DatagramEnd(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async send({ host, port }: Where, bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(bytes, port, host, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  onMessage(listener: (datagram: Datagram) => void): void {
    this.#socket.on('message', (bytes, { address: host, port }) =>
      listener({ bytes, from: { host, port } }),
    );
  }

  /** Sends, and resolves with the first answer that fits; with nothing after the time. */
  async ask<Answer>(
    to: Where,
    bytes: Uint8Array,
    read: (bytes: Uint8Array) => Answer | undefined,
    withinMs: number,
  ): Promise<Answer | undefined> {
    const answered = new Promise<Answer | undefined>((resolve) => {
      const stopWaiting = after(withinMs, () => resolve(undefined));
      this.onMessage(({ bytes: received }) => {
        const answer = read(received);
        if (answer === undefined) return;
        stopWaiting();
        resolve(answer);
      });
    });
    await this.send(to, bytes);
    return answered;
  }

  close(): void {
    this.#socket.close();
  }
}
