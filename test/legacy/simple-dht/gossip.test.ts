/** Sessions among sessions and originals: wire/simple-dht.md, sections 3 and 7. */
import { describe, expect, it } from 'vitest';
import { A, at, hashOf, hexOf, putHex, textOf } from './rig.js';
import { World } from './world.js';

const VAL = '0000000000000abc';
const put = (value: string, hash = VAL): string => putHex(hash, value);

/** Two that have made each other's acquaintance, as sessions or as originals. */
function pair(kinds: readonly ['rig' | 'original', 'rig' | 'original']): World {
  const world = new World();
  world[kinds[0]](1);
  world[kinds[1]](2);
  world.sendHex(1, 2, '02');
  world.sendHex(2, 1, '02');
  world.advance(1_200);
  return world;
}

describe.each([
  [['rig', 'rig']],
  [['rig', 'original']],
  [['original', 'rig']],
  [['original', 'original']],
] as const)('%s', (kinds) => {
  // Section 3, "Propagation"; datagrams under way at the same time are in any order.
  it('pass a value on as two originals do (vector 12)', () => {
    const world = pair(kinds);
    world.takeWire();
    world.sendHex(9, 2, put('val'));
    world.advance(200);
    const expected = [
      '9>2 010000000000000abc000376616c',
      '2>1 030000000000000abc',
      '2>9 030000000000000abc',
      '1>2 000000000000000abc',
      '2>1 010000000000000abc000376616c',
      '1>2 030000000000000abc',
    ];
    expect([...world.takeWire()].sort()).toEqual(expected.sort());
  });

  it('know each other as long as they run, and never stop', () => {
    const world = pair(kinds);
    world.advance(30_000);
    for (const rig of world.rigs.values()) expect(rig.session.sizes.peers).toBe(1);
    for (const original of world.originals.values()) {
      expect(original.peers.size).toBe(1);
      expect(original.death).toBeUndefined();
    }
  });

  // No renewal without a client: a value ends 30 s after its last Put, and what was fetched in time
  // from one that announces it again, 30 s after that.
  it('forget a value that nobody puts any more', () => {
    const world = pair(kinds);
    world.sendHex(9, 2, put('val'));
    world.advance(62_000);
    world.takeWire();
    world.advance(60_000);
    expect(world.takeWire()).toEqual([]);
    for (const rig of world.rigs.values()) expect(rig.values.valueOf(VAL)).toBeUndefined();
    for (const original of world.originals.values()) expect(original.table.size).toBe(0);
  });
});

describe('a session among originals', () => {
  it('passes a value from one to the other and answers what waits', () => {
    const world = new World();
    const [first, second] = [world.original(1), world.original(2)];
    world.rig(3);
    for (const port of [1, 2]) world.sendHex(port, 3, '02');
    world.advance(1_200);
    world.sendHex(9, 3, `00${VAL}`);
    world.sendHex(8, 1, put('val'));
    world.advance(100);
    expect([first.valueOf(VAL), second.valueOf(VAL)]).toEqual(['val', 'val']);
    expect(world.wire).toContain(`3>9 ${put('val')}`);
  });

  it('feeds an original that asks for a hundred hashes at once, and does not stop it (R2)', () => {
    const world = new World();
    const original = world.original(1);
    const rig = world.rig(2);
    const hashes = Array.from({ length: 100 }, (_, index) => hashOf(index));
    world.sendHex(1, 2, '02');
    world.advance(100);
    for (const hash of hashes) {
      rig.values.change(hash, Buffer.from(hash));
      rig.session.valueChanged(hash, Buffer.from(hash), 600_000);
    }
    world.advance(2_000);
    expect(original.death).toBeUndefined();
    expect(original.table.size).toBe(100);
  });

  it('tells it again of what it lost, while the value lives (R6)', () => {
    const world = pair(['original', 'rig']);
    const original = world.originals.get(1)!;
    world.sendHex(9, 2, put('val'));
    world.advance(20_000);
    world.sendHex(9, 2, put('val'));
    expect(original.table.get(VAL)?.putMs).toBeLessThan(2_000);
    world.advance(20_000);
    expect(original.table.get(VAL)?.putMs).toBeGreaterThan(30_000);
  });

  it('tells it for as long as a value lives that came over gRPC, and no longer', () => {
    const world = pair(['original', 'rig']);
    const [original, rig] = [world.originals.get(1)!, world.rigs.get(2)!];
    rig.values.change(VAL, Buffer.from('val'), 100_000);
    rig.session.valueChanged(VAL, Buffer.from('val'), 100_000);
    for (let seconds = 0; seconds < 90; seconds += 15) {
      world.advance(15_000);
      if (seconds % 30 === 0) expect(original.valueOf(VAL)).toBe('val');
    }
    world.advance(60_000);
    expect(original.valueOf(VAL)).toBeUndefined();
    expect(rig.values.puts).toBe(0);
  });
});

describe('two sessions', () => {
  it('fetch what changed when their copy is older than a few seconds (R5)', () => {
    const world = pair(['rig', 'rig']);
    const other = world.rigs.get(1)!;
    world.sendHex(9, 2, put('v1'));
    world.advance(1_000);
    world.sendHex(9, 2, put('v2'));
    world.advance(3_000);
    expect(textOf(other.values.valueOf(VAL))).toBe('v1');
    world.sendHex(9, 2, put('v3'));
    world.advance(100);
    expect(textOf(other.values.valueOf(VAL))).toBe('v3');
  });

  it('do not renew a copy that is fetched again unchanged', () => {
    const world = pair(['rig', 'rig']);
    world.sendHex(9, 2, put('v1'));
    world.advance(10_000);
    const other = world.rigs.get(1)!;
    expect(other.values.puts).toBe(1);
    world.sendHex(9, 2, put('v1'));
    world.advance(100);
    expect(other.values.puts).toBe(1);
  });

  it('never replace what came over gRPC by what they fetch', () => {
    const world = pair(['rig', 'rig']);
    const rig = world.rigs.get(1)!;
    rig.values.change(A, Buffer.from('ours'));
    rig.session.valueChanged(A, Buffer.from('ours'), Number.POSITIVE_INFINITY);
    world.advance(5_000);
    world.sendHex(9, 2, put('theirs', A));
    world.advance(25_000);
    expect(textOf(rig.values.valueOf(A))).toBe('ours');
  });

  it('replace what came over gRPC by what a client puts', () => {
    const world = pair(['rig', 'rig']);
    const rig = world.rigs.get(1)!;
    rig.values.change(A, Buffer.from('ours'));
    rig.session.valueChanged(A, Buffer.from('ours'), Number.POSITIVE_INFINITY);
    world.sendHex(9, 1, put('theirs', A));
    world.advance(100);
    expect(textOf(rig.values.valueOf(A))).toBe('theirs');
  });

  it('fetch from nobody what they have just put', () => {
    const world = pair(['rig', 'rig']);
    const rig = world.rigs.get(1)!;
    world.sendHex(9, 1, put('v1'));
    world.advance(100);
    rig.takeSent();
    rig.receive(at(2), `03${VAL}`);
    expect(rig.takeSent()).toEqual([]);
    expect(hexOf(rig.values.valueOf(VAL)!)).toBe(hexOf(Buffer.from('v1')));
  });
});
