/** One session and its clients: wire/simple-dht.md, sections 3 to 5. */
import { describe, expect, it } from 'vitest';
import { A, at, FAR, hashOf, putHex, Rig, textOf } from './rig.js';

const HELLO = '010123456789abcdef000568656c6c6f';
const hello = Buffer.from('hello');

describe('a client that puts', () => {
  it('is told so, first, and the value is kept for 30 s', () => {
    const rig = new Rig();
    rig.receive(at(1), '02');
    rig.receive(at(2), HELLO);
    expect(rig.takeSent()).toEqual([`2 03${A}`, `1 03${A}`]);
    expect(textOf(rig.values.valueOf(A))).toBe('hello');
    rig.nowMs = 29_999;
    expect(rig.values.valueOf(A)).toBeDefined();
    rig.nowMs = 30_000;
    expect(rig.values.valueOf(A)).toBeUndefined();
  });

  it('is told nothing when the services refuse, and as late as they accept', () => {
    const rig = new Rig();
    rig.values.manner = 'failed';
    rig.receive(at(2), HELLO);
    expect(rig.takeSent()).toEqual([]);
    expect(rig.takeNotes()).toContain('unexpected: the services refused it');
    rig.values.manner = 'late';
    rig.receive(at(2), HELLO);
    rig.advance(500);
    expect(rig.takeSent()).toEqual([]);
    rig.values.release();
    expect(rig.takeSent()).toEqual([`2 03${A}`]);
  });

  it('is told so each time, also when it puts what it had put', () => {
    const rig = new Rig();
    for (const value of ['v1', 'v1', 'v2']) rig.receive(at(2), putHex(A, value));
    expect(rig.takeSent()).toEqual([`2 03${A}`, `2 03${A}`, `2 03${A}`]);
    expect(textOf(rig.values.valueOf(A))).toBe('v2');
  });

  it('stores exactly what it declared (vector 14) and nothing (vector 4)', () => {
    const rig = new Rig();
    rig.receive(at(2), '010123456789abcdef000176545241494c');
    rig.receive(at(2), '0100000000000000010000');
    expect(textOf(rig.values.valueOf(A))).toBe('v');
    expect(textOf(rig.values.valueOf(hashOf(1)))).toBe('');
  });
});

describe('a client that gets', () => {
  it('has a known value for its first datagram (vectors 1 and 9)', () => {
    const rig = new Rig();
    rig.values.change(A, hello);
    rig.receive(FAR, `00${A}`);
    expect(rig.takeSent()).toEqual([`192.0.2.1 5000 ${HELLO}`]);
  });

  it('hears nothing of an unknown one, and then the value, before all hear of it (vector 11)', () => {
    const rig = new Rig();
    rig.receive(at(1), '0000000000000000aa');
    rig.advance(20_000);
    expect(rig.takeSent()).toEqual([]);
    rig.receive(at(2), '0100000000000000aa00056c61746572');
    expect(rig.takeSent()).toEqual(['1 0100000000000000aa00056c61746572', '2 0300000000000000aa']);
    expect(rig.values.wanted.size).toBe(0);
  });

  it('has the value when it comes over gRPC, once', () => {
    const rig = new Rig();
    rig.receive(at(1), `00${A}`);
    rig.receive(at(1), `00${A}`);
    rig.values.change(A, hello);
    rig.values.change(A, Buffer.from('other'));
    expect(rig.takeSent()).toEqual([`1 ${HELLO}`]);
    expect(rig.session.sizes.pending).toBe(0);
  });

  it('is awaited also when the services fail', () => {
    const rig = new Rig();
    rig.values.manner = 'failed';
    rig.receive(at(1), `00${A}`);
    rig.values.manner = 'done';
    rig.values.change(A, hello);
    expect(rig.takeSent()).toEqual([`1 ${HELLO}`]);
  });

  it('has the value that came while its question was asked', () => {
    const rig = new Rig();
    const want = rig.values.want.bind(rig.values);
    rig.values.want = (key, changed) => {
      const stop = want(key, changed);
      rig.values.change(key, hello);
      return stop;
    };
    rig.receive(at(1), `00${A}`);
    expect(rig.takeSent()).toEqual([`1 ${HELLO}`]);
    expect(rig.values.wanted.size).toBe(0);
  });

  it('waits for no more than its time (R7)', () => {
    const rig = new Rig({ pendingMs: 5_000 });
    rig.receive(at(1), `00${A}`);
    rig.advance(6_000);
    expect(rig.session.sizes.pending).toBe(0);
    expect(rig.values.wanted.size).toBe(0);
  });

  it('makes room for others, the one that waits longest first (R7)', () => {
    const rig = new Rig({ pendingMax: 3, pendingPerHostMax: 2 });
    for (const index of [1, 2, 3]) rig.receive(at(index), `00${hashOf(index)}`);
    for (const index of [4, 5]) rig.receive({ ...FAR, port: index }, `00${hashOf(index)}`);
    expect([...rig.values.wanted].map(({ key }) => key)).toEqual([hashOf(3), hashOf(4), hashOf(5)]);
    expect(rig.session.sizes.pending).toBe(3);
  });

  it('is never sent what fits no datagram', () => {
    const rig = new Rig();
    rig.values.change(A, new Uint8Array(65_497));
    rig.receive(at(1), `00${A}`);
    rig.session.valueChanged(A, new Uint8Array(65_497), Number.POSITIVE_INFINITY);
    rig.advance(15_000);
    expect(rig.takeSent()).toEqual([]);
    expect(rig.takeNotes()).toContain('unexpected: fits no datagram');
  });

  it('is sent the largest value that fits one (vector 17)', () => {
    const rig = new Rig();
    rig.values.change(A, new Uint8Array(65_496));
    rig.receive(FAR, `00${A}`);
    expect(rig.takeSent()[0]).toHaveLength('192.0.2.1 5000 '.length + 2 * 65_507);
  });
});

