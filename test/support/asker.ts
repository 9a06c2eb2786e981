/** One who asks over UDP, and looks how long each answer takes. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after } from '../../clients/sdk/timing.js';
import type { HostPort } from '../../services/host-port.js';
import { udpQueues } from './udp-queues.js';

export type Question = { readonly bytes: Buffer; readonly isAnswer: (hex: string) => boolean };

export class Asker implements AsyncDisposable {
  readonly #socket: Socket;
  #heard: (hex: string) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => this.#heard(bytes.toString('hex')));
  }

  static async open(host: string): Promise<Asker> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const listening = once(socket, 'listening');
    socket.bind(0, host);
    await listening;
    return new Asker(socket);
  }

  /**
   * Resolves with how many ms the answer took; rejects when there is none for so long. Asks again when
   * the kernel has dropped something meanwhile, here or there, which may have been question or answer.
   */
  async ask(question: Question, to: HostPort, withinMs: number): Promise<number> {
    for (;;) {
      const before = this.#droppedOn(to);
      try {
        return await this.#askOnce(question, to, withinMs);
      } catch (thrown) {
        if (this.#droppedOn(to) === before) throw thrown;
      }
    }
  }

  #droppedOn({ port }: HostPort): number {
    return udpQueues([this.#socket.address().port, port]).dropped;
  }

  async #askOnce({ bytes, isAnswer }: Question, to: HostPort, withinMs: number): Promise<number> {
    const start = performance.now();
    const answered = new Promise<void>((resolve, reject) => {
      const cancel = after(withinMs, () => reject(new Error(`no answer for ${withinMs} ms`)));
      this.#heard = (hex) => {
        if (!isAnswer(hex)) return;
        cancel();
        resolve();
      };
    });
    this.#socket.send(bytes, to.port, to.host);
    await answered;
    return performance.now() - start;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
