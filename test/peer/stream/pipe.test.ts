import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Pipe, PIPE_BYTES_MAX } from '../../../services/peer/stream/pipe.js';

const bytes = (count: number): Buffer => Buffer.alloc(count, 7);

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  const note = (): void => void (isDone = true);
  promise.then(note, note);
  await setImmediate();
  return isDone;
}

describe('a pipe', () => {
  it('hands out what waits together, in order, and then the end', async () => {
    const pipe = new Pipe();
    for (const text of ['a', 'b', 'c']) expect(pipe.write(Buffer.from(text))).toBeUndefined();
    pipe.finish();
    expect(String(await pipe.read())).toBe('abc');
    expect(await pipe.read()).toBeUndefined();
    expect(await pipe.read()).toBeUndefined();
  });

  it('joins no more than 64 KiB, and leaves large chunks whole', async () => {
    const pipe = new Pipe();
    const large = bytes(100_000);
    for (const chunk of [bytes(40_000), bytes(40_000), large]) void pipe.write(chunk);
    expect(await pipe.read()).toHaveLength(40_000);
    expect(await pipe.read()).toHaveLength(40_000);
    expect(await pipe.read()).toBe(large);
  });

  it('makes the writer wait when it is full, until there is room', async () => {
    const pipe = new Pipe();
    expect(pipe.write(bytes(PIPE_BYTES_MAX - 1))).toBeUndefined();
    const room = pipe.write(bytes(1))!;
    expect(await isSettled(room)).toBe(false);
    await pipe.read();
    expect(await isSettled(room)).toBe(true);
  });

  it('wakes a reader that waits', async () => {
    const pipe = new Pipe();
    const reading = pipe.read();
    void pipe.write(bytes(3));
    expect(await reading).toHaveLength(3);
    const ending = pipe.read();
    pipe.finish();
    expect(await ending).toBeUndefined();
  });

  it('takes nothing behind its end', () => {
    const pipe = new Pipe();
    pipe.finish();
    expect(() => pipe.write(bytes(1))).toThrow('finished');
  });

  it('tells the writer when the reader has all', async () => {
    const pipe = new Pipe();
    void pipe.write(bytes(3));
    pipe.finish();
    const settled = pipe.settled();
    await pipe.read();
    await pipe.read();
    expect(await isSettled(settled)).toBe(false);
    expect(pipe.isDone).toBe(false);
    pipe.settle();
    await settled;
    expect(pipe.isDone).toBe(true);
    pipe.fail(new Error('too late'));
    await pipe.settled();
  });
});

describe('a pipe that breaks', () => {
  it('tells the writer at once, and the reader behind what was written', async () => {
    const pipe = new Pipe();
    const room = pipe.write(bytes(PIPE_BYTES_MAX))!;
    const settled = pipe.settled();
    pipe.fail(new Error('broken'));
    await expect(room).rejects.toThrow('broken');
    await expect(settled).rejects.toThrow('broken');
    expect(() => pipe.write(bytes(1))).toThrow('broken');
    expect(await pipe.read()).toHaveLength(PIPE_BYTES_MAX);
    await expect(pipe.read()).rejects.toThrow('broken');
  });

  it('wakes a reader that waits', async () => {
    const pipe = new Pipe();
    const reading = pipe.read();
    pipe.fail(new Error('broken'));
    await expect(reading).rejects.toThrow('broken');
  });

  it('is no error for a reader when all was written before', async () => {
    const pipe = new Pipe();
    void pipe.write(bytes(3));
    pipe.finish();
    pipe.fail(new Error('broken'));
    expect(await pipe.read()).toHaveLength(3);
    expect(await pipe.read()).toBeUndefined();
    await expect(pipe.settled()).rejects.toThrow('broken');
  });
});
