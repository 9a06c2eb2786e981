import { describe, expect, it } from 'vitest';
import { PAYLOAD_BYTES_MAX } from '../../services/limits.js';
import { PeerApplication } from '../../services/peer/application.js';
import { PeerFace } from '../../services/peer/face.js';
import { loneDriver, pairedDriver, settle, type FakeLinks } from './lone-driver.js';
import { peer } from './ring-text.js';

/** What an application at p20 sees of a ring of p20 and p30. */
async function create() {
  const lone = await pairedDriver();
  const seat = { driver: lone.driver, ringName: 'ours', ringSize: 64 };
  return { ...lone, application: new PeerApplication(new PeerFace(() => seat)) };
}

/** Everyone is silent; the clock must move for silence to be believed. */
async function amidSilence<Result>(
  links: FakeLinks,
  clock: { advance: (ms: number) => void },
  call: () => Promise<Result>,
): Promise<Result> {
  links.voices.clear();
  const calling = call();
  calling.catch(() => undefined);
  for (let round = 0; round < 4; round += 1) {
    await settle();
    clock.advance(0);
  }
  return calling;
}

const payload = Buffer.from('hello');

describe('PeerApplication.lookup', () => {
  it('finds the owner of a position, and who answered on the way', async () => {
    const { application } = await create();
    expect(await application.lookup(25)).toEqual({
      owner: peer(30),
      hops: [{ peer: peer(30), elapsedMs: 5 }],
    });
  });

  it('fails when no way is found, and says how many were silent', async () => {
    const { application, links, clock } = await create();
    await expect(amidSilence(links, clock, () => application.lookup(25))).rejects.toMatchObject({
      reason: 'LOOKUP_FAILED',
      facts: { ringId: '25', timeouts: '1' },
      retryAfterMs: 1_000,
    });
  });

  it('is refused while the node is no member', async () => {
    const { driver } = loneDriver();
    const face = new PeerFace(() => ({ driver, ringName: 'ours', ringSize: 64 }));
    const refusal = { reason: 'PEER_NOT_MEMBER' };
    await expect(new PeerApplication(face).lookup(1)).rejects.toMatchObject(refusal);
    const seatless = new PeerApplication(new PeerFace(() => undefined));
    await expect(seatless.lookup(1)).rejects.toMatchObject(refusal);
  });
});

describe('PeerApplication.send', () => {
  it('delivers under the message ID it is given', async () => {
    const { application, links } = await create();
    links.voices.set('p30 deliver', { kind: 'delivered' });
    const receipt = await application.send(30, payload, 'mine');
    expect(receipt).toEqual({ messageId: 'mine', path: [peer(20), peer(30)] });
    expect(links.asked.at(-1)).toBe('p30 deliver mine');
  });

  it('makes a message ID up where there is none, another one each time', async () => {
    const { application, letters } = await create();
    const one = await application.send(20, payload, '');
    const other = await application.send(20, payload, '');
    expect(one.messageId).toMatch(/^[0-9a-f-]{36}$/);
    expect(other.messageId).not.toBe(one.messageId);
    expect(letters.map(({ messageId }) => messageId)).toEqual([one.messageId, other.messageId]);
  });

  it('takes the largest payload, and refuses a byte more', async () => {
    const { application, letters } = await create();
    await application.send(20, new Uint8Array(PAYLOAD_BYTES_MAX), 'm');
    const tooLarge = application.send(20, new Uint8Array(PAYLOAD_BYTES_MAX + 1), 'n');
    await expect(tooLarge).rejects.toMatchObject({
      reason: 'PAYLOAD_TOO_LARGE',
      facts: {
        payloadBytes: String(PAYLOAD_BYTES_MAX + 1),
        payloadBytesMax: String(PAYLOAD_BYTES_MAX),
      },
    });
    expect(letters).toHaveLength(1);
  });

  it('refuses a ring ID that nobody has, and names the next peer', async () => {
    const { application } = await create();
    await expect(application.send(25, payload, 'm')).rejects.toMatchObject({
      reason: 'PEER_NOT_FOUND',
      facts: { toRingId: '25', ownerRingId: '30' },
    });
  });

  it('says that the inbox of the receiver is full', async () => {
    const { application, links } = await create();
    links.voices.set('p30 deliver', { kind: 'inbox-full' });
    await expect(application.send(30, payload, 'm')).rejects.toMatchObject({
      reason: 'INBOX_FULL',
      facts: { toRingId: '30' },
    });
  });

  it('says that a receiver did not answer', async () => {
    const { application, links, clock } = await create();
    const sending = amidSilence(links, clock, () => application.send(30, payload, 'm'));
    await expect(sending).rejects.toMatchObject({
      reason: 'PEER_UNREACHABLE',
      facts: { toRingId: '30' },
      retryAfterMs: 1_000,
    });
  });

  it('says that no way was found', async () => {
    const { application, links, clock } = await create();
    const sending = amidSilence(links, clock, () => application.send(25, payload, 'm'));
    await expect(sending).rejects.toMatchObject({
      reason: 'LOOKUP_FAILED',
      facts: { ringId: '25' },
      retryAfterMs: 1_000,
    });
  });

  it('is refused while the node is no member', async () => {
    const seatless = new PeerApplication(new PeerFace(() => undefined));
    const refusal = { reason: 'PEER_NOT_MEMBER' };
    await expect(seatless.send(1, payload, 'm')).rejects.toMatchObject(refusal);
  });
});
