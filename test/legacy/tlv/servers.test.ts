import { describe, expect, it } from 'vitest';
import type { JoinOutcome } from '../../../services/legacy/tlv/joins.js';
import type { TlvSocket } from '../../../services/legacy/tlv/options.js';
import { HASH, type TestNode, World } from './tlv-world.js';

const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const PUT_HEX = `31d3303a3a35${ascii(HASH)}`;
const HAVE_HEX = `33d3303a3a35${ascii(HASH)}`;

/** A datagram of an original server that is no node of this world. */
function hear(
  node: TestNode,
  host: string,
  hex: string,
  socket: TlvSocket = 'server',
  port = 58_951,
): void {
  node.session.received(socket, { host, port }, Buffer.from(hex, 'hex'));
}

function put(node: TestNode, hex = PUT_HEX): void {
  node.session.received('client', { host: '::99', port: 40_000 }, Buffer.from(hex, 'hex'));
}

/** A HAVE or PUT of any texts, whatever the codec would refuse to write. */
function holder(type: string, ip: string, hash: string): string {
  const header = Buffer.from([type.charCodeAt(0), ip.length - 48, hash.length - 48]);
  return header.toString('hex') + ascii(ip + hash);
}

describe('being joined', () => {
  it('answers YES, the table and NEW_SERV, from the right sockets', () => {
    const world = new World();
    const node = world.node('::1');
    hear(node, '::2', '35');
    put(node);
    node.sent.length = 0;
    hear(node, '::3', '35');
    expect(node.log('::3')).toEqual([
      'serverAnswer>58951 YES',
      'serverAnswer>58951 HAVE',
      'serverAnswer>58951 NEW_SERV',
    ]);
    expect(node.hex(undefined, '::3')).toEqual(['38', HAVE_HEX, '39d3d03a3a32']);
    expect(node.hex(undefined, '::2')).toEqual(['39d3d03a3a33']);
    expect(node.session.servers).toEqual(['::2', '::3']);
  });

  it('announces each server once to each other, and nine at most (B7)', () => {
    const world = new World();
    const node = world.node('::1');
    for (let round = 0; round < 3; round += 1) {
      for (let index = 2; index < 14; index += 1) hear(node, `::${index.toString(16)}`, '35');
      world.pass(2_000);
    }
    expect(node.session.servers).toHaveLength(10);
    for (const host of node.session.servers) {
      const announced = node.hex(undefined, host).filter((hex) => hex.startsWith('39'));
      expect(new Set(announced).size).toBe(announced.length);
      expect(announced).toHaveLength(9);
    }
  });

  it('is silent to the eleventh (B10)', () => {
    const node = new World().node('::1');
    for (let index = 2; index <= 12; index += 1) hear(node, `::${index.toString(16)}`, '35');
    expect(node.log('::c')).toEqual([]);
    expect(node.sent.every(({ bytes }) => bytes.length > 0)).toBe(true);
  });

  it.each([
    ['a mapped one to a native one', '2001:db8::2', '::ffff:10.0.0.3'],
    ['a native one to a mapped one', '::ffff:10.0.0.3', '2001:db8::2'],
    ['one that holds on a link', '2001:db8::2', 'fe80::3%eth0'],
  ])('does not announce %s (B11)', (_title, first, second) => {
    const node = new World().node('2001:db8::1');
    hear(node, first, '35');
    hear(node, second, '35');
    const announced = node.hex(undefined, first).filter((hex) => hex.startsWith('39'));
    expect(announced).toEqual([]);
  });

  it('announces in the one spelling', () => {
    const node = new World().node('2001:db8::1');
    hear(node, '::ffff:a00:2', '35');
    hear(node, '::ffff:a00:3', '35');
    expect(node.hex(undefined, '::ffff:a00:2').at(-1)).toBe(`39dfd0${ascii('::ffff:10.0.0.3')}`);
  });

  it('sends a table a few messages a tick, and little before the newcomer has answered', () => {
    const world = new World();
    const node = world.node('::1');
    for (let index = 0; index < 100; index += 1)
      put(node, holder('1', '::5', `${'h'.repeat(70)}${index}`));
    hear(node, '::2', '35');
    expect(node.count('HAVE')).toBe(4);
    world.nowMs += 100;
    node.session.tick();
    expect(node.count('HAVE')).toBe(8);
    world.pass(5_000);
    expect(node.count('HAVE')).toBe(32);
    hear(node, '::2', '38', 'keepAlive', 58_523);
    world.pass(5_000);
    expect(node.count('HAVE')).toBe(100);
  });

  it('answers a plain NEW in the plain framing', () => {
    const node = new World().node('::1');
    hear(node, '::2', '050000');
    put(node);
    expect(node.hex()).toEqual(['080000', `030064${ascii(`::5 ${HASH}`)}`]);
  });
});

