/**
 * A client of one UDP socket that has so many questions in flight: each answer is followed by the next
 * question. It fails when an answer stays away, for then the rate would be one of lost datagrams.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parseHostPort, type HostPort } from '../services/host-port.js';

const SILENCE_MS = 2_000;

export type DatagramLoadOptions = { readonly inFlight: number; readonly ms: number };

export class DatagramLoad implements Disposable {
  readonly #socket: Socket;
  readonly #to: HostPort;
  readonly #request: Uint8Array;

  private constructor(socket: Socket, to: HostPort, request: Uint8Array) {
    this.#socket = socket;
    this.#to = to;
    this.#request = request;
  }

  static async open(address: string, request: Uint8Array): Promise<DatagramLoad> {
    const to = parseHostPort(address);
    if (to === undefined) throw new Error(`no address: ${address}`);
    const isIpv6 = to.host.includes(':');
    const socket = createSocket(isIpv6 ? 'udp6' : 'udp4');
    const listening = once(socket, 'listening');
    socket.bind(0, isIpv6 ? '::1' : '127.0.0.1');
    await listening;
    return new DatagramLoad(socket, to, request);
  }

  /** Resolves with the next datagram that comes, once the request has been sent. */
  async ask(): Promise<Buffer> {
    const answered = once(this.#socket, 'message', { signal: AbortSignal.timeout(SILENCE_MS) });
    this.#send();
    const [answer] = (await answered) as [Buffer];
    return answer;
  }

  /** Answers in a second. Rejects when one stays away. */
  async perSecond({ inFlight, ms }: DatagramLoadOptions): Promise<number> {
    const start = performance.now();
    let open = inFlight;
    let done = 0;
    const ended = new Promise<void>((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`${open} of ${done + open} questions were not answered`)),
        ms + SILENCE_MS,
      );
      this.#socket.on('message', () => {
        done += 1;
        if (performance.now() - start < ms) return this.#send();
        open -= 1;
        if (open > 0) return;
        clearTimeout(late);
        resolve();
      });
    });
    try {
      for (let sent = 0; sent < inFlight; sent += 1) this.#send();
      await ended;
      return (done * 1_000) / (performance.now() - start);
    } finally {
      this.#socket.removeAllListeners('message');
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #send(): void {
    this.#socket.send(this.#request, this.#to.port, this.#to.host);
  }
}
