/** What never leaves a session, and what it refuses: wire/simple-dht.md, sections 6 and 7. */
import { describe, expect, it } from 'vitest';
import { A, at, FAR, hashOf, OWN, putHex, Rig } from './rig.js';

const discoverHex = (address: string, port: number): string =>
  `04${address.length === 8 ? '04' : '06'}${address}${port.toString(16).padStart(4, '0')}`;

/** Answers each Put with the IHave of an original. */
function acknowledging(rig: Rig, port: number): void {
  rig.onSend = (to, bytes) => {
    if (bytes[0] !== 1 || to.port !== port) return;
    rig.receive(to, `03${Buffer.from(bytes).toString('hex').slice(2, 18)}`);
  };
}

describe('R1: a datagram that stops an original', () => {
  // Vector 16.
  it.each([
    ['', 'cut off'],
    ['05', 'unknown type 5'],
    ['000123456789abcd', 'cut off'],
    ['010123456789abcdef', 'cut off'],
    ['010123456789abcdef0009616263', 'cut off'],
    ['04057f0000011b59', 'unknown family 5'],
    ['04047f0000', 'cut off'],
  ])('"%s" is dropped, noted, and makes nobody a peer', (hex, why) => {
    const rig = new Rig();
    rig.receive(at(1), hex);
    rig.advance(2_000);
    expect(rig.takeNotes()).toEqual([`malformed: ${why}`]);
    expect(rig.takeSent({ withKeepAlives: true })).toEqual([]);
  });
});