describe('joining', () => {
  const join = (node: TestNode, host: string): JoinOutcome[] => {
    const outcomes: JoinOutcome[] = [];
    node.session.join(host, (outcome) => outcomes.push(outcome));
    return outcomes;
  };

  it('sends one NEW, is let in by a YES, and asks at once', () => {
    const world = new World();
    const node = world.node('::1');
    const outcomes = join(node, '::2');
    expect(node.log('::2')).toEqual(['server>58951 NEW']);
    expect(node.hex()).toEqual(['35']);
    hear(node, '::2', '38', 'server', 58_952);
    expect(outcomes).toEqual(['joined']);
    world.pass(100);
    expect(node.log('::2')).toEqual(['server>58951 NEW', 'keepAlive>58951 KEEP_ALIVE']);
  });

  it('takes any first message for a YES, and an empty one for no (B10)', () => {
    const node = new World().node('::1');
    const [first, second] = [join(node, '::2'), join(node, '::3')];
    hear(node, '::2', HAVE_HEX, 'server', 58_952);
    hear(node, '::3', '', 'server', 58_952);
    expect([first, second]).toEqual([['joined'], ['full']]);
    expect(node.session.servers).toEqual(['::2']);
    expect(node.holders.announced).toEqual([[HASH, '::5', 30_000]]);
  });

  it('gives up after 5 s, and takes a late YES', () => {
    const world = new World();
    const node = world.node('::1');
    const outcomes = join(node, '::2');
    world.pass(4_900);
    expect(outcomes).toEqual([]);
    world.pass(100);
    expect(outcomes).toEqual(['unanswered']);
    hear(node, '::2', '38');
    expect(node.session.servers).toEqual(['::2']);
    expect(outcomes).toHaveLength(1);
  });

  it('never sends NEW twice to the same server, however it is spelled (B1)', () => {
    const world = new World();
    const node = world.node('2001:db8::1');
    join(node, '2001:db8::2');
    world.pass(60_000);
    expect(join(node, '2001:DB8:0::2')).toEqual(['refused']);
    hear(node, '2001:db8::2', '38');
    hear(node, '2001:db8::2', '36');
    expect(join(node, '2001:db8::2')).toEqual(['refused']);
    expect(node.count('NEW')).toBe(1);
  });

  it('does not ask who is in the list, itself, or what is no IPv6 host', () => {
    const node = new World().node('::1');
    hear(node, '::2', '35');
    const hosts = ['::2', '::1', '10.0.0.1', 'example.org', '::', 'ff02::1', ''];
    const outcomes = hosts.map((host) => join(node, host));
    expect(outcomes[0]).toEqual(['joined']);
    expect(new Set(outcomes.slice(1).flat())).toEqual(new Set(['refused']));
    expect(node.count('NEW')).toBe(0);
  });

  it('does not take a YES that it did not ask for', () => {
    const node = new World().node('::1');
    hear(node, '::2', '38');
    expect(node.session.servers).toEqual([]);
    expect(node.notes.at(-1)?.what).toBe('unexpected');
  });

  it('learns the others by NEW_SERV, from servers only, and talks to their 58951 (B6)', () => {
    const world = new World();
    const node = world.node('::1');
    hear(node, '::7', '39d3d03a3a33');
    join(node, '::2');
    hear(node, '::2', '38', 'server', 58_952);
    for (const hex of ['39d3d03a3a33', '39d3d03a3a33', '39d3d03a3a31', `39d1d0${ascii('x')}`]) {
      hear(node, '::2', hex, 'server', 58_952);
    }
    hear(node, '::2', `39dfd0${ascii('::ffff:10.0.0.3')}`, 'server', 58_952);
    expect(node.session.servers).toEqual(['::2', '::3']);
    world.pass(100);
    expect(node.log('::3')).toEqual(['keepAlive>58951 KEEP_ALIVE']);
  });
});

