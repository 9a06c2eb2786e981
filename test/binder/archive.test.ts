import { describe, expect, it } from 'vitest';
import { EndpointArchive } from '../../services/binder/archive.js';
import { MemoryStore } from '../../services/storage/memory-store.js';
import type { Store, StoreCommit } from '../../services/storage/store.js';
import { captureLog } from '../support/capture-log.js';
import { FakeClock } from '../support/fake-clock.js';
import { endpointOf, registrationOf } from './core/endpoints.js';

/** A store that counts its commits, and fails while a test says so. */
class TestBed {
  readonly clock = new FakeClock();
  readonly store = new MemoryStore();
  readonly commits: StoreCommit[] = [];
  isBroken = false;
  readonly archive: EndpointArchive;

  constructor() {
    const commit = async (it: StoreCommit): Promise<boolean> => {
      if (this.isBroken) throw new Error('the disk is full');
      this.commits.push(it);
      return this.store.commit(it);
    };
    const store = new Proxy<Store>(this.store, {
      get: (target, name) => {
        if (name === 'commit') return commit;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    this.archive = new EndpointArchive({ store, clock: this.clock, log: captureLog().log });
  }
}

const at = (index: number, stamp = 1) =>
  endpointOf({ registration: registrationOf({ address: `10.0.0.${index}:80` }), stamp });

describe('EndpointArchive', () => {
  it('brings back what it has saved, and not what it has forgotten', async () => {
    const { archive } = new TestBed();
    archive.save(at(1));
    archive.save(at(2));
    archive.save(at(1, 7));
    archive.forget(at(2));
    await archive.settled(at(1));
    expect(await archive.load()).toEqual([at(1, 7)]);
  });

  it('writes what comes together in as few commits as may be', async () => {
    const { archive, commits } = new TestBed();
    for (let index = 0; index < 100; index += 1) archive.save(at(index));
    await archive.settled(at(99));
    expect(commits.map(({ writes }) => writes.length)).toEqual([64, 36]);
  });

  it('writes the largest endpoints within the bounds of a commit', async () => {
    const { archive, commits } = new TestBed();
    const metadata = Object.fromEntries(
      Array.from({ length: 64 }, (_, index) => [`${index}`.padEnd(128), 'x'.repeat(1_024)]),
    );
    for (let index = 0; index < 40; index += 1) {
      const registration = registrationOf({ address: `10.0.0.${index}:80`, metadata });
      archive.save(endpointOf({ registration }));
    }
    await archive.settled(
      endpointOf({ registration: registrationOf({ address: '10.0.0.39:80' }) }),
    );
    expect(commits.length).toBeGreaterThan(2);
    expect(await archive.load()).toHaveLength(40);
  });

  it('says what could not be written, and tries again until it is', async () => {
    const bed = new TestBed();
    bed.isBroken = true;
    bed.archive.save(at(1));
    await expect(bed.archive.settled(at(1))).rejects.toThrow('the disk is full');
    bed.isBroken = false;
    await bed.clock.advanceInSteps(1_100, 100);
    await bed.archive.settled(at(1));
    expect(await bed.archive.load()).toEqual([at(1)]);
  });
});
