/** Peer streams under what takes long: a gibibyte each way, and readers that are silent. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PeerStream } from '../../clients/sdk/index.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { crossed, digestOf, restOf, writeUntilStuck } from '../support/peer-streams.js';

const MIB = 2 ** 20;
const SILENCE_MS = 40_000;

let net: TestNet;
let one: TestNode;
let other: TestNode;

beforeAll(async () => {
  net = new TestNet();
  [one, other] = (await net.ring(2)) as [TestNode, TestNode];
  await untilIdeal([one, other], 10_000);
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

async function pair(name: string): Promise<readonly [PeerStream, PeerStream]> {
  const ends = crossed(one, other, name);
  await Promise.all(ends.map(async (end) => end.connect()));
  return ends;
}

/** Resident memory of a process. */
function residentMib({ process: { pid = 0 } }: TestNode): number {
  const [, kib = '0'] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}

/** Writes so many times the same random MiB, and resolves with the digest of all. */
async function pour(stream: PeerStream, times: number): Promise<string> {
  const block = randomBytes(MIB);
  const hash = createHash('sha256');
  for (let turn = 0; turn < times; turn += 1) {
    block.writeUInt32BE(turn, 0);
    hash.update(block);
    if (!stream.write(Buffer.from(block))) await once(stream, 'drain');
  }
  stream.end();
  return hash.digest('hex');
}

describe('a peer stream', () => {
  it('carries 1 GiB each way at once, unchanged, in bounded memory', async () => {
    const [here, there] = await pair('large');
    const [sent, back, gotThere, gotHere] = await Promise.all([
      pour(here, 1_024),
      pour(there, 1_024),
      digestOf(there),
      digestOf(here),
    ]);
    expect(gotThere).toEqual({ bytes: 1_024 * MIB, sha256: sent });
    expect(gotHere).toEqual({ bytes: 1_024 * MIB, sha256: back });
    expect(Math.max(residentMib(one), residentMib(other))).toBeLessThan(700);
  }, 240_000);

  it('goes on after 40 s in which nobody read, and nothing grew meanwhile', async () => {
    const ends = await pair('silent');
    const bytes = await Promise.all(ends.map(async (end) => writeUntilStuck(end, 1_000)));
    const before = [one, other].map(residentMib);
    await new Promise((wake) => setTimeout(wake, SILENCE_MS));
    const growth = [one, other].map((node, index) => residentMib(node) - (before[index] ?? 0));
    expect(Math.max(...growth)).toBeLessThan(32);
    for (const end of ends) end.end();
    const [gotHere, gotThere] = await Promise.all(ends.map(restOf));
    expect(gotHere).toHaveLength(bytes[1]!);
    expect(gotThere).toHaveLength(bytes[0]!);
  }, 90_000);
});
