/**
 * Forwarding whole services to another node: calls go out as they came in, and its answers and
 * refusals come back unchanged. A forwarded call is marked, so that it is never forwarded twice.
 */
import { Metadata, type Client, type ServiceError } from '@grpc/grpc-js';
import { RingbinderError } from '../errors.js';
import { callServerStream, callUnary, fromServiceError } from './channel.js';
import type { CallContext, RpcMethod } from './handlers.js';
import { connectTo } from './node-client.js';
import { FORWARDED_KEY } from './running-call.js';
import { REQUEST_ID_KEY } from './status.js';

export type ForwarderDeps = {
  /** Where to forward to; undefined while that is not known. */
  readonly target: () => string | undefined;
  /** How long a unary call may take. */
  readonly timeoutMs: number;
  /** The refusal when the target is not known, does not answer, or would have to forward again. */
  readonly unreachable: (target: string | undefined, cause?: unknown) => RingbinderError;
};

type Definition = Readonly<Record<string, RpcMethod>>;

export class Forwarder {
  readonly #deps: ForwarderDeps;
  #open: { readonly address: string; readonly client: Client } | undefined;

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
  }

  /** Handlers of every unary and server-streaming method of a service. */
  handlers(definition: Definition): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(definition).map(([name, method]) => [
        name,
        method.responseStream
          ? (request: unknown, context: CallContext) => this.#stream(method, request, context)
          : async (request: unknown, context: CallContext) => this.#unary(method, request, context),
      ]),
    );
  }

  close(): void {
    this.#open?.client.close();
    this.#open = undefined;
  }

  async #unary(method: RpcMethod, request: unknown, context: CallContext): Promise<unknown> {
    const { client, address } = this.#clientFor(context);
    const timeoutMs = Math.min(this.#deps.timeoutMs, context.deadlineMs ?? this.#deps.timeoutMs);
    try {
      return await callUnary(client, method, request, { timeoutMs, metadata: marked(context) });
    } catch (thrown) {
      throw thrown instanceof RingbinderError ? thrown : this.#deps.unreachable(address, thrown);
    }
  }

  async *#stream(
    method: RpcMethod,
    request: unknown,
    context: CallContext,
  ): AsyncGenerator<unknown, void, void> {
    const { client, address } = this.#clientFor(context);
    const options = { signal: context.signal, metadata: marked(context) };
    try {
      yield* callServerStream(client, method, request, options);
    } catch (thrown) {
      throw this.#refusal(thrown as ServiceError, address);
    }
  }

  #clientFor({ isForwarded }: CallContext): { readonly client: Client; readonly address: string } {
    const address = this.#deps.target();
    if (address === undefined || isForwarded) throw this.#deps.unreachable(address);
    if (this.#open?.address !== address) {
      this.close();
      this.#open = { address, client: connectTo(address) };
    }
    return this.#open;
  }

  /** The target's own refusal, or that it does not answer. */
  #refusal(error: ServiceError, address: string): RingbinderError {
    return fromServiceError(error) ?? this.#deps.unreachable(address, error);
  }
}

function marked({ requestId }: CallContext): Metadata {
  const metadata = new Metadata();
  metadata.set(FORWARDED_KEY, '1');
  metadata.set(REQUEST_ID_KEY, requestId);
  return metadata;
}
