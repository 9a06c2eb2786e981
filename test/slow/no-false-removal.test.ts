import { describe, expect, it } from 'vitest';
import { BINDER_LIMITS } from '../../services/binder/core/limits.js';
import { below } from '../../services/system/chance.js';
import { World, type Program } from '../binder/world.js';

const TTL_MS = 5_000;
const { silentMs } = BINDER_LIMITS.fellowship;

function registration(index: number, services: number) {
  const service = `service-${index % services}`;
  const address = `10.0.${index >> 8}.${index & 255}:80`;
  return { service, address, ttlMs: TTL_MS, metadata: {}, check: undefined };
}

function fill(world: World, endpoints: number, names: readonly string[]): readonly Program[] {
  return Array.from({ length: endpoints }, (_, index) =>
    world.addProgram(registration(index, 20), names),
  );
}

function expectNoFalseRemoval(world: World): void {
  for (const { name, removals } of world.binders.values()) {
    for (const { endpoint, atMs } of removals) {
      const program = world.programs.find(
        ({ address }) => address === endpoint.registration.address,
      );
      const isTrue = program!.diedAtMs <= atMs;
      if (!isTrue) throw new Error(`${name} removed ${program!.address} at ${atMs}, alive`);
    }
  }
  expect(world.programs.filter(({ expiries, isDead }) => expiries > 0 && !isDead)).toEqual([]);
}

function expectAgreement(world: World, alive: readonly Program[]): void {
  const expected = new Set(alive.filter(({ isDead }) => !isDead).map(({ address }) => address));
  for (const binder of world.living) expect(binder.addresses).toEqual(expected);
  expect(new Set(world.living.map(({ root }) => root)).size).toBe(1);
}

const NAMES = ['b1', 'b2', 'b3'];
const RUNS = 1_000;

/** A world that has begun to live: three binders, programs at all of them. */
function begun(seed: number, endpoints: number): World {
  const world = new World(seed);
  world.addBinders(NAMES);
  fill(world, endpoints, NAMES);
  world.run(2_000 + below(world.chance, 5_000));
  return world;
}

const anyBinder = (world: World) => world.binders.get(NAMES[below(world.chance, 3)]!)!;

function eachSeed(runs: number, act: (seed: number) => void): void {
  for (let seed = 1; seed <= runs; seed += 1) {
    try {
      act(seed);
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause });
    }
  }
}

describe('Three binders with 200 endpoints', () => {
  it('lose no healthy endpoint when one of them is killed, in a thousand runs', () => {
    eachSeed(RUNS, (seed) => {
      const world = begun(seed, 200);
      anyBinder(world).isDead = true;
      world.run(silentMs + TTL_MS + 2_000);
      expectNoFalseRemoval(world);
      expectAgreement(world, world.programs);
    });
  }, 240_000);

  it('drop who dies silently within its TTL and a second, everywhere', () => {
    eachSeed(RUNS / 10, (seed) => {
      const world = begun(seed, 200);
      const dying = world.programs.filter(() => world.chance.unit() < 0.05);
      for (const program of dying) program.die();
      world.run(TTL_MS + 1_000);
      expectNoFalseRemoval(world);
      expectAgreement(world, world.programs);
    });
  });

  it('drop who dies with its binder, once others have taken over, within another TTL', () => {
    eachSeed(RUNS / 10, (seed) => {
      const world = begun(seed, 200);
      anyBinder(world).isDead = true;
      const dying = world.programs.filter(() => world.chance.unit() < 0.05);
      for (const program of dying) program.die();
      world.run(silentMs + TTL_MS + 2_000);
      expectNoFalseRemoval(world);
      expectAgreement(world, world.programs);
    });
  });

  it('survive one that stands still, for a moment or for long', () => {
    eachSeed(RUNS / 10, (seed) => {
      const world = begun(seed, 100);
      const binder = anyBinder(world);
      binder.isPaused = true;
      world.run(500 + below(world.chance, 15_000));
      binder.isPaused = false;
      world.run(TTL_MS + 5_000);
      expectNoFalseRemoval(world);
      expectAgreement(world, world.programs);
    });
  });

  it('fill up one that comes back with nothing', () => {
    eachSeed(RUNS / 10, (seed) => {
      const world = begun(seed, 100);
      const { name } = anyBinder(world);
      world.binders.get(name)!.isDead = true;
      world.run(below(world.chance, 8_000));
      world.addBinders([name]);
      world.run(silentMs + TTL_MS + 5_000);
      expectNoFalseRemoval(world);
      expectAgreement(world, world.programs);
    });
  });
});

describe('Binders that are cut apart', () => {
  /** Half of the programs stay with b1. */
  function cutApart(seed: number, cutMs: number): World {
    const world = begun(seed, 60);
    const side = world.programs.filter(() => world.chance.unit() < 0.5);
    world.cutFor(cutMs, ['b1', ...side.map(({ address }) => address)]);
    return world;
  }

  it('agree within eight seconds after the cut is mended, and have everyone who lives', () => {
    eachSeed(RUNS / 5, (seed) => {
      const world = cutApart(seed, 1_000 + (seed % 20) * 1_000);
      world.run(8_000);
      expectAgreement(world, world.programs);
      world.run(2 * TTL_MS);
      expectAgreement(world, world.programs);
    });
  });

  it('never tell a program that its lease has ended while it reached its side', () => {
    eachSeed(RUNS / 5, (seed) => {
      const world = cutApart(seed, 12_000);
      world.run(2 * TTL_MS);
      expect(world.programs.filter(({ expiries }) => expiries > 0)).toEqual([]);
    });
  });
});
