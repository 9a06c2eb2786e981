import { afterAll, beforeAll, describe } from 'vitest';
import { openEtcdStore } from '../../services/storage/etcd-store.js';
import { describeStoreContract } from '../contract/store-contract.js';
import { TestEtcd, whyNoEtcd } from '../support/etcd.js';

describe.skipIf(whyNoEtcd() !== undefined)('on a real etcd', () => {
  let etcd: TestEtcd;
  let storeCount = 0;
  beforeAll(async () => {
    etcd = await TestEtcd.start();
  });
  afterAll(async () => etcd[Symbol.asyncDispose]());

  describeStoreContract('EtcdStore', async () => {
    storeCount += 1;
    const prefix = `/store-${storeCount}/`;
    const store = await openEtcdStore({
      endpoints: etcd.endpoints,
      prefix,
      openTimeoutMs: 10_000,
    });
    const pass = async (ms: number) => new Promise<void>((wake) => setTimeout(wake, ms));
    return { store, ttlMs: 2_000, pass, [Symbol.asyncDispose]: async () => store.close() };
  });
});
