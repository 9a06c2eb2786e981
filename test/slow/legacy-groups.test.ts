/** Two nodes, each with clients of dialect tlv of its own: what is put at one is found at the other. */
import { describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { legacyFlags } from '../support/legacy-flags.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const HASH = '0123456789abcdef'.repeat(6);

describe('two groups of legacy programs', () => {
  it('share the holders of their nodes', async () => {
    await using net = new TestNet();
    // The ports between servers are fixed: each node has an address of its own.
    const one = await net.start({ flags: legacyFlags({ tlv: '[::ffff:127.0.3.1]:0' }) });
    const other = await net.start({
      join: [one.address],
      flags: legacyFlags({ tlv: '[::ffff:127.0.3.2]:0' }),
    });
    await untilIdeal([one, other], 30_000);
    const at = (node: TestNode): string =>
      (node.record('ringbinder ready')!['legacy'] as Record<string, string>)['tlv']!;
    const tlv = async (node: TestNode, ...args: readonly string[]) =>
      cli(['legacy', 'tlv', ...args, '--at', at(node)]);
    expect(await tlv(one, 'put', '2001:db8::1', HASH)).toMatchObject({ code: 0 });
    expect(await tlv(other, 'put', '2001:db8::2', HASH)).toMatchObject({ code: 0 });
    for (const node of [one, other]) {
      await until(async () => {
        const { out } = await tlv(node, 'get', HASH);
        return out.includes('2001:db8::1') && out.includes('2001:db8::2') ? true : undefined;
      }, 10_000);
    }
  }, 60_000);
});
