/** The gRPC face of the assignments: HashService, on the node that holds the directory. */
import type { HashServiceServer } from '../../proto/gen/ringbinder/v1/hash_service.js';
import type { Handlers } from '../rpc/handlers.js';
import { HASH_ALGORITHM, positionOfKey } from './core/digest.js';
import type { HashKeeper } from './keeper.js';
import { ringIdFromWire } from '../rpc/wire-ring-id.js';
import { ageToWire } from '../rpc/wire-time.js';

export type HashHandlerDeps = { readonly keeper: HashKeeper; readonly ringSize: number };

export function createHashHandler({
  keeper,
  ringSize,
}: HashHandlerDeps): Handlers<HashServiceServer> {
  return {
    assignRingId: async ({ address }) => {
      const { ringId, alreadyAssigned } = await keeper.assign(address);
      return { ringId: BigInt(ringId), alreadyAssigned };
    },
    getRingId: async ({ address }) => ({
      ringId: BigInt(await keeper.getRingId(address)),
      age: ageToWire(keeper.ageMs),
    }),
    getAddress: async ({ ringId }) => ({
      address: await keeper.getAddress(ringIdFromWire(ringId, ringSize)),
      age: ageToWire(keeper.ageMs),
    }),
    releaseRingId: async ({ address }) => ({ ringId: BigInt(await keeper.release(address)) }),
    listAssignments: async ({ pageSize, pageToken }) => {
      const page = await keeper.list(pageSize, pageToken);
      const assignments = page.assignments.map(({ address, ringId }) => ({
        address,
        ringId: BigInt(ringId),
      }));
      return { assignments, nextPageToken: page.nextPageToken, age: ageToWire(keeper.ageMs) };
    },
    hashKey: createHashKey(() => ringSize),
  };
}

/** `HashKey` is pure: every node answers it itself, once it knows the ring size. */
export function createHashKey(ringSize: () => number): Handlers<HashServiceServer>['hashKey'] {
  return async ({ key }) => ({
    ringId: BigInt(positionOfKey(key, ringSize())),
    algorithm: HASH_ALGORITHM,
    ringSize: BigInt(ringSize()),
    hashedBytes: Buffer.from(key, 'utf8'),
  });
}
