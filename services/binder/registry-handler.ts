/** The gRPC face of a binder towards other binders: RegistryService. */
import type {
  BinderCaller,
  HandOnRenewalResponse,
  RegistryServiceServer,
} from '../../proto/gen/ringbinder/internal/v1/registry_service.js';
import { RingbinderError } from '../errors.js';
import type { Handlers } from '../rpc/handlers.js';
import type { BinderAnswer, BinderQuestion } from './core/messages.js';
import { stateFromWire, stateToWire } from './wire-state.js';

export type RegistryHandlerDeps = {
  /** Throws `PEER_NOT_MEMBER` before the node has found its ring. */
  readonly ringName: () => string;
  /** Answers a question of another binder. */
  readonly asked: (from: string, question: BinderQuestion) => BinderAnswer;
};

export function createRegistryHandler(deps: RegistryHandlerDeps): Handlers<RegistryServiceServer> {
  const ask = <Kind extends BinderAnswer['kind']>(
    caller: BinderCaller | undefined,
    question: BinderQuestion,
    ...expected: readonly Kind[]
  ): Extract<BinderAnswer, { kind: Kind }> => {
    const { address, ringName: meant } = caller ?? { address: '', ringName: '' };
    const ringName = deps.ringName();
    if (meant !== '' && meant !== ringName) {
      const facts = { ringName, meantRingName: meant };
      throw new RingbinderError('RING_MISMATCH', `this binder belongs to ${ringName}`, facts);
    }
    const answer = deps.asked(address, question);
    if (isOneOf(answer, expected)) return answer;
    throw new Error(`a question ${question.kind} had the answer ${answer.kind}`);
  };
  return {
    ping: async ({ caller, root }) => ({ root: ask(caller, { kind: 'ping', root }, 'pong').root }),
    tell: async ({ caller, states }) => {
      ask(caller, { kind: 'tell', endpoints: states.map(stateFromWire) }, 'told');
      return {};
    },
    compare: async ({ caller }) => ({ parts: ask(caller, { kind: 'compare' }, 'parts').parts }),
    pull: async ({ caller, part, after }) => {
      const { endpoints, hasMore } = ask(caller, { kind: 'pull', part, after }, 'pulled');
      return { states: endpoints.map(stateToWire), hasMore };
    },
    handOnRenewal: async ({ caller, endpointId, fencingToken }) => {
      const question = { kind: 'renew', endpointId, fencingToken: Number(fencingToken) } as const;
      return renewalToWire(ask(caller, question, 'renewed', 'not-renewed'));
    },
  };
}

function renewalToWire(
  answer: Extract<BinderAnswer, { kind: 'renewed' | 'not-renewed' }>,
): HandOnRenewalResponse {
  if (answer.kind === 'renewed') {
    return { outcome: { $case: 'leaseTtlMs', value: BigInt(Math.round(answer.ttlMs)) } };
  }
  const { currentToken } = answer;
  if (currentToken === undefined) return { outcome: { $case: 'elsewhere', value: {} } };
  return { outcome: { $case: 'currentToken', value: BigInt(currentToken) } };
}

function isOneOf<Kind extends BinderAnswer['kind']>(
  answer: BinderAnswer,
  kinds: readonly Kind[],
): answer is Extract<BinderAnswer, { kind: Kind }> {
  return kinds.some((kind) => kind === answer.kind);
}