describe('sharing holders', () => {
  it('tells all servers of a new pair, at once, and of a repeat only after 10 s', () => {
    const world = new World();
    const node = world.node('::1');
    hear(node, '::2', '35');
    hear(node, '::3', '35');
    node.sent.length = 0;
    put(node);
    put(node);
    expect(node.hex('answer', '::2')).toEqual([HAVE_HEX]);
    expect(node.hex('answer', '::3')).toEqual([HAVE_HEX]);
    expect(node.log('::2')).toEqual(['answer>58951 HAVE']);
    world.nowMs += 10_000;
    put(node);
    expect(node.count('HAVE', '::2')).toBe(2);
  });

  it('keeps what others have, from whom it may come, and never passes it on', () => {
    const node = new World().node('::1');
    hear(node, '::2', '35');
    hear(node, '::77', HAVE_HEX, 'server', 58_752);
    hear(node, '::77', HAVE_HEX, 'serverAnswer', 58_752);
    expect(node.holders.announced).toHaveLength(2);
    expect(node.count('HAVE')).toBe(0);
    node.session.holderAnnounced(HASH, '::5', 30_000);
    expect(node.count('HAVE')).toBe(0);
  });

  it.each([
    ['heap bytes (B1)', '33d5d5ad13275805ad13275805'],
    ['a short hash', holder('3', '::5', 'a'.repeat(64))],
    ['an address that is none', holder('3', 'hostname', 'a'.repeat(65))],
    ['an address and stray bytes', holder('3', '::5\x05', 'a'.repeat(65))],
    ['a hash with a control character', holder('3', '::5', `${'a'.repeat(70)}\x01`)],
  ])('drops a HAVE with %s', (_title, hex) => {
    const node = new World().node('::1');
    hear(node, '::2', '35');
    hear(node, '::2', hex);
    expect(node.holders.announced).toEqual([]);
    expect(node.notes.at(-1)?.what).toBe('malformed');
  });

  it.each([
    ['a short hash', holder('1', '::5', 'a'.repeat(64)), 0],
    ['the shortest hash', holder('1', '::5', 'a'.repeat(65)), 1],
    ['the longest hash', holder('1', '::5', 'a'.repeat(175)), 1],
    ['a long hash (B13)', holder('1', '::5', 'a'.repeat(176)), 0],
    ['a hash of 255 (B13)', holder('1', '::5', 'a'.repeat(255)), 0],
    ['an address that nobody can reach', holder('1', '::', 'a'.repeat(65)), 0],
    ['a multicast address', holder('1', 'ff02::1', 'a'.repeat(65)), 0],
  ])('stores a PUT with %s, and tells servers only what harms none', (_title, hex, told) => {
    const node = new World().node('::1');
    hear(node, '::2', '35');
    put(node, hex);
    expect(node.holders.announced).toHaveLength(1);
    expect(node.count('HAVE')).toBe(told);
    hear(node, '::3', '35');
    expect(node.count('HAVE', '::3')).toBe(told);
  });

  it('tells servers of holders of the services, when they can take them', () => {
    const node = new World().node('::1');
    hear(node, '::2', '35');
    node.session.holderAnnounced(HASH, '2001:DB8::5', 30_000);
    for (const [key, address] of [
      ['short', '::5'],
      ['a'.repeat(176), '::5'],
      [`${'a'.repeat(70)} b`, '::5'],
      [`${'a'.repeat(70)}é`, '::5'],
      [HASH, '10.0.0.1'],
      [HASH, '[::5]:80'],
      [HASH, `${'0'.repeat(50)}::5`],
    ] as const) {
      node.session.holderAnnounced(key, address, 30_000);
    }
    expect(node.hex('answer')).toEqual([`33db30${ascii(`2001:db8::5${HASH}`)}`]);
    expect(node.holders.announced).toEqual([]);
  });

  it('tells servers again of holders that live longer, until they end or are withdrawn', () => {
    const world = new World();
    const node = world.node('::1');
    const withdrawn = 'b'.repeat(96);
    const told = (seconds: number): number => {
      const before = node.count('HAVE');
      for (let second = 0; second < seconds; second += 5) {
        world.pass(5_000);
        // Servers stay in the list while they are heard.
        hear(node, '::2', '37', 'server', 58_523);
      }
      return node.count('HAVE') - before;
    };
    hear(node, '::2', '35');
    node.session.holderAnnounced(HASH, '::5', 65_000);
    node.session.holderAnnounced(withdrawn, '::6', Number.POSITIVE_INFINITY);
    expect(node.count('HAVE')).toBe(2);
    expect(told(45)).toBe(4);
    node.session.holderWithdrawn(withdrawn, '::6');
    // What has less than 30 s left ends elsewhere as well.
    expect(told(60)).toBe(0);
  });

  it('forgets a pair after 30 s (B12)', () => {
    const world = new World();
    const node = world.node('::1');
    put(node);
    world.pass(29_900);
    expect(node.session.pairCount).toBe(1);
    world.pass(200);
    expect(node.session.pairCount).toBe(0);
    hear(node, '::2', '35');
    expect(node.log('::2')).toEqual(['serverAnswer>58951 YES']);
  });
});

