/** What `legacy tlv` says to an original server, byte for byte, and makes of its answers. */
import { describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { LegacyProgram } from '../support/datagrams.js';
import { until } from '../support/until.js';

describe('legacy tlv', () => {
  const hash = 'a'.repeat(65);
  const run = async (args: readonly string[]) => cli(['legacy', 'tlv', ...args]);

  /** Two sockets of one server: it hears on one and answers from the other. */
  async function answering(asked: string, answer: string, args: readonly string[]) {
    await using server = await LegacyProgram.open('::1');
    await using answers = await LegacyProgram.open('::1');
    const result = run([...args, '--at', `[::1]:${server.port}`]);
    const { hex, fromPort } = await until(() => server.received[0], 5_000);
    expect(hex).toBe(asked);
    if (answer !== '') answers.send(`[::1]:${fromPort}`, answer);
    return await result;
  }

  const hashHex = Buffer.from(hash).toString('hex');
  const get = `30d011${hashHex}`;

  it('asks who has a hash, and reads the answer', async () => {
    const two = '33d0e03a3a3520323030313a6462383a3a3120';
    expect(await answering(get, two, ['get', hash])).toMatchObject({
      code: 0,
      out: '::5\n2001:db8::1\n',
    });
    const json = await answering(get, '33d0d43a3a3520', ['get', hash, '--json']);
    expect(json.out).toBe('{"address":"::5"}\n');
    const none = '33d0e86e6f204950206d6174636820776974682072657175657374';
    expect(await answering(get, none, ['get', hash])).toMatchObject({ code: 69, out: '' });
  });

  it('reads an answer whose length byte was lost', async () => {
    const text = Buffer.from('fd00:1234::1 fd00:1234::2 fd00:1234::3 ::5 ::66 ');
    expect(text).toHaveLength(48);
    const answer = `33d0${text.toString('hex')}`;
    const { out } = await answering(get, answer, ['get', hash]);
    expect(out).toBe('fd00:1234::1\nfd00:1234::2\nfd00:1234::3\n::5\n::66\n');
  });

  it('says who has a hash', async () => {
    const asked = `31db11${Buffer.from('2001:db8::1').toString('hex')}${hashHex}`;
    const result = await answering(asked, '', ['put', '2001:DB8:0::1', hash]);
    expect(result).toMatchObject({ code: 0, out: '' });
  });

  it('stops a server, or hears that it may not', async () => {
    const exit = '34d0db70617373776f7264313233';
    const right =
      '36d0066d6f74206465207061737365' + '20636f72726563742c2061727265742064752073657276657572';
    const wrong = '36d0e66d6f7420646520706173736520696e636f7272656374';
    const args = ['exit', 'password123'];
    expect(await answering(exit, right, args)).toMatchObject({ code: 0 });
    const refused = await answering(exit, wrong, args);
    expect(refused).toMatchObject({ code: 71 });
    expect(refused.err).toContain('mot de passe incorrect');
  });

  it.concurrent(
    'says when nobody answers',
    async () => {
      const [silent, absent] = await Promise.all([
        run(['get', hash, '--at', '[::1]:9']),
        run(['get', hash, '--at', '[::1]:9', '--tcp']),
      ]);
      expect(silent).toMatchObject({ code: 68, out: '' });
      expect(absent).toMatchObject({ code: 78, out: '' });
    },
    10_000,
  );

  it.concurrent.each([
    ['a hash that is too short', ['get', 'short'], '65 to 175'],
    ['a hash that is too long', ['get', 'a'.repeat(176)], '65 to 175'],
    ['a hash with spaces', ['get', `a b${hash}`], 'without spaces'],
    ['an IPv4 address', ['put', '127.0.0.1', hash], 'IPv6 address'],
    ['an IPv4 server', ['get', hash, '--at', '127.0.0.1:7401'], '[::1]:7401'],
    ['the original framing over TCP', ['get', hash, '--tcp', '--framing', 'original'], '--tcp'],
    ['a framing that is none', ['get', hash, '--framing', 'odd'], 'Allowed choices'],
  ])('takes %s for misuse', async (_, args, why) => {
    const result = await run(args);
    expect(result).toMatchObject({ code: 2, out: '' });
    expect(result.err).toContain(why);
  });
});
