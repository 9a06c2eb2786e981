import { describe, expect, it } from 'vitest';
import { Holdings, PAIRS_MAX } from '../../../services/legacy/tlv/holdings.js';
import { Outbox } from '../../../services/legacy/tlv/outbox.js';
import { Post } from '../../../services/legacy/tlv/post.js';

describe('Holdings', () => {
  it('has a bound, and the pair said longest ago makes room', () => {
    const holdings = new Holdings();
    for (let index = 0; index < PAIRS_MAX; index += 1) holdings.say(`h${index}`, '::5', 0);
    holdings.say('h0', '::5', 1);
    holdings.hear('more', '::5', 1);
    expect(holdings.size).toBe(PAIRS_MAX);
    expect(holdings.saidSince('h0', 0)).toEqual(['::5']);
    expect(holdings.saidSince('h1', 0)).toEqual([]);
  });

  it('tells the addresses of a hash in the order of arrival, also after a repeat', () => {
    const holdings = new Holdings();
    for (const ip of ['::6', '::5', '::7', '::6']) holdings.say('h', ip, 10);
    expect(holdings.saidSince('h', 10)).toEqual(['::6', '::5', '::7']);
    expect(holdings.saidSince('h', 11)).toEqual([]);
  });

  it('renews a pair with every repeat', () => {
    const holdings = new Holdings();
    holdings.say('h', '::5', 0);
    holdings.hear('h', '::6', 0);
    holdings.hear('h', '::5', 20_000);
    holdings.sweep(30_000);
    expect([...holdings.pairs].map(({ ip }) => ip)).toEqual(['::5']);
    holdings.sweep(50_000);
    expect(holdings.size).toBe(0);
  });
});

describe('Outbox', () => {
  const message = { framing: 'original', kind: 'YES' } as const;
  const letter = { socket: 'answer', message, endMs: 1_000 } as const;

  it('sends four a tick, drops what has ended, and holds no more than a table', () => {
    let sentCount = 0;
    const post = new Post(
      () => (sentCount += 1),
      () => undefined,
    );
    const outbox = new Outbox(post, { host: '::2', port: 58_951 });
    outbox.prove();
    for (let index = 0; index < PAIRS_MAX + 100; index += 1) outbox.put(letter);
    expect([sentCount, outbox.size]).toEqual([4, PAIRS_MAX]);
    outbox.tick(0);
    expect([sentCount, outbox.size]).toEqual([8, PAIRS_MAX - 4]);
    outbox.tick(1_000);
    expect([sentCount, outbox.size]).toEqual([8, 0]);
  });
});