describe('keep-alive', () => {
  it.each<TlvSocket>(['server', 'serverAnswer'])(
    'answers from 58523 what comes on %s (B6)',
    (socket) => {
      const node = new World().node('::1');
      hear(node, '::2', '37', socket, 58_523);
      expect(node.log('::2')).toEqual(['keepAlive>58523 YES']);
      expect(node.hex()).toEqual(['38']);
      expect(node.session.servers).toEqual(['::2']);
    },
  );

  it('asks 5 s after each answer, and drops who is silent for 10 s without a word', () => {
    const world = new World();
    const node = world.node('::1');
    hear(node, '::2', '35');
    world.pass(1_000);
    const asked = (): readonly number[] =>
      node.sent.filter(({ socket }) => socket === 'keepAlive').map(({ atMs }) => atMs);
    expect(asked()).toEqual([2_000]);
    hear(node, '::2', '38', 'keepAlive', 58_523);
    world.pass(5_000);
    expect(asked()).toEqual([2_000, 7_000]);
    world.pass(9_900);
    expect(node.session.servers).toEqual(['::2']);
    world.pass(100);
    expect(node.session.servers).toEqual([]);
    expect(node.log('::2')).not.toContain('answer>58951 DECO');
  });

  it('lets no dead server delay the others', () => {
    const world = new World();
    const node = world.node('::1');
    world.node('::2').session.join('::1');
    for (const host of ['::3', '::4', '::5']) hear(node, host, '35');
    world.pass(16_000);
    expect(node.session.servers).toEqual(['::2']);
    expect(node.count('KEEP_ALIVE', '::2')).toBeGreaterThanOrEqual(3);
  });

  it('does not take its own standstill for the silence of others', () => {
    const world = new World();
    const node = world.node('::1');
    hear(node, '::2', '35');
    world.pass(1_000);
    world.nowMs += 60_000;
    node.session.tick();
    expect(node.session.servers).toEqual(['::2']);
    world.pass(10_000);
    expect(node.session.servers).toEqual([]);
  });
});

describe('leaving', () => {
  it('removes whom DECO comes from, compared whole (B9), and takes it back when it asks', () => {
    const node = new World().node('::1');
    hear(node, '2001:db8::1:2:3:4', '35');
    hear(node, '2001:db8::1:2:3:5', '35');
    hear(node, '2001:db8::1:2:3:4', '36', 'server', 58_752);
    expect(node.session.servers).toEqual(['2001:db8::1:2:3:5']);
    hear(node, '2001:db8::1:2:3:4', '37', 'server', 58_523);
    expect(node.session.servers).toHaveLength(2);
  });

  it('tells all servers from 58752, and is silent from then on', () => {
    const world = new World();
    const node = world.node('::1');
    hear(node, '::2', '35');
    hear(node, '::3', '050000');
    node.sent.length = 0;
    node.session.close();
    node.session.close();
    expect(node.log('::2')).toEqual(['answer>58951 DECO']);
    expect(node.hex('answer')).toEqual(['36', '060000']);
    hear(node, '::4', '35');
    put(node);
    node.session.holderAnnounced(HASH, '::5', 30_000);
    world.pass(20_000);
    expect(node.sent).toHaveLength(2);
  });
});

describe('three servers', () => {
  function mesh(): readonly [World, ...TestNode[]] {
    const world = new World();
    const nodes = ['::1', '::2', '::3'].map((host) => world.node(host));
    const [, b, c] = nodes;
    b!.session.join('::1');
    world.pass(500);
    c!.session.join('::1');
    world.pass(500);
    return [world, ...nodes];
  }

  it('know each other, share every PUT, and stay together', () => {
    const [world, ...nodes] = mesh();
    world.pass(60_000);
    for (const node of nodes) expect(node.session.servers).toHaveLength(2);
    put(nodes[1]!);
    world.pass(100);
    for (const node of nodes) expect(node.holders.held.get(HASH)).toEqual(['::5']);
    expect(nodes.map((node) => node.count('HAVE'))).toEqual([0, 2, 0]);
  });

  it('go on without one that is silent, or that leaves', () => {
    const [world, a, b, c] = mesh();
    world.silent.add('::3');
    world.pass(16_000);
    expect([a!.session.servers, b!.session.servers, c!.session.servers]).toEqual([
      ['::2'],
      ['::1'],
      [],
    ]);
    b!.session.close();
    world.settle();
    expect(a!.session.servers).toEqual([]);
  });
});
