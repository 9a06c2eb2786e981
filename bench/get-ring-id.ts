/** `HashService.GetRingId` on one node, against a bare grpc-js echo. */
import { HashServiceService } from '../proto/gen/ringbinder/v1/hash_service.js';
import { benchAgainstEcho } from './against-echo.js';
import { call } from './calls.js';

const REQUEST = { address: '10.0.0.7:7400' };

export async function benchGetRingId({ isQuick }: { readonly isQuick: boolean }): Promise<void> {
  await benchAgainstEcho(
    {
      names: ['get-ring-id', 'GetRingId'],
      method: HashServiceService.getRingId,
      request: REQUEST,
      prepare: async (node) => call(node, HashServiceService.assignRingId, REQUEST),
    },
    isQuick,
  );
}