describe('R2: Puts to one server', () => {
  const atMsOf = (rig: Rig): readonly number[] =>
    rig.sent.filter(({ hex }) => hex.startsWith('01')).map(({ atMs }) => atMs);

  function askFor(rig: Rig, count: number, from = at(1)): void {
    rig.receive(from, '02');
    askAsClient(rig, count, from);
  }

  function askAsClient(rig: Rig, count: number, from = at(1)): void {
    for (let index = 0; index < count; index += 1) {
      rig.values.change(hashOf(index), Buffer.from(`value ${index}`));
      rig.receive(from, `00${hashOf(index)}`);
    }
  }

  it('go one at once, and no more than two until the first counts as arrived', () => {
    const rig = new Rig();
    askFor(rig, 6);
    expect(atMsOf(rig)).toEqual([0]);
    rig.advance(600);
    expect(atMsOf(rig)).toEqual([0, 10, 200, 210, 400, 410]);
  });

  it('go on as they are acknowledged, still apart', () => {
    const rig = new Rig();
    acknowledging(rig, 1);
    askFor(rig, 6);
    rig.advance(100);
    expect(atMsOf(rig)).toEqual([0, 10, 20, 30, 40, 50]);
  });

  it('do not wait for those to others', () => {
    const rig = new Rig();
    askFor(rig, 5);
    rig.sent.length = 0;
    askFor(rig, 1, at(2));
    expect(rig.sent).toMatchObject([{ to: '127.0.0.1 2', atMs: 0 }]);
  });

  it('do not delay what is told to others', () => {
    const rig = new Rig();
    askFor(rig, 100);
    rig.takeSent();
    rig.receive(at(2), putHex(A, 'v'));
    expect(rig.takeSent()).toEqual([`2 03${A}`, `1 03${A}`]);
  });

  it('go at once to a client, one for each of its Gets, until it shows that it is a server', () => {
    const rig = new Rig();
    askAsClient(rig, 6);
    expect(atMsOf(rig)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(rig.session.sizes.lanes).toBe(0);
    rig.receive(at(1), `03${A}`);
    rig.sent.length = 0;
    askAsClient(rig, 3);
    expect(atMsOf(rig)).toEqual([0]);
  });

  it('are paced to whom a Discover names, and to whom there is no room to know', () => {
    const rig = new Rig({ peersPerHostMax: 2 });
    rig.receive(at(9), discoverHex('7f000001', 1));
    askAsClient(rig, 3);
    expect(atMsOf(rig)).toEqual([0]);
    rig.advance(2_000);
    rig.receive(at(9), '02');
    rig.receive(at(1), '02');
    rig.sent.length = 0;
    askAsClient(rig, 3, at(2));
    expect(atMsOf(rig)).toEqual([2_000]);
  });

  it('send the newest of values that waited', () => {
    const rig = new Rig();
    askFor(rig, 3);
    rig.values.change(hashOf(2), Buffer.from('newer'));
    rig.receive(at(1), `00${hashOf(2)}`);
    rig.advance(1_000);
    const puts = rig.takeSent().filter((it) => it.startsWith('1 01'));
    expect(puts).toHaveLength(3);
    expect(puts).toContain(`1 ${putHex(hashOf(2), 'newer')}`);
  });

  it('are refused when too many wait, in number, in bytes, and to too many', () => {
    const rig = new Rig({ queuedPerLaneMax: 2, queuedBytesMax: 20, lanesMax: 3 });
    askFor(rig, 4);
    askFor(rig, 3, at(2));
    askFor(rig, 1, at(3));
    askFor(rig, 1, at(4));
    expect(rig.takeNotes().filter((it) => it === 'limited: too many wait')).toHaveLength(4);
    expect(rig.session.sizes).toMatchObject({ lanes: 3, queuedBytes: 14 });
    rig.advance(1_000);
    expect(rig.session.sizes).toMatchObject({ lanes: 0, queuedBytes: 0 });
  });

  it('wait no longer than their time', () => {
    const rig = new Rig({ queuedMs: 300 });
    askFor(rig, 100);
    rig.advance(1_000);
    expect(atMsOf(rig)).toEqual([0, 10, 200, 210]);
    expect(rig.takeNotes()).toContain('limited: waited for too long');
    expect(rig.session.sizes.queuedBytes).toBe(0);
  });
});

describe('R3, R8, R10: a Discover', () => {
  it.each([
    ['00000000', 1, 'unspecified address'],
    ['e0000001', 1, 'multicast address'],
    ['ffffffff', 1, 'broadcast address'],
    ['f0000001', 1, 'reserved address'],
    ['7f000001', 0, 'port 0'],
    ['7f000001', 7_402, 'our own address'],
    ['00000000000000000000ffff7f000001', 7_402, 'our own address'],
    ['00000000000000000000ffffe0000001', 1, 'multicast address'],
    ['00000000000000000000000000000000', 1, 'unspecified address'],
    ['ff020000000000000000000000000001', 1, 'multicast address'],
    ['fe800000000000000000000000000001', 1, 'link-local address'],
  ])('of %s, port %i, is refused: %s', (address, port, why) => {
    const rig = new Rig();
    rig.receive(at(1), discoverHex(address, port));
    rig.advance(3_000);
    expect(rig.takeNotes()).toContain(`unexpected: ${why}`);
    expect(new Set(rig.takeSent({ withKeepAlives: true }))).toEqual(new Set(['1 02']));
  });

  it('of our loopback is refused from another machine', () => {
    const rig = new Rig();
    rig.receive(FAR, discoverHex('7f000001', 7_001));
    expect(rig.takeNotes()).toContain('unexpected: loopback of another machine');
    expect(rig.session.sizes.peers).toBe(1);
  });

  it('is never sent on', () => {
    const rig = new Rig();
    rig.receive(at(2), '02');
    rig.receive(at(1), discoverHex('7f000001', 7_001));
    rig.advance(5_000);
    expect(rig.sent.every(({ hex }) => hex === '02')).toBe(true);
  });

  it('makes ten KeepAlives of ours and no more, however often it comes', () => {
    const rig = new Rig();
    for (let seconds = 0; seconds < 10; seconds += 1) {
      rig.receive(at(1), discoverHex('c0000201', 5_000));
      rig.receive(at(2), putHex(hashOf(seconds), 'v'));
      rig.advance(1_000);
    }
    const sent = rig.takeSent({ withKeepAlives: true });
    expect(sent.filter((it) => it.startsWith('192.0.2.1'))).toEqual(
      Array.from({ length: 10 }, () => '192.0.2.1 5000 02'),
    );
  });

  it('of one that has been heard takes nothing from it', () => {
    const rig = new Rig();
    rig.receive(at(7_001), '02');
    rig.receive(at(1), discoverHex('7f000001', 7_001));
    rig.receive(at(1), putHex(A, 'v'));
    expect(rig.takeSent()).toEqual([`1 03${A}`, `7001 03${A}`]);
  });

  it('finds room for so many that are not heard, and at so many times', () => {
    const rig = new Rig({ peersUnheardMax: 3 });
    for (let port = 1; port <= 5; port += 1) rig.receive(at(1), discoverHex('c0000201', port));
    expect(rig.takeNotes()).toContain('unexpected: too many peers');
    expect(rig.session.sizes.peers).toBe(4);
    for (let port = 1; port <= 20; port += 1) rig.receive(at(1), discoverHex('c0000201', port));
    expect(rig.takeNotes()).toContain('limited: too many Discovers');
  });

  it.each([
    [at(0), 'port 0'],
    [OWN, 'our own address'],
    [at(1, '224.0.0.1'), 'multicast address'],
  ])('or anything else from %o is dropped: %s', (from, why) => {
    const rig = new Rig();
    rig.receive(from, putHex(A, 'v'));
    rig.advance(2_000);
    expect(rig.takeNotes()).toEqual([`unexpected: ${why}`]);
    expect(rig.takeSent({ withKeepAlives: true })).toEqual([]);
    expect([rig.session.discover(from), rig.session.join(from)]).toEqual([why, why]);
  });
});

describe('R8: a source that has proven nothing', () => {
  const big = new Uint8Array(65_496);

  const bytesTo = (rig: Rig, host: string, sinceMs: number): number =>
    rig.sent
      .filter(({ to, atMs }) => to.startsWith(host) && atMs >= sinceMs)
      .reduce((sum, { hex }) => sum + hex.length / 2, 0);

  it('is sent one largest value in a second, and the others later', () => {
    const rig = new Rig();
    rig.values.change(A, big);
    for (let port = 1; port <= 5; port += 1) rig.receive({ ...FAR, port }, `00${A}`);
    rig.advance(900);
    expect(bytesTo(rig, FAR.host, 0)).toBeLessThan(66_000);
    rig.advance(4_500);
    expect(bytesTo(rig, FAR.host, 0)).toBeGreaterThan(5 * 65_507);
  });

  it('is sent more when it is this machine, was joined, or stays', () => {
    const rig = new Rig();
    rig.values.change(A, big);
    const stays = at(1, '198.51.100.1');
    rig.session.join(FAR);
    rig.receive(stays, '02');
    rig.advance(1_010);
    for (const source of [FAR, stays, at(1)]) {
      rig.receive(source, '02');
      for (let index = 0; index < 4; index += 1) {
        rig.values.change(hashOf(index), big);
        rig.receive(source, `00${hashOf(index)}`);
      }
    }
    rig.advance(300);
    for (const host of [FAR.host, stays.host, '127.0.0.1']) {
      expect(bytesTo(rig, host, 1_010)).toBeGreaterThanOrEqual(4 * 65_507);
    }
  });

  it('is heard so many times in a second', () => {
    const rig = new Rig({ datagrams: { perSecond: 10, burst: 5, hostsMax: 10 } });
    for (let index = 0; index < 7; index += 1) rig.receive(FAR, '02');
    rig.receive(at(1), '02');
    expect(rig.takeNotes().filter((it) => it === 'limited: too many datagrams')).toHaveLength(2);
    expect(rig.session.sizes.peers).toBe(2);
  });
});

describe('the table of peers', () => {
  it('gives the room of those heard for a moment to newcomers, and keeps who stays', () => {
    const rig = new Rig({ peersMax: 3, peersPerHostMax: 3 });
    rig.receive(at(1), '02');
    rig.advance(1_010);
    rig.receive(at(1), '02');
    for (const port of [2, 3, 4]) rig.receive(at(port), '02');
    rig.sent.length = 0;
    rig.advance(1_000);
    expect(rig.takeSent({ withKeepAlives: true })).toEqual(['1 02', '3 02', '4 02']);
  });

  it('still answers who finds no room', () => {
    const rig = new Rig({ peersMax: 2, peersPerHostMax: 1 });
    rig.session.join(at(1));
    rig.receive(at(2), putHex(A, 'v'));
    expect(rig.takeNotes()).toContain('limited: too many peers');
    expect(rig.takeSent()).toEqual([`2 03${A}`, `1 03${A}`]);
  });
});

describe('calls to the services', () => {
  it('are so many at once, and Puts take no room from Gets', () => {
    const rig = new Rig({ callsMax: 2 });
    rig.values.manner = 'late';
    for (let index = 0; index < 3; index += 1) rig.receive(at(1), putHex(hashOf(index), 'v'));
    for (let index = 3; index < 6; index += 1) {
      rig.receive(at(1), `00${hashOf(index)}`);
      rig.receive(at(1), `03${hashOf(index)}`);
    }
    expect(rig.takeNotes().filter((it) => it === 'limited: too many calls')).toHaveLength(5);
    expect(rig.session.sizes.calls).toBe(4);
    rig.values.release();
    expect(rig.session.sizes.calls).toBe(0);
    expect(rig.takeSent()).toEqual([`1 03${hashOf(0)}`, `1 03${hashOf(1)}`, `1 00${hashOf(3)}`]);
  });
});

describe('R11: a mapped address', () => {
  it('is the peer that it means (vector 15)', () => {
    const rig = new Rig();
    rig.receive(at(7_001), '02');
    rig.receive(at(1), discoverHex('00000000000000000000ffff7f000001', 7_001));
    expect(rig.session.sizes.peers).toBe(2);
  });

  it('of a peer over IPv6 is another one (vector 8)', () => {
    const rig = new Rig();
    rig.receive(at(1), '040620010db80000000000000000000000012328');
    rig.advance(1_000);
    expect(rig.takeSent({ withKeepAlives: true })).toEqual(['1 02', '2001:db8::1 9000 02']);
  });
});

describe('an IHave', () => {
  it('of what we lack is answered by a Get, to its source alone (vector 10)', () => {
    const rig = new Rig();
    rig.receive(at(2), '02');
    rig.receive(at(1), '030000000000000000');
    expect(rig.takeSent()).toEqual(['1 000000000000000000']);
  });

  it('of what we have, or when the services fail, is answered by nothing', () => {
    const rig = new Rig();
    rig.values.change(A, Buffer.from('v'));
    rig.receive(at(1), `03${A}`);
    rig.values.manner = 'failed';
    rig.receive(at(1), `03${hashOf(1)}`);
    expect(rig.takeSent()).toEqual([]);
  });
});
