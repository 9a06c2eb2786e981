/**
 * Serves the dashboard over HTTP: the files of the page, its questions as JSON, its events as
 * Server-Sent Events. Reads only, from whoever reaches the port.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RingbinderError } from '../errors.js';
import { formatHostPort, isLoopback, parseHostPort, type HostPort } from '../host-port.js';
import type { Clock } from '../system/clock.js';
import { askFor, httpStatusOf, refusalToJson, type ApiDeps } from './api.js';
import type { Asset } from './assets.js';
import { broadcast } from './broadcast.js';
import { EventStream } from './event-stream.js';
import type { RefusalJson } from './messages.js';

/** What a server grants to those who read. */
export type DashboardLimits = {
  readonly connectionsMax: number;
  /** Pages that are told of events. */
  readonly streamsMax: number;
  /** Questions that the node is answering. */
  readonly questionsMax: number;
  readonly requestMs: number;
  /** How long a page may read nothing of what waits for it. */
  readonly slowReaderMs: number;
};

export const DASHBOARD_LIMITS: DashboardLimits = {
  connectionsMax: 128,
  streamsMax: 16,
  questionsMax: 32,
  requestMs: 10_000,
  slowReaderMs: 10_000,
};

export type DashboardDeps = ApiDeps & {
  readonly assets: ReadonlyMap<string, Asset>;
  readonly clock: Clock;
  readonly limits: DashboardLimits;
  /** Told when a connection could not be accepted: too many open files, for instance. */
  readonly failed: (error: Error) => void;
};

/** Nothing comes from elsewhere, nothing is framed, nothing is kept. */
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
} as const;

export class DashboardServer {
  readonly #deps: DashboardDeps;
  readonly #place: HostPort;
  readonly #server: Server;
  #streams = 0;
  #questions = 0;

  private constructor(place: HostPort, deps: DashboardDeps) {
    this.#deps = deps;
    this.#place = place;
    const { requestMs, connectionsMax } = deps.limits;
    this.#server = createServer({ requestTimeout: requestMs }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.maxConnections = connectionsMax;
  }

  /** Rejects when the port can't be had. */
  static async open(place: HostPort, deps: DashboardDeps): Promise<DashboardServer> {
    const dashboard = new DashboardServer(place, deps);
    dashboard.#server.listen(place);
    await once(dashboard.#server, 'listening');
    dashboard.#server.on('error', deps.failed);
    return dashboard;
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

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(`http://dashboard${request.url ?? ''}`);
    if (url === null) {
      refuse(response, 400, 'URL_INVALID', 'this is no path');
      return;
    }
    if (!this.#isMeant(request)) {
      refuse(response, 421, 'HOST_UNKNOWN', 'another host is meant');
      return;
    }
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET');
      refuse(response, 405, 'METHOD_UNKNOWN', 'there is only GET');
      return;
    }
    const asset = this.#deps.assets.get(url.pathname);
    if (asset !== undefined) {
      send(response, 200, asset);
      return;
    }
    if (url.pathname === '/api/events') return this.#tell(response);
    return this.#ask(url, response);
  }

  /** A page of elsewhere whose name was made to lead to this machine is not let in. */
  #isMeant({ headers }: IncomingMessage): boolean {
    if (!isLoopback(this.#place.host)) return true;
    const host = headers.host ?? '';
    const named = parseHostPort(/:\d+$/.test(host) ? host : `${host}:80`);
    return named !== undefined && isLoopback(named.host);
  }

  async #ask(url: URL, response: ServerResponse): Promise<void> {
    if (this.#questions >= this.#deps.limits.questionsMax) {
      refuseBusy(response);
      return;
    }
    this.#questions += 1;
    try {
      const answer = await askFor(url, this.#deps);
      if (answer === undefined) refuse(response, 404, 'PATH_UNKNOWN', 'there is no such path');
      else sendJson(response, 200, answer);
    } catch (thrown) {
      const error = RingbinderError.from(thrown);
      sendJson(response, httpStatusOf(error), refusalToJson(error));
    } finally {
      this.#questions -= 1;
    }
  }

  async #tell(response: ServerResponse): Promise<void> {
    const { clock, limits } = this.#deps;
    if (this.#streams >= limits.streamsMax) {
      refuseBusy(response);
      return;
    }
    this.#streams += 1;
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    await broadcast(new EventStream(response, clock, limits.slowReaderMs), this.#deps, clock);
    this.#streams -= 1;
  }
}

function refuseBusy(response: ServerResponse): void {
  response.setHeader('retry-after', '1');
  refuse(response, 503, 'DASHBOARD_BUSY', 'too many others are served');
}

function refuse(response: ServerResponse, status: number, reason: string, text: string): void {
  const refusal: RefusalJson = { reason, text };
  sendJson(response, status, refusal);
}

function sendJson(response: ServerResponse, status: number, json: unknown): void {
  const bytes = Buffer.from(JSON.stringify(json));
  send(response, status, { type: 'application/json; charset=utf-8', bytes });
}

function send(response: ServerResponse, status: number, { type, bytes }: Asset): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type, 'content-length': bytes.length });
  response.end(bytes);
}
