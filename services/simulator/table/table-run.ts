/**
 * The table's side of a run: sets it up on the simulated ring, lets calls be made, says when it has
 * settled, and judges what is left.
 */
import { firstIndexAt, type PeerRef } from '../../peer/core/ring-space.js';
import { endOf, isCollectable, type RecordId } from '../../dht/core/record.js';
import { compareVersions } from '../../dht/core/version.js';
import { positionOfKey } from '../../hash/core/digest.js';
import type { RingMember } from '../../peer/core/member.js';
import type { Chance } from '../../system/chance.js';
import type { RingChecker } from '../checks.js';
import { wallMsOf, type SimNode } from '../sim-node.js';
import type { World } from '../world.js';
import { Calls } from './calls.js';
import { History, type TableStats, type TableViolation } from './history.js';
import type { TablePlan } from './table-plan.js';
import { Tables } from './tables.js';

export type TableRunDeps = {
  readonly world: World;
  readonly checker: RingChecker;
  readonly plan: TablePlan;
  readonly ringSize: number;
  readonly chance: Chance;
};

const LOOK_MS = 500;
/** The ring counts as quiet when it was whole at so many looks in a row: older leases have ended. */
const LOOKS_MIN = 10;

export class TableRun {
  readonly #deps: TableRunDeps;
  readonly #history: History;
  readonly #tables: Tables;
  readonly #calls: Calls;
  #looksInARow = 0;

  constructor(deps: TableRunDeps) {
    this.#deps = deps;
    const { world, plan, chance } = deps;
    this.#history = new History(plan);
    this.#tables = new Tables({ ...deps, onFalseSilence: () => this.disturb() });
    this.#calls = new Calls({
      world,
      plan,
      chance,
      tables: this.#tables,
      history: this.#history,
    });
  }

  get stats(): TableStats {
    return this.#history.stats;
  }

  get violations(): readonly TableViolation[] {
    return this.#history.violations;
  }

  started(node: SimNode, ring: RingMember): void {
    this.disturb();
    this.#tables.started(node, ring);
  }

  ended(node: SimNode): void {
    this.disturb();
    this.#tables.ended(node);
  }

  departed(node: SimNode, peer: PeerRef): void {
    this.#tables.departed(node, peer);
  }

  farewell(node: SimNode, go: () => void): void {
    this.disturb();
    this.#tables.farewell(node, go);
  }

  stay(node: SimNode): void {
    this.#tables.stay(node);
  }

  disturb(): void {
    this.#looksInARow = 0;
    this.#history.disturb();
  }

  startCalls(): void {
    this.#calls.start();
    this.#look();
  }

  /** Ends the calls; returns the nodes that are down and have not handed over what they keep. */
  endCalls(): readonly SimNode[] {
    this.#calls.end();
    const { world } = this.#deps;
    return [...world.nodes.values()].filter(
      (node) => node.member === undefined && !this.#tables.hasLeft(node),
    );
  }

  /** Whether losing this node's disk leaves every acknowledged write somewhere. */
  mayLose(node: SimNode): boolean {
    const others = [...this.#tables.disks].filter(([it]) => it !== node);
    return this.#history.promises.every((promise) =>
      others.some(([, { table }]) => {
        const entry = table.entry(promise);
        return entry !== undefined && compareVersions(entry.version, promise.version) >= 0;
      }),
    );
  }

  wipe(node: SimNode): void {
    this.#tables.wipe(node);
  }

  /** Whether every record is where it belongs, in one version, and nowhere else. */
  isSettled(): boolean {
    return this.#firstDifference() === undefined;
  }

  /** Judges what has settled; or says what has not. */
  judge(): void {
    const { world } = this.#deps;
    const difference = this.#firstDifference();
    if (difference !== undefined) this.#history.report('COPIES_ARE_EQUAL', difference);
    for (const id of this.#history.ids) {
      const homes = this.#homesOf(id);
      const copies = homes.map((home) => this.#tables.diskOf(home)?.read(id));
      const [home] = homes;
      if (home === undefined) continue;
      this.#history.judgeCopies(id, copies, wallMsOf(home, world.timeline.now));
    }
    this.#calls.judgeViews();
  }

  /** From time to time: is the ring whole? */
  #look(): void {
    const { world, checker } = this.#deps;
    const isWhole = !world.network.isCut && !checker.isDisturbed && this.#isWhole();
    this.#looksInARow += 1;
    if (!isWhole) this.disturb();
    else if (this.#looksInARow >= LOOKS_MIN) this.#history.becomeQuiet();
    world.timeline.after(LOOK_MS, () => this.#look());
  }

  #isWhole(): boolean {
    return (
      this.#deps.checker.isIdeal() && this.#tables.lives.every(({ member }) => member.isSettled)
    );
  }

  /** The nodes that should keep a record, the owner first. */
  #homesOf({ key }: RecordId): readonly SimNode[] {
    const { world, plan, ringSize } = this.#deps;
    const members = [...world.members].sort((one, other) => one.ringId - other.ringId);
    const peers = members.map(({ ringId, address }) => ({ ringId, address, incarnation: 0 }));
    const first = firstIndexAt(peers, positionOfKey(key, ringSize));
    const count = Math.min(plan.copies, members.length);
    return Array.from(
      { length: count },
      (_, step) => members[(first + step) % members.length],
    ).filter((node) => node !== undefined);
  }

  /** Text that is the same for the same version; what may be collected counts as gone. */
  #liveVersion(node: SimNode, id: RecordId): string {
    const { world, plan } = this.#deps;
    const record = this.#tables.diskOf(node)?.read(id);
    if (record === undefined) return 'nothing';
    // By the clock that is furthest ahead.
    const nowMs = Math.max(
      ...[...world.nodes.values()].map((it) => wallMsOf(it, world.timeline.now)),
    );
    const isGone = isCollectable(endOf(record), nowMs, plan.grace);
    return isGone ? 'nothing' : JSON.stringify(record.version);
  }

  #firstDifference(): string | undefined {
    if (!this.#deps.checker.isIdeal()) return 'the ring is not ideal';
    if (!this.#isWhole()) {
      const behind = this.#tables.lives.filter(({ member }) => !member.isSettled);
      return `not settled: ${behind.map(({ node }) => node.address).join(', ')}`;
    }
    for (const id of this.#history.ids) {
      const homes = this.#homesOf(id);
      const strangers = this.#tables.lives.filter(({ node }) => !homes.includes(node));
      const kept = strangers.filter(
        ({ node }) => this.#tables.diskOf(node)?.entry(id) !== undefined,
      );
      const copies = homes.map((home) => `${home.address} ${this.#liveVersion(home, id)}`);
      const isEqual = new Set(homes.map((home) => this.#liveVersion(home, id))).size === 1;
      if (isEqual && kept.length === 0) continue;
      const others = kept.map(({ node }) => node.address).join(', ');
      return `${id.key} ${id.address ?? ''}: ${copies.join('; ')}; others: ${others}`;
    }
    return undefined;
  }
}
