/**
 * The node that a bridge works with: one of several, and the next one when it is gone.
 *
 * Its health is watched (`grpc.health.v1`), so that a node which leaves, dies or stands still is noticed
 * without a call. Calls fail at once while no node serves; what goes on for long begins anew with the next.
 * That no node serves is logged once, and that one serves again.
 */
import { status, type Client, type ServiceError } from '@grpc/grpc-js';
import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import {
  HealthCheckResponse_ServingStatus as Serving,
  HealthService,
} from '../../proto/gen/grpc/health/v1/health.js';
import { RingbinderError } from '../errors.js';
import { callServerStream, callUnary } from '../rpc/channel.js';
import type { RequestCodec, ResponseCodec } from '../rpc/handlers.js';
import { OVERALL } from '../rpc/health.js';
import { connectTo } from '../rpc/node-client.js';
import { pause, type Clock } from '../system/clock.js';

export type NodeLinkDeps = {
  /** `host:port` of nodes of one ring, any of which will do; at least one. */
  readonly servers: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
};

/** What goes on with one node; to end when the signal says so. */
export type Following = (client: Client, signal: AbortSignal) => Promise<void>;

/** Between two tries, of a node and of what goes on with it. */
const AGAIN_MS = 500;
/** A node that has not said how it is after so long counts as gone. */
const FIRST_ANSWER_MS = 5_000;
/** Old programs wait for 2 to 5 s. */
const CALL_MS = 4_000;
/** Calls under way; more are refused. */
const CALLS_MAX = 2_048;

export class NodeLink {
  readonly #deps: NodeLinkDeps;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #runs = new Set<AbortController>();
  /** Of the node that serves. */
  #client: Client | undefined;
  #endStay: () => void = () => undefined;
  #calls = 0;
  #isGoneSaid = false;
  #isLackSaid = false;

  constructor(deps: NodeLinkDeps) {
    this.#deps = deps;
    // One for each service that is watched, and no warning about that.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Aborted when the link is closed. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** Looks for a node from now on. */
  start(): void {
    void this.#search();
  }

  close(): void {
    this.#closing.abort();
    this.#endStay();
    this.#wake();
  }

  /** Rejects as `callUnary` does; with `PEER_UNREACHABLE` while no node serves, `PEER_BUSY` behind too many. */
  async call<Request, Response>(
    method: RequestCodec<Request> & ResponseCodec<Response>,
    request: Request,
    timeoutMs = CALL_MS,
  ): Promise<Response> {
    const client = this.#client;
    if (client === undefined) throw new RingbinderError('PEER_UNREACHABLE', 'no node answers');
    if (this.#calls >= CALLS_MAX) {
      throw new RingbinderError('PEER_BUSY', `${CALLS_MAX} calls are under way`);
    }
    this.#calls += 1;
    try {
      return await callUnary(client, method, request, { timeoutMs });
    } finally {
      this.#calls -= 1;
    }
  }

  /**
   * Goes on with whichever node serves, anew after a pause when that has ended or failed, until the signal
   * says so. A node that lacks the service is not asked again.
   */
  async whileServed(signal: AbortSignal, follow: Following): Promise<void> {
    const isOver = (): boolean => signal.aborted || this.#isClosed();
    while (!isOver()) {
      await this.#served(signal);
      if (this.#client !== undefined && !isOver()) await this.#run(this.#client, signal, follow);
      await pause(this.#deps.clock, AGAIN_MS, signal);
    }
  }

  async #run(client: Client, signal: AbortSignal, follow: Following): Promise<void> {
    const run = new AbortController();
    const end = (): void => run.abort();
    this.#runs.add(run);
    signal.addEventListener('abort', end);
    try {
      await follow(client, run.signal);
    } catch (err) {
      this.#deps.log.debug({ err }, 'what went on with the node has failed');
      if (isLacking(err)) await this.#gone(run.signal);
    } finally {
      this.#runs.delete(run);
      signal.removeEventListener('abort', end);
    }
  }

  /** Waits until a node serves, or the signal. */
  async #served(signal: AbortSignal): Promise<void> {
    if (this.#client !== undefined || signal.aborted || this.#isClosed()) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  /** Says once that the node lacks something, and waits until it is gone. */
  async #gone(signal: AbortSignal): Promise<void> {
    if (!this.#isLackSaid) this.#deps.log.warn('the node does not serve all that is needed');
    this.#isLackSaid = true;
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  async #search(): Promise<void> {
    const { servers, clock, log } = this.#deps;
    while (!this.#isClosed()) {
      for (const server of servers) if (!this.#isClosed()) await this.#stayWith(server);
      if (!this.#isGoneSaid && !this.#isClosed()) {
        this.#isGoneSaid = true;
        log.warn({ servers }, 'no node answers; the bridge tries on');
      }
      await pause(clock, AGAIN_MS, this.closed);
    }
  }

  /** Ends when the node does not serve, or serves no more. */
  async #stayWith(server: string): Promise<void> {
    const { clock, log } = this.#deps;
    const client = connectTo(server);
    const stay = new AbortController();
    this.#endStay = () => stay.abort();
    const cancel = clock.after(FIRST_ANSWER_MS, this.#endStay);
    const options = { signal: stay.signal };
    try {
      const told = callServerStream(client, HealthService.watch, { service: OVERALL }, options);
      for await (const { status: serving } of told) {
        if (serving !== Serving.SERVING) break;
        cancel();
        if (this.#client === undefined) this.#begin(server, client);
      }
    } catch (err) {
      log.debug({ err, server }, 'a node can not be reached');
    } finally {
      cancel();
      if (this.#client === client) this.#end(server);
      client.close();
    }
  }

  #begin(server: string, client: Client): void {
    this.#client = client;
    this.#isGoneSaid = false;
    this.#isLackSaid = false;
    this.#deps.log.info({ server }, 'the node answers');
    this.#wake();
  }

  #end(server: string): void {
    this.#client = undefined;
    for (const run of [...this.#runs]) run.abort();
    if (this.#isClosed()) return;
    this.#isGoneSaid = true;
    this.#deps.log.warn({ server }, 'the node is gone; the bridge tries on');
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

function isLacking(thrown: unknown): boolean {
  return (thrown as Partial<ServiceError>).code === status.UNIMPLEMENTED;
}