describe('a client that discovers', () => {
  it('has a KeepAlive at the next tick, and so has the one it named (vector 7)', () => {
    const rig = new Rig();
    rig.receive(at(1), '04047f0000011b59');
    rig.advance(990);
    expect(rig.takeSent({ withKeepAlives: true })).toEqual([]);
    rig.advance(10);
    expect(rig.takeSent({ withKeepAlives: true })).toEqual(['1 02', '7001 02']);
  });

  it('has its KeepAlive also when what it named is refused', () => {
    const rig = new Rig();
    rig.receive(at(1), '04047f0000010000');
    rig.advance(1_000);
    expect(rig.takeSent({ withKeepAlives: true })).toEqual(['1 02']);
  });
});

describe('a peer', () => {
  it.each([`00${A}`, HELLO, '02', '026a756e6b', `03${A}`, '04047f0000011b59'])(
    'is whoever sends %s, for ten KeepAlives',
    (hex) => {
      const rig = new Rig();
      rig.receive(at(1), hex);
      rig.advance(20_000);
      const sent = rig.takeSent({ withKeepAlives: true }).filter((it) => it === '1 02');
      expect(sent).toHaveLength(10);
      expect(rig.session.sizes.peers).toBe(0);
    },
  );

  it('stays as long as it is heard', () => {
    const rig = new Rig();
    for (let seconds = 0; seconds < 30; seconds += 10) {
      rig.receive(at(1), '02');
      rig.advance(10_000);
    }
    expect(rig.takeSent({ withKeepAlives: true })).toHaveLength(30);
  });

  it('is told of values that come over gRPC, if their key is a hash', () => {
    const rig = new Rig();
    rig.receive(at(1), '02');
    rig.session.valueChanged('a name', hello, 60_000);
    rig.session.valueChanged(A.toUpperCase(), hello, 60_000);
    rig.session.valueChanged(A, hello, 60_000);
    expect(rig.takeSent()).toEqual([`1 03${A}`]);
  });

  it('is not told twice when the services report what it put', () => {
    const rig = new Rig();
    rig.receive(at(1), HELLO);
    rig.session.valueChanged(A, hello, 30_000);
    expect(rig.takeSent()).toEqual([`1 03${A}`]);
    rig.session.valueChanged(A, Buffer.from('other'), 30_000);
    expect(rig.takeSent()).toEqual([`1 03${A}`]);
  });

  it('is joined for good, and told before it is heard', () => {
    const rig = new Rig();
    expect(rig.session.join(FAR)).toBeUndefined();
    rig.advance(60_000);
    expect(rig.takeSent({ withKeepAlives: true })).toHaveLength(60);
    rig.session.valueChanged(A, hello, 60_000);
    expect(rig.takeSent()).toEqual([`192.0.2.1 5000 03${A}`]);
  });

  it('is introduced for 10 s, and told when it has been heard', () => {
    const rig = new Rig();
    expect(rig.session.discover(FAR)).toBeUndefined();
    rig.session.valueChanged(A, hello, 60_000);
    rig.advance(1_000);
    expect(rig.takeSent({ withKeepAlives: true })).toEqual(['192.0.2.1 5000 02']);
    rig.receive(FAR, '02');
    rig.session.valueChanged(A, Buffer.from('other'), 60_000);
    expect(rig.takeSent()).toEqual([`192.0.2.1 5000 03${A}`]);
  });
});

describe('a session that was closed', () => {
  it('sends nothing, wants nothing and hears nothing', () => {
    const rig = new Rig();
    rig.receive(at(1), `00${A}`);
    rig.values.manner = 'late';
    rig.receive(at(1), putHex(hashOf(1), 'late'));
    rig.session.close();
    rig.values.release();
    rig.receive(at(1), '02');
    rig.session.valueChanged(A, hello, 1_000);
    rig.advance(5_000);
    expect(rig.session.discover(FAR)).toBe('closed');
    expect(rig.takeSent({ withKeepAlives: true })).toEqual([]);
    expect(rig.values.wanted.size).toBe(0);
    expect(rig.session.sizes.peers).toBe(0);
  });
});
