/**
 * Links to other peers over gRPC: asks one question of one peer, and says how it ended.
 *
 * A connection that breaks says nothing about the peer behind it, so a call that failed on the way is
 * tried again, at once and after two short pauses, within the answer timeout. What is left counts as
 * silence. Every refusal is an answer: it proves that the peer lives. A lookup that is passed on has a
 * time of its own and is tried once: its asker knows other ways.
 */
import type { Client } from '@grpc/grpc-js';
import {
  NodeServiceService,
  type ForwardLookupResponse,
} from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import {
  PeerServiceService,
  type Caller,
  type FindSuccessorResponse,
} from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError, type ErrorReason } from '../errors.js';
import { callUnary } from '../rpc/channel.js';
import { LinkPool } from '../rpc/link-pool.js';
import { connectTo } from '../rpc/node-client.js';
import type { Clock } from '../system/clock.js';
import type { Reply } from './core/conversation.js';
import { PATH_HOPS_MAX } from './core/forward.js';
import type { Answer, Question } from './core/messages.js';
import { hostOf, type PeerRef } from './core/ring-space.js';
import { ALTERNATES_MAX } from './core/routing.js';
import {
  aliveFromWire,
  callerToWire,
  hopFromWire,
  letterToWire,
  neighborsFromWire,
  peerFromWire,
  peerToWire,
} from './wire.js';

/** Pauses before the second and the third try. */
const RETRY_PAUSES_MS = [50, 150] as const;

export type PeerLinksDeps = {
  readonly clock: Clock;
  readonly answerTimeoutMs: number;
  readonly ringSize: number;
  readonly ringName: string;
};

export class PeerLinks {
  readonly #deps: PeerLinksDeps;
  readonly #clients: LinkPool<Client>;

  constructor(deps: PeerLinksDeps) {
    this.#deps = deps;
    const close = (client: Client): void => client.close();
    this.#clients = new LinkPool({ clock: deps.clock, open: connectTo, close });
  }

  /** Asks, and resolves with the answer or with silence; never rejects. */
  async ask(from: PeerRef, to: PeerRef, question: Question): Promise<Reply> {
    const { clock, answerTimeoutMs } = this.#deps;
    const start = clock.monotonicMs();
    const elapsedMs = (): number => clock.monotonicMs() - start;
    const isPassedOn = question.kind === 'forward-lookup';
    const patienceMs = isPassedOn ? question.budgetMs : answerTimeoutMs;
    for (const pauseMs of [0, ...(isPassedOn ? [] : RETRY_PAUSES_MS)]) {
      if (pauseMs > 0) await new Promise<void>((wake) => clock.after(pauseMs, wake));
      const timeoutMs = patienceMs - elapsedMs();
      if (timeoutMs <= 0) break;
      try {
        const answer = await this.#askOnce(from, to, question, timeoutMs);
        return { kind: 'answered', answer, elapsedMs: elapsedMs() };
      } catch (thrown) {
        if (thrown instanceof RingbinderError) {
          return { kind: 'answered', answer: refusalOf(thrown.reason), elapsedMs: elapsedMs() };
        }
      }
    }
    return { kind: 'unanswered', elapsedMs: elapsedMs() };
  }

  close(): void {
    this.#clients.close();
  }

  async #askOnce(
    from: PeerRef,
    to: PeerRef,
    question: Question,
    timeoutMs: number,
  ): Promise<Answer> {
    const { ringName, ringSize } = this.#deps;
    const caller = callerToWire(from, ringName, to);
    const client = this.#clients.get(hostOf(to));
    const options = { timeoutMs };
    switch (question.kind) {
      case 'neighbors': {
        const method = PeerServiceService.getNeighbors;
        const wire = await callUnary(client, method, { caller }, options);
        return { kind: 'neighbors', ...neighborsFromWire(wire, ringSize) };
      }
      case 'find-successor': {
        const method = PeerServiceService.findSuccessor;
        const avoidedPeers = question.avoided.map(peerToWire);
        const ringId = BigInt(question.position);
        const alternatesMax = question.alternatesMax ?? 0;
        const request = { ringId, avoidedPeers, caller, alternatesMax };
        return stepFromWire(await callUnary(client, method, request, options), ringSize);
      }
      case 'forward-lookup': {
        const method = NodeServiceService.forwardLookup;
        const { position, avoided, hopsMax } = question;
        const avoidedPeers = avoided.map(peerToWire);
        const request = { ringId: BigInt(position), avoidedPeers, hopsMax, caller };
        return foundFromWire(await callUnary(client, method, request, options), ringSize);
      }
      case 'ping': {
        const wire = await callUnary(client, PeerServiceService.ping, { caller }, options);
        return { kind: 'alive', ...aliveFromWire(wire, ringSize) };
      }
      case 'deliver': {
        const request = { message: letterToWire(question.letter), caller };
        await callUnary(client, NodeServiceService.deliverMessage, request, options);
        return { kind: 'delivered' };
      }
      default:
        await tell(client, question, caller, options);
        return { kind: 'noted' };
    }
  }
}

type Telling = Extract<Question, { kind: 'notify' | 'nudge' | 'departure' }>;

/** Questions that are only acknowledged. */
async function tell(
  client: Client,
  question: Telling,
  caller: Caller,
  options: { readonly timeoutMs: number },
): Promise<void> {
  switch (question.kind) {
    case 'notify': {
      const request = { candidate: peerToWire(question.candidate), caller };
      await callUnary(client, PeerServiceService.notify, request, options);
      return;
    }
    case 'nudge':
      await callUnary(client, NodeServiceService.nudgePeer, { caller }, options);
      return;
    case 'departure': {
      const request = { peer: peerToWire(question.peer), caller };
      await callUnary(client, NodeServiceService.announceDeparture, request, options);
    }
  }
}

function stepFromWire({ answer, alternates }: FindSuccessorResponse, ringSize: number): Answer {
  if (answer === undefined) return { kind: 'busy' };
  const kind = answer.$case === 'owner' ? 'owner' : 'next-hop';
  const others = alternates.slice(0, ALTERNATES_MAX);
  return {
    kind,
    peer: peerFromWire(answer.value, ringSize),
    alternates: others.map((peer) => peerFromWire(peer, ringSize)),
  };
}

function foundFromWire({ owner, hops }: ForwardLookupResponse, ringSize: number): Answer {
  if (owner === undefined) return { kind: 'not-found' };
  const path = hops.slice(-PATH_HOPS_MAX).map((hop) => hopFromWire(hop, ringSize));
  return { kind: 'found', owner: peerFromWire(owner, ringSize), hops: path };
}

/** What a peer's refusal says about it. One that fails in a way of its own lives, and is kept. */
function refusalOf(reason: ErrorReason): Answer {
  switch (reason) {
    case 'PEER_NOT_MEMBER':
    case 'ROLE_NOT_SERVED':
      return { kind: 'not-member' };
    case 'INCARNATION_STALE':
    case 'RING_MISMATCH':
      return { kind: 'stale' };
    case 'LOOKUP_FAILED':
      return { kind: 'not-found' };
    case 'INBOX_FULL':
      return { kind: 'inbox-full' };
    default:
      return { kind: 'busy' };
  }
}
