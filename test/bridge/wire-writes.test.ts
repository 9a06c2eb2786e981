import { describe, expect, it } from 'vitest';
import { DhtServiceService } from '../../proto/gen/ringbinder/v1/dht_service.js';
import { ValueFollower } from '../../services/bridge/wire-writes.js';
import { RingbinderError } from '../../services/errors.js';
import { timestampToWire } from '../../services/rpc/wire-time.js';
import { systemClock } from '../../services/system/clock.js';
import { until } from '../support/until.js';
import { ScriptedNode } from './scripted-node.js';

const PAGE = 40;

/** A node that stores these keys, in pages, each with its version as its value. */
async function storing(versions: Map<string, string>, asked: string[]): Promise<ScriptedNode> {
  return ScriptedNode.start(DhtServiceService, {
    listKeys: async ({ pageToken }) => {
      const from = Number(pageToken || '0');
      const all = [...versions].map(([key, version]) => ({ key, version }));
      const keys = all
        .slice(from, from + PAGE)
        .map((each) => ({ ...each, sizeBytes: 1, expireTime: undefined }));
      const isLast = from + PAGE >= all.length;
      return { keys, nextPageToken: isLast ? '' : String(from + PAGE) };
    },
    get: async ({ key }) => {
      asked.push(key);
      const version = versions.get(key);
      if (version === undefined || version === 'gone') {
        throw new RingbinderError('KEY_NOT_FOUND', 'told to');
      }
      const expireTime = timestampToWire(systemClock.now() + 30_000);
      return { value: Buffer.from(version), version, expireTime, receipt: undefined };
    },
  });
}

describe('ValueFollower', () => {
  it('tells of each new version once, of wanted keys only, some at each look', async () => {
    const versions = new Map(Array.from({ length: 100 }, (_, index) => [`w${index}`, 'one']));
    versions.set('other', 'one').set('w0', 'gone');
    const asked: string[] = [];
    const told: string[] = [];
    await using node = await storing(versions, asked);
    const { link } = node;
    const isWanted = (key: string): boolean => key.startsWith('w');
    const put = (key: string, value: Uint8Array, lifeMs: number): void => {
      expect(lifeMs).toBeGreaterThan(25_000);
      told.push(`${key} ${Buffer.from(value).toString()}`);
    };
    new ValueFollower({ link, clock: systemClock, isWanted, put }).start();
    await until(() => (asked.length === 64 ? true : undefined), 5_000);
    await until(() => (asked.length === 100 ? true : undefined), 5_000);
    versions.set('w5', 'two');
    await until(() => told.find((it) => it === 'w5 two'), 5_000);
    expect(asked).toHaveLength(101);
    expect(asked).not.toContain('other');
    expect(new Set(told).size).toBe(100);
    expect(told).toHaveLength(100);
  }, 15_000);
});
