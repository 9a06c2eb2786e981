/** What is fetched, renewed and announced again, datagram by datagram: wire/simple-dht.md, R5 and R6. */
import { describe, expect, it } from 'vitest';
import { A, at, FAR, putHex, Rig, textOf } from './rig.js';

const PEER = at(1);
const IHAVE = `1 03${A}`;
const GET = `1 00${A}`;

/** A session that has fetched a value from its only peer. */
function fetched(value = 'v'): Rig {
  const rig = new Rig();
  rig.receive(PEER, `03${A}`);
  rig.receive(PEER, putHex(A, value));
  expect(rig.takeSent()).toEqual([GET, IHAVE]);
  return rig;
}

/** Moves the clock and keeps the peer. */
function pass(rig: Rig, seconds: number): void {
  for (let second = 0; second < seconds; second += 1) {
    rig.receive(PEER, '02');
    rig.advance(1_000);
  }
}

describe('a value that was fetched', () => {
  it('is not announced again', () => {
    const rig = fetched();
    pass(rig, 40);
    expect(rig.takeSent()).toEqual([]);
  });

  it('is not fetched again within a few seconds, nor after it was found to be the same', () => {
    const rig = fetched();
    pass(rig, 2);
    rig.receive(PEER, `03${A}`);
    expect(rig.takeSent()).toEqual([]);
    pass(rig, 2);
    rig.receive(PEER, `03${A}`);
    rig.receive(PEER, putHex(A, 'v'));
    expect(rig.takeSent()).toEqual([GET, IHAVE]);
    pass(rig, 2);
    rig.receive(PEER, `03${A}`);
    expect(rig.takeSent()).toEqual([]);
    expect(rig.values.puts).toBe(1);
  });

  it('is renewed by a client that puts it', () => {
    const rig = fetched();
    pass(rig, 1);
    rig.receive(FAR, putHex(A, 'v'));
    rig.receive(PEER, putHex(A, 'v'));
    expect(rig.values.puts).toBe(3);
  });

  it('is renewed by a Put that comes long after we asked for one', () => {
    const rig = fetched();
    pass(rig, 4);
    rig.advance(500);
    rig.receive(PEER, `03${A}`);
    rig.advance(2_100);
    rig.receive(PEER, putHex(A, 'v'));
    expect(rig.values.puts).toBe(2);
  });
});

describe('a value that came over gRPC', () => {
  it('is announced again each 10 s while it lives, except in its last seconds', () => {
    const rig = new Rig();
    rig.values.change(A, Buffer.from('v'), 32_000);
    rig.session.valueChanged(A, Buffer.from('v'), 32_000);
    const told: number[] = [];
    for (let second = 1; second <= 60; second += 1) {
      pass(rig, 1);
      if (rig.takeSent().includes(IHAVE)) told.push(second);
    }
    expect(told).toEqual([10, 20]);
  });

  it('is not announced again when the services have it no more', () => {
    const rig = new Rig();
    rig.session.valueChanged(A, Buffer.from('v'), 60_000);
    pass(rig, 30);
    expect(rig.takeSent()).toEqual([]);
    expect(rig.session.sizes.copies).toBe(0);
  });

  it('is fetched from who still has it when the services have it no more', () => {
    const rig = new Rig();
    rig.session.valueChanged(A, Buffer.from('gone'), 600_000);
    pass(rig, 4);
    rig.receive(PEER, `03${A}`);
    rig.receive(PEER, putHex(A, 'found'));
    expect(textOf(rig.values.valueOf(A))).toBe('found');
  });

  it('is awaited until one fits a datagram', () => {
    const rig = new Rig();
    rig.receive(PEER, `00${A}`);
    rig.values.change(A, new Uint8Array(65_497));
    expect(rig.session.sizes.pending).toBe(1);
    rig.values.change(A, Buffer.from('v'));
    expect(rig.takeSent()).toEqual([`1 ${putHex(A, 'v')}`]);
  });
});

it('announces so many again in one beat, and the others in the next ones', () => {
  const rig = new Rig({ announcedAgainPerBeatMax: 2 });
  const hashes = [1, 2, 3, 4, 5].map((digit) => `000000000000000${digit}`);
  for (const hash of hashes) {
    rig.values.change(hash, Buffer.from('v'));
    rig.session.valueChanged(hash, Buffer.from('v'), Number.POSITIVE_INFINITY);
  }
  pass(rig, 9);
  const perBeat = [1, 2, 3, 4].map(() => {
    pass(rig, 1);
    return rig.takeSent().length;
  });
  expect(perBeat).toEqual([2, 2, 1, 0]);
});
