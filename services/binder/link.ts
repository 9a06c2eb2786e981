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
import { callUnary } from '../rpc/channel.js';
import { LinkPool } from '../rpc/link-pool.js';
import { connectTo } from '../rpc/node-client.js';
import type { Clock } from '../system/clock.js';
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

export class BinderLinks {
  readonly #deps: BinderLinksDeps;
  readonly #clients: LinkPool<Client>;
  #isClosed = false;

  constructor(deps: BinderLinksDeps) {
    this.#deps = deps;
    const close = (client: Client): void => client.close();
    this.#clients = new LinkPool({ clock: deps.clock, open: connectTo, close });
  }

  /** Resolves with the answer, or with nothing; never rejects. */
  async ask(to: string, question: BinderQuestion): Promise<BinderAnswer | undefined> {
    if (this.#isClosed) return undefined;
    const client = this.#clients.get(to);
    try {
      return await this.#call(client, question);
    } catch {
      // A connection through a cut may stay stuck long after the cut is mended.
      this.#clients.drop(to, client);
      return undefined;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#clients.close();
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
