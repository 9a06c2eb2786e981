/** The ports of a peer: what monitors and programs of group 1 are answered (wire/ring.md, blocks F and G). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseHostPort } from '../../../services/host-port.js';
import { RingPorts } from '../../../services/legacy/ring/ports.js';
import { systemClock } from '../../../services/system/clock.js';
import { captureLog } from '../../support/capture-log.js';
import { until } from '../../support/until.js';
import { MemoryRing } from './memory-ring.js';
import { ask } from './raw-client.js';
import { Rig } from './rig.js';

const host = '10.9.0.1';
const NOT_UNDERSTOOD = 'Message/Commande incompris(e).\n';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.open(
    new MemoryRing(100, [
      { ringId: 94, host },
      { ringId: 74, host: '10.9.0.2' },
    ]),
  );
  rig.ring.own = 94;
  const successor = { ringId: 74, host: '10.9.0.2' };
  rig.ring.rows = [
    { start: 94, successor },
    { start: 96, successor },
  ];
});
afterEach(async () => rig[Symbol.asyncDispose]());

describe('the monitor port', () => {
  it.each(['rt?\n', 'rt?\r\n', 'foo\n', '\n', '::\n'])(
    'answers %j with the table',
    async (line) => {
      expect(await ask(rig.address('monitor'), line)).toBe('94:74:10.9.0.2\n96:74:10.9.0.2\nend\n');
    },
  );

  it('serves more than one monitor (P9 does not)', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(async () => ask(rig.address('monitor'), 'x\n')),
    );
    expect(new Set(answers)).toEqual(new Set(['94:74:10.9.0.2\n96:74:10.9.0.2\nend\n']));
  });
});

describe('the port for group 1', () => {
  const peer = async (line: string): Promise<string> => ask(rig.address('peer'), `${line}\n`);

  it('P1: tells the table, with an end', async () => {
    const successor = { ringId: 44, host };
    rig.ring.rows = [
      { start: 44, successor },
      { start: 44, successor },
    ];
    expect(await peer('rt?')).toBe('44:44:10.9.0.1\n44:44:10.9.0.1\nend\n');
  });

  it.each(['hello', '', 'yo:1', 'msg:94:10.9.0.77', 'msg:94:10.9.0.77::', 'a+:94'])(
    'P2: does not understand %j',
    async (line) => {
      expect(await peer(line)).toBe(NOT_UNDERSTOOD);
      expect(rig.ring.inOrder).toHaveLength(2);
    },
  );

  it('P3 and P4: tells a newcomer its neighbours, once it has entered and before', async () => {
    await ask(rig.address('welcome'), 'a+:74\n');
    expect(await peer('yo:74:10.9.0.2')).toBe('94:10.9.0.1\n94:10.9.0.1\n');
    for (const line of ['yo:34:10.9.0.1\n', 'yo:58:10.9.0.2\n', 'yo:46:10.9.0.3\n']) {
      await ask(rig.address('welcome'), line);
    }
    expect(await peer('yo:46:10.9.0.3')).toBe('34:10.9.0.1\n58:10.9.0.2\n');
  });

  it('P5: receives a message of its own, with all its fields', async () => {
    const received = 'message re\xc3\xa7u\nmessage re\xc3\xa7u\n';
    expect(await peer('msg:94:10.9.0.77:coucou:suite:')).toBe(received);
    expect(rig.ring.sent).toEqual([{ to: 94, senderHost: '10.9.0.77', text: 'coucou:suite:' }]);
  });

  it('P6: passes on the message of another', async () => {
    const passedOn = 'message transmis au successeur.\nmessage re\xc3\xa7u\n';
    expect(await peer('msg:74:10.9.0.77:salut')).toBe(passedOn);
    expect(rig.ring.sent).toEqual([{ to: 74, senderHost: '10.9.0.77', text: 'salut' }]);
  });

  it('P7: says that nobody is there for a message', async () => {
    expect(await peer('msg:84:10.9.0.77:x')).toBe(
      "Aucun membre du r\xc3\xa9seau n'a pour hash : 84\nmessage re\xc3\xa7u\n",
    );
  });

  it('P8: does not say that it understands a notice of a neighbour, and changes nothing', async () => {
    expect(await peer('ctr:1:77:10.9.0.7')).toBe(NOT_UNDERSTOOD);
    expect(rig.ring.inOrder.map(({ ringId }) => ringId)).toEqual([74, 94]);
  });
});

describe('RingPorts', () => {
  it('opens all of its ports or none', async () => {
    const { log } = captureLog();
    const free = { host: '127.0.0.1', port: 0 };
    const taken = parseHostPort(rig.address('peer'))!;
    const deps = { note: () => undefined, calls: rig.ring, clock: systemClock, log };
    const off = { hash: undefined, welcome: undefined, monitor: undefined, peer: undefined };
    const first = await RingPorts.open({ ...deps, addresses: { ...off, hash: free } });
    expect(Object.keys(first.addresses)).toEqual(['hash']);
    const hash = parseHostPort(first.addresses.hash!)!;
    await first.close();
    const addresses = { ...off, hash, peer: taken };
    await expect(RingPorts.open({ ...deps, addresses })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    const again = await RingPorts.open({ ...deps, addresses: { ...off, hash } });
    await again.close();
  });

  it('cuts off who waits for a call when it closes', async () => {
    rig.ring.manner = 'silent';
    const answer = ask(rig.address('welcome'), 'li?\n');
    await until(() => rig.logLines()[0], 5_000);
    await rig[Symbol.asyncDispose]();
    expect(await answer).toBe('');
    rig = await Rig.open(new MemoryRing(1));
  });

  it('logs each request and reply with its fields, and of what users say only the length', async () => {
    await ask(rig.address('peer'), 'msg:84:10.9.0.77:secret\n');
    await ask(rig.address('hash'), `${'x'.repeat(1_000)}\n`);
    const lines = rig.logLines();
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: 'message',
        direction: 'in',
        socket: 'peer',
        to: 84,
        sender: '10.9.0.77',
        characters: 6,
      }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'nobody', direction: 'out', socket: 'peer', to: 84 }),
    );
    expect(lines.filter(({ socket }) => socket === 'hash')).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain('secret');
    expect(JSON.stringify(lines)).not.toContain('x'.repeat(101));
  });
});
