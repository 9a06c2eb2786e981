import { describe, expect, it } from 'vitest';
import { Inbox } from '../../../services/peer/core/inbox.js';
import type { Letter } from '../../../services/peer/core/messages.js';

const letter = (messageId: string, bytes = 1): Letter => ({
  messageId,
  fromRingId: 20,
  payload: new Uint8Array(bytes),
  path: [],
});

const create = (changes = {}) =>
  new Inbox({ lettersMax: 3, bytesMax: 100, rememberedMax: 4, ...changes });

const idsOf = (letters: readonly Letter[]) => letters.map(({ messageId }) => messageId);

describe('Inbox', () => {
  it('hands out what waits, in order and once', () => {
    const inbox = create();
    for (const id of ['a', 'b', 'c']) expect(inbox.keep(letter(id))).toBe('new');
    expect(idsOf(inbox.takeAll())).toEqual(['a', 'b', 'c']);
    expect(inbox.takeAll()).toEqual([]);
  });

  it('refuses a letter too many, and has room again when they are taken', () => {
    const inbox = create();
    for (const id of ['a', 'b', 'c']) inbox.keep(letter(id));
    expect(inbox.keep(letter('d'))).toBe('full');
    inbox.takeAll();
    expect(inbox.keep(letter('d'))).toBe('new');
    expect(idsOf(inbox.takeAll())).toEqual(['d']);
  });

  it.each([
    { title: 'takes the last byte', bytes: 40, offered: 'new' },
    { title: 'refuses a byte too many', bytes: 41, offered: 'full' },
  ])('$title', ({ bytes, offered }) => {
    const inbox = create();
    inbox.keep(letter('a', 60));
    expect(inbox.keep(letter('b', bytes))).toBe(offered);
  });

  it('counts no bytes of a letter that it refused, nor of those taken', () => {
    const inbox = create();
    inbox.keep(letter('a', 60));
    inbox.keep(letter('b', 60));
    expect(inbox.keep(letter('c', 40))).toBe('new');
    inbox.takeAll();
    expect(inbox.keep(letter('d', 100))).toBe('new');
  });

  it('acknowledges a repeat and does not keep it, waiting or taken', () => {
    const inbox = create();
    inbox.keep(letter('a'));
    expect(inbox.keep(letter('a'))).toBe('repeated');
    expect(idsOf(inbox.takeAll())).toEqual(['a']);
    expect(inbox.keep(letter('a'))).toBe('repeated');
    expect(inbox.takeAll()).toEqual([]);
  });

  it('acknowledges a repeat when it is full', () => {
    const inbox = create();
    for (const id of ['a', 'b', 'c']) inbox.keep(letter(id));
    expect(inbox.keep(letter('b'))).toBe('repeated');
  });

  it('takes a refused letter when it comes again', () => {
    const inbox = create({ lettersMax: 1 });
    inbox.keep(letter('a'));
    inbox.keep(letter('b'));
    inbox.takeAll();
    expect(inbox.keep(letter('b'))).toBe('new');
  });

  it('passes a letter on once, and keeps none of it', () => {
    const inbox = create();
    expect(inbox.passOn(letter('a'))).toBe('new');
    expect(inbox.passOn(letter('a'))).toBe('repeated');
    expect(inbox.keep(letter('a'))).toBe('repeated');
    expect(inbox.takeAll()).toEqual([]);
  });

  it('passes nothing on that it kept before', () => {
    const inbox = create();
    inbox.keep(letter('a'));
    expect(inbox.passOn(letter('a'))).toBe('repeated');
  });

  it('remembers as many message IDs as it may, the latest ones', () => {
    const inbox = create();
    for (const id of ['a', 'b', 'c', 'd']) inbox.passOn(letter(id));
    expect(inbox.passOn(letter('a'))).toBe('repeated');
    inbox.passOn(letter('e'));
    expect(inbox.passOn(letter('b'))).toBe('repeated');
    expect(inbox.passOn(letter('a'))).toBe('new');
  });
});
