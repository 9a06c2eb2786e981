/**
 * What peers send each other, counted: messages, and the bytes they have as protobuf messages in gRPC
 * frames (5 bytes each). HTTP/2 headers are not counted. Sizes follow the protos' fields; a test
 * holds them against the generated encoders.
 */
import type { Answer, Hop, Neighbors, Question } from '../peer/core/messages.js';
import type { PeerRef } from '../peer/core/ring-space.js';

const FRAME_BYTES = 5;
/** A ring's name is made of 17 characters. */
const RING_NAME_BYTES = 17;
/** Before a field's value: its tag, of a field number below 16. */
const TAG_BYTES = 1;

export type Traffic = { messages: number; bytes: number };

/** The request that asks this question of that peer. */
export function questionBytes(question: Question, from: PeerRef, to: PeerRef): number {
  return FRAME_BYTES + callerBytes(from, to) + contentBytes(question);
}

/** The response that gives this answer, or the status that refuses one (its message not counted). */
export function answerBytes(answer: Answer): number {
  switch (answer.kind) {
    case 'neighbors':
      return FRAME_BYTES + neighborsBytes(answer);
    case 'alive':
      return FRAME_BYTES + placeBytes(answer.self, answer.predecessor) + TAG_BYTES + 1;
    case 'owner':
    case 'next-hop':
      return FRAME_BYTES + peerFieldBytes(answer.peer) + sumOf(answer.alternates ?? []);
    case 'found':
      return FRAME_BYTES + peerFieldBytes(answer.owner) + pathBytes(answer.hops);
    default:
      return FRAME_BYTES;
  }
}

function contentBytes(question: Question): number {
  switch (question.kind) {
    case 'find-successor':
      return (
        numberFieldBytes(question.position) +
        sumOf(question.avoided) +
        numberFieldBytes(question.alternatesMax ?? 0)
      );
    case 'forward-lookup':
      return (
        numberFieldBytes(question.position) +
        sumOf(question.avoided) +
        numberFieldBytes(question.hopsMax)
      );
    case 'notify':
      return peerFieldBytes(question.candidate);
    case 'departure':
      return peerFieldBytes(question.peer);
    case 'deliver': {
      const { messageId, fromRingId, payload, path } = question.letter;
      const texts = textFieldBytes(messageId.length) + textFieldBytes(payload.length);
      return textFieldBytes(texts + numberFieldBytes(fromRingId) + sumOf(path));
    }
    default:
      return 0;
  }
}

function neighborsBytes({ self, predecessor, successors }: Neighbors): number {
  return placeBytes(self, predecessor) + sumOf(successors);
}

function placeBytes(self: PeerRef, predecessor: PeerRef | undefined): number {
  const before = predecessor === undefined ? 0 : peerFieldBytes(predecessor);
  return peerFieldBytes(self) + numberFieldBytes(self.incarnation) + before;
}

function pathBytes(hops: readonly Hop[]): number {
  let bytes = 0;
  for (const { peer, elapsedMs } of hops) {
    bytes += textFieldBytes(peerFieldBytes(peer) + durationFieldBytes(elapsedMs));
  }
  return bytes;
}

/** Seconds and nanoseconds; the message is there even when both are 0. */
function durationFieldBytes(ms: number): number {
  const seconds = Math.floor(ms / 1_000);
  const nanos = Math.floor((ms - seconds * 1_000) * 1_000_000);
  return TAG_BYTES + 1 + numberFieldBytes(seconds) + numberFieldBytes(nanos);
}

function callerBytes(from: PeerRef, to: PeerRef): number {
  const name = textFieldBytes(RING_NAME_BYTES);
  // The peer that is meant stands there also when its ring ID is 0.
  const meant = TAG_BYTES + varintBytes(to.ringId);
  return textFieldBytes(peerFieldBytes(from) + name + numberFieldBytes(to.incarnation) + meant);
}

function sumOf(peers: readonly PeerRef[]): number {
  let bytes = 0;
  for (const peer of peers) bytes += peerFieldBytes(peer);
  return bytes;
}

function peerFieldBytes({ ringId, address, incarnation }: PeerRef): number {
  return textFieldBytes(
    numberFieldBytes(ringId) + textFieldBytes(address.length) + numberFieldBytes(incarnation),
  );
}

/** proto3 leaves out what is empty. */
function textFieldBytes(length: number): number {
  return length === 0 ? 0 : TAG_BYTES + varintBytes(length) + length;
}

function numberFieldBytes(value: number): number {
  return value === 0 ? 0 : TAG_BYTES + varintBytes(value);
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}
