import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseHostPort } from '../../services/host-port.js';
import { cli, recordsOf, type CliResult } from '../support/cli.js';
import { MemoryRing } from '../legacy/ring/memory-ring.js';
import { Rig } from '../legacy/ring/rig.js';
import { ScriptedServer } from '../legacy/ring/scripted-server.js';

const ring = async (...args: readonly string[]): Promise<CliResult> =>
  cli(['--timeout-ms', '2000', 'legacy', 'ring', ...args]);

/** Runs against an original that says this and closes, or stays open. */
async function against(
  command: readonly string[],
  text: string,
  then: 'close' | 'stay' = 'close',
): Promise<CliResult & { readonly requests: readonly string[] }> {
  await using server = new ScriptedServer([{ text, then }]);
  const { host, port } = await server.listen();
  const result = await ring(...command, '--welcome', `${host}:${port}`);
  return { ...result, requests: server.requests };
}

describe('legacy ring, against our ports', () => {
  let rig: Rig;
  let flags: readonly string[];
  beforeAll(async () => {
    rig = await Rig.open(new MemoryRing(16, [{ ringId: 9, host: '127.0.0.1' }]));
    rig.ring.rows = [{ start: 9, successor: { ringId: 3, host: '127.0.0.1' } }];
    flags = ['--welcome', rig.address('welcome')];
  });
  afterAll(async () => rig[Symbol.asyncDispose]());

  it('joins, lists, tells tables, and leaves', async () => {
    const hash = ['--hash', rig.address('hash')];
    const joined = await ring('join', '10.9.0.1', ...flags, ...hash);
    expect(joined).toMatchObject({ code: 0, out: '         3  127.0.0.1\n', err: '' });

    const listed = await ring('--json', 'list', ...flags);
    expect(recordsOf(listed.out)).toEqual([
      { ringId: 3, host: '10.9.0.1' },
      { ringId: 9, host: '127.0.0.1' },
    ]);
    const base = await ring('base-table', '9', ...flags);
    expect(base.out.split('\n')[0]).toBe('         9           3  10.9.0.1');
    const { port } = parseHostPort(rig.address('monitor'))!;
    const table = await ring('--json', 'table', '9', ...flags, '--monitor-port', String(port));
    expect(recordsOf(table.out)).toEqual(rig.ring.rows);

    const again = await ring('join', '10.9.0.1', ...flags, ...hash);
    expect(again).toMatchObject({ code: 67, out: '' });
    expect(again.err).toContain('rb legacy ring leave');
    expect(await ring('leave', '3', ...flags)).toMatchObject({
      code: 0,
      out: '         3  left\n',
    });
    expect(await ring('leave', '3', ...flags)).toMatchObject({ code: 67, out: '' });
  });

  it('says who is first, and who is not there', async () => {
    await using empty = await Rig.open(new MemoryRing(1));
    const at = ['--welcome', empty.address('welcome'), '--hash', empty.address('hash')];
    expect(await ring('--json', 'list', ...at.slice(0, 2))).toMatchObject({ code: 0, out: '' });
    expect((await ring('list', ...at.slice(0, 2))).err).toBe('no members\n');
    const joined = await ring('--json', 'join', 'a', ...at);
    expect(recordsOf(joined.out)).toEqual([{ ringId: 0, entry: null }]);
    expect(await ring('join', 'b', ...at)).toMatchObject({ code: 72, out: '' });
    const [table, baseTable] = await Promise.all([
      ring('table', '5', ...at.slice(0, 2)),
      ring('base-table', '5', ...at.slice(0, 2)),
    ]);
    expect([table.code, baseTable.code]).toEqual([69, 69]);
    expect(table.err).toContain('knows no member 5');
  });
});

describe('legacy ring, against originals', () => {
  it('takes lists that end with CR LF, or with the close', async () => {
    const [windows, cut] = await Promise.all([
      against(['list'], '5:127.0.0.1\r\nend\r\n', 'stay'),
      against(['list'], '5:127.0.0.1\n'),
    ]);
    expect(windows).toMatchObject({ code: 0, out: '         5  127.0.0.1\n' });
    expect(windows.requests).toEqual(['li?\n']);
    expect(cut).toMatchObject({ code: 0, out: '         5  127.0.0.1\n' });
  });

  it.each([
    ['a list that is none', ['list'], '-5:127.0.0.1\nend\n', 1],
    ['a base table without its end', ['base-table', '5'], '5:9:127.0.0.1\n', 1],
    ['a refusal', ['base-table', '5'], 'wrq\n', 67],
    ['a close without an answer', ['leave', '5'], '', 68],
    ['an answer that is none', ['leave', '5'], '?\n', 1],
  ])('ends with an error on %s', async (_, command, text, code) => {
    const result = await against(command, text);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).toMatch(/^[^\n]+\n$/);
  });

  it('ends with an error when nobody answers, or nobody is there', async () => {
    await using silent = new ScriptedServer([]);
    const { port } = await silent.listen();
    const [deaf, absent] = await Promise.all([
      cli(['--timeout-ms', '300', 'legacy', 'ring', 'list', '--welcome', `127.0.0.1:${port}`]),
      ring('list', '--welcome', '127.0.0.1:9'),
    ]);
    expect(deaf).toMatchObject({ code: 68, out: '' });
    expect(absent).toMatchObject({ code: 78, out: '' });
    expect(absent.err).toContain('ECONNREFUSED');
  });

  it('does not write to a terminal what it would obey', async () => {
    const { out } = await against(['list'], '5:\x1b[2Ja\nend\n');
    expect(out).toBe('         5  \\x1b[2Ja\n');
  });

  it.each([
    ['a ring ID beyond 32 bits', ['leave', '2147483648']],
    ['a host that no line can say', ['join', '::1']],
    ['no port', ['list', '--welcome', '127.0.0.1']],
  ])('refuses %s', async (_, command) => {
    expect(await ring(...command)).toMatchObject({ code: 2, out: '' });
  });
});

describe('legacy decode ring', () => {
  it.each([
    ['yo:5:10.9.0.1', { kind: 'enter', ringId: 5, host: '10.9.0.1', bytesUsed: 14 }],
    ['6c693f0d0a', { kind: 'list', bytesUsed: 4 }],
    ['44', { kind: 'ring-id', ringId: 44, bytesUsed: 3 }],
  ])('explains %s', async (text, record) => {
    const { out } = await cli(['--json', 'legacy', 'decode', 'ring', text]);
    expect(JSON.parse(out)).toEqual(record);
  });
});
