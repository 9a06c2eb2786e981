import { afterEach, describe, expect, it } from 'vitest';
import { exchangeLine, type LineAnswer } from '../../services/legacy/line-client.js';
import { systemClock } from '../../services/system/clock.js';
import { ScriptedServer } from './ring/scripted-server.js';

const opened: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (server) => server[Symbol.asyncDispose]()));
});

async function scripted(...script: ConstructorParameters<typeof ScriptedServer>[0]): Promise<{
  readonly server: ScriptedServer;
  readonly ask: (withinMs?: number, signal?: AbortSignal) => Promise<LineAnswer>;
}> {
  const server = new ScriptedServer(script);
  opened.push(server);
  const to = await server.listen();
  const after = systemClock.after.bind(systemClock);
  const isLast = (line: string): boolean => line === 'end';
  return {
    server,
    ask: async (withinMs = 5_000, signal) =>
      exchangeLine({ to, line: 'li?', isLast, withinMs, after, ...(signal && { signal }) }),
  };
}

describe('exchangeLine()', () => {
  it('sends one line, and reads up to the last', async () => {
    const { server, ask } = await scripted({ text: '5:a\r\nend\r\n6:b\r\n', then: 'stay' });
    expect(await ask()).toEqual({ lines: ['5:a', 'end'], endedBy: 'last line' });
    expect(server.requests).toEqual(['li?\n']);
  });

  it.each([
    ['with its terminator', '5:a\n6:b\n', ['5:a', '6:b']],
    ['without its terminator', '5:a\n6:b', ['5:a', '6:b']],
    ['nothing', '', []],
  ])('reads up to the close: %s', async (_, text, lines) => {
    const { ask } = await scripted({ text, then: 'close' });
    expect(await ask()).toEqual({ lines, endedBy: 'closed' });
  });

  it('waits no longer than it is told', async () => {
    const { ask } = await scripted({ text: '5:a\n6:', then: 'stay' });
    expect(await ask(200)).toEqual({ lines: ['5:a'], endedBy: 'time' });
  });

  it('keeps what came before a reset, and rejects when nothing did', async () => {
    const { ask } = await scripted({ text: 'yaf\n', then: 'reset' }, { text: '', then: 'reset' });
    expect(await ask()).toEqual({ lines: ['yaf'], endedBy: 'closed' });
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('cuts off who sends without an end, with line ends and without', async () => {
    const { ask } = await scripted(
      { text: '0:1:a\n'.repeat(1_000_000), then: 'close' },
      { text: 'x'.repeat(6_000_000), then: 'close' },
    );
    const { lines, endedBy } = await ask();
    expect(endedBy).toBe('cut');
    expect(lines.length).toBeLessThan(800_000);
    expect(await ask()).toEqual({ lines: [], endedBy: 'cut' });
  });

  it('rejects when nobody listens', async () => {
    const { server, ask } = await scripted();
    await server[Symbol.asyncDispose]();
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('rejects when it is aborted, before and meanwhile', async () => {
    const { ask } = await scripted({ text: '5:a\n', then: 'stay' });
    const interrupt = new AbortController();
    const asked = ask(5_000, interrupt.signal);
    interrupt.abort();
    await expect(asked).rejects.toThrow('aborted');
    await expect(ask(5_000, interrupt.signal)).rejects.toThrow('aborted');
  });
});
