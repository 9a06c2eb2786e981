/**
 * Links to other binders: asks one question of one of them, and says how it ended. Whatever goes wrong
 * is silence: what was missed is found later, and a renewal is then made here.
 */
import type { Client } from '@grpc/grpc-js';
import {
  RegistryServiceService,
  type BinderCaller,
  type HandOnRenewalResponse,
} from '../../proto/gen/ringbinder/internal/v1/registry_service.js';
import { LINK_IDLE_MS, LINKS_MAX } from '../limits.js';
import { callUnary } from '../rpc/channel.js';
import { connectTo } from '../rpc/node-client.js';
import type { Cancel, Clock } from '../system/clock.js';
import type { BinderAnswer, BinderQuestion } from './core/messages.js';
import { stateFromWire, stateToWire } from './wire-state.js';

/** How long an answer may take. A renewal has a caller who waits; states may be many. */
const TIMEOUTS_MS = {
  ping: 1_000,
  renew: 1_000,
  tell: 5_000,
  compare: 5_000,
  pull: 5_000,
} as const satisfies Record<BinderQuestion['kind'], number>;

export type BinderLinksDeps = {
  readonly clock: Clock;
  readonly caller: BinderCaller;
};

type Link = { readonly client: Client; usedAtMs: number };

export class BinderLinks {
  readonly #deps: BinderLinksDeps;
  readonly #links = new Map<string, Link>();
  readonly #stopSweeping: Cancel;
  #isClosed = false;

  constructor(deps: BinderLinksDeps) {
    this.#deps = deps;
    this.#stopSweeping = deps.clock.every(LINK_IDLE_MS, () => this.#closeIdle());
  }

  /** Resolves with the answer, or with nothing; never rejects. */
  async ask(to: string, question: BinderQuestion): Promise<BinderAnswer | undefined> {
    const client = this.#clientOf(to);
    if (client === undefined) return undefined;
    try {
      return await this.#call(client, question);
    } catch {
      this.#drop(to, client);
      return undefined;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stopSweeping();
    for (const { client } of this.#links.values()) client.close();
    this.#links.clear();
  }

  async #call(client: Client, question: BinderQuestion): Promise<BinderAnswer> {
    const { caller } = this.#deps;
    const options = { timeoutMs: TIMEOUTS_MS[question.kind] };
    switch (question.kind) {
      case 'ping': {
        const request = { caller, root: question.root };
        const { root } = await callUnary(client, RegistryServiceService.ping, request, options);
        return { kind: 'pong', root };
      }
      case 'tell': {
        const request = { caller, states: question.endpoints.map(stateToWire) };
        await callUnary(client, RegistryServiceService.tell, request, options);
        return { kind: 'told' };
      }
      case 'compare': {
        const request = { caller };
        const { parts } = await callUnary(client, RegistryServiceService.compare, request, options);
        return { kind: 'parts', parts };
      }
      case 'pull': {
        const { part, after } = question;
        const request = { caller, part, after };
        const answer = await callUnary(client, RegistryServiceService.pull, request, options);
        const { states, hasMore } = answer;
        return { kind: 'pulled', endpoints: states.map(stateFromWire), hasMore };
      }
      case 'renew': {
        const { endpointId, fencingToken } = question;
        const request = { caller, endpointId, fencingToken: BigInt(fencingToken) };
        const method = RegistryServiceService.handOnRenewal;
        return renewalFromWire(await callUnary(client, method, request, options));
      }
    }
  }

  /** A connection through a cut may stay stuck long after the cut is mended: the next is a new one. */
  #drop(address: string, client: Client): void {
    if (this.#links.get(address)?.client !== client) return;
    this.#links.delete(address);
    client.close();
  }

  #clientOf(address: string): Client | undefined {
    if (this.#isClosed) return undefined;
    const usedAtMs = this.#deps.clock.monotonicMs();
    const known = this.#links.get(address);
    if (known !== undefined) {
      known.usedAtMs = usedAtMs;
      return known.client;
    }
    if (this.#links.size >= LINKS_MAX) return undefined;
    const client = connectTo(address);
    this.#links.set(address, { client, usedAtMs });
    return client;
  }

  #closeIdle(): void {
    const idleSinceMs = this.#deps.clock.monotonicMs() - LINK_IDLE_MS;
    for (const [address, { client, usedAtMs }] of this.#links) {
      if (usedAtMs > idleSinceMs) continue;
      client.close();
      this.#links.delete(address);
    }
  }
}

function renewalFromWire({ outcome }: HandOnRenewalResponse): BinderAnswer {
  switch (outcome?.$case) {
    case 'leaseTtlMs':
      return { kind: 'renewed', ttlMs: Number(outcome.value) };
    case 'currentToken':
      return { kind: 'not-renewed', currentToken: Number(outcome.value) };
    default:
      return { kind: 'not-renewed', currentToken: undefined };
  }
}
