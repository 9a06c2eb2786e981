/** `DhtService.Get` of a value that the asked node has itself, against a bare grpc-js echo. */
import { randomBytes } from 'node:crypto';
import { DhtServiceService } from '../proto/gen/ringbinder/v1/dht_service.js';
import { benchAgainstEcho } from './against-echo.js';
import { call } from './calls.js';

const KEY = 'bench/value';
const VALUE_BYTES = 256;

export async function benchDhtGet({ isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const value = randomBytes(VALUE_BYTES);
  await benchAgainstEcho(
    {
      names: ['dht-get', 'Get'],
      method: DhtServiceService.get,
      request: { key: KEY, readQuorum: 1 },
      prepare: async (node) =>
        call(node, DhtServiceService.put, { key: KEY, value, ttl: undefined, writeQuorum: 1 }),
    },
    isQuick,
  );
}
