/** Serves `/metrics` over HTTP, for Prometheus. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { formatHostPort, type HostPort } from '../host-port.js';
import type { Meters } from './meters.js';

const REQUEST_MS_MAX = 10_000;
const CONNECTIONS_MAX = 64;

export class MetricsServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects when the port can't be had. */
  static async open({ host, port }: HostPort, meters: Meters): Promise<MetricsServer> {
    const server = createServer({ requestTimeout: REQUEST_MS_MAX }, (request, response) => {
      const isFound = request.url?.split('?')[0] === '/metrics';
      if (!isFound) return end(response, 404, 'there is only /metrics\n');
      if (request.method !== 'GET') return end(response, 405, 'only GET\n', { allow: 'GET' });
      meters.text().then(
        (text) => end(response, 200, text, { 'content-type': meters.contentType }),
        () => end(response, 500, 'the metrics could not be read\n'),
      );
    });
    server.maxConnections = CONNECTIONS_MAX;
    server.listen({ host, port });
    await once(server, 'listening');
    return new MetricsServer(server);
  }

  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return formatHostPort({ host: address, port });
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function end(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers });
  response.end(text);
}
