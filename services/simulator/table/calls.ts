/** Calls on the table while a run goes on, each from any node, of every kind; and wants that listen. */
import type { Rests } from '../../dht/core/table-member.js';
import type { ReadOutcome } from '../../dht/core/read.js';
import { isLive, type Content, type RecordId, type TableRecord } from '../../dht/core/record.js';
import type { Version } from '../../dht/core/version.js';
import { below, oneOf, type Chance } from '../../system/chance.js';
import { wallMsOf } from '../sim-node.js';
import type { World } from '../world.js';
import type { History } from './history.js';
import type { TablePlan } from './table-plan.js';
import type { TableLife, Tables } from './tables.js';

export type CallsDeps = {
  readonly world: World;
  readonly tables: Tables;
  readonly history: History;
  readonly plan: TablePlan;
  readonly chance: Chance;
};

type Call = (life: TableLife) => void;

/** A want on a node, and what it has shown last. */
type View = { readonly life: TableLife; readonly id: RecordId; last: Version | undefined };

const VIEWS_MAX = 24;
const TTL_MS_MAX = 15_000;

export class Calls {
  readonly #deps: CallsDeps;
  readonly #menu: readonly Call[];
  readonly #views: View[] = [];
  #serial = 0;
  #isOver = false;

  constructor(deps: CallsDeps) {
    this.#deps = deps;
    const put: Call = (life) => this.#put(life, undefined);
    const get: Call = (life) => this.#get(life);
    const putForAWhile: Call = (life) => {
      this.#put(life, 500 + below(deps.chance, TTL_MS_MAX));
    };
    this.#menu = [
      ...[put, put, put, put, get, get, get, get, get],
      ...[(life: TableLife) => this.#delete(life), putForAWhile],
      ...[(life: TableLife) => this.#announce(life), (life: TableLife) => this.#want(life)],
    ];
  }

  start(): void {
    const { world, chance, plan } = this.#deps;
    const gapMs = 2_000 / plan.callsPerSecond;
    world.timeline.after(1 + below(chance, gapMs), () => {
      if (this.#isOver) return;
      const life = oneOf(chance, this.#callable());
      if (life !== undefined) oneOf(chance, this.#menu)?.(life);
      this.start();
    });
  }

  end(): void {
    this.#isOver = true;
  }

  /** Holds what the wants have shown against what is there, when everything has settled. */
  judgeViews(): void {
    const { history, world, tables } = this.#deps;
    const alive = new Set(tables.lives);
    for (const { life, id, last } of this.#views) {
      if (alive.has(life)) history.viewedLast(id, last, wallMsOf(life.node, world.timeline.now));
    }
  }

  #callable(): readonly TableLife[] {
    return this.#deps.tables.lives.filter(
      ({ node, ring }) => !node.isPaused && ring.state.stage === 'member',
    );
  }

  #put(life: TableLife, ttlMs: number | undefined): void {
    this.#serial += 1;
    const bytes = Buffer.from(`value ${this.#serial}`);
    this.#write(life, this.#anyKey(), { kind: 'value', bytes }, ttlMs);
  }

  #delete(life: TableLife): void {
    this.#write(life, this.#anyKey(), { kind: 'deleted' }, undefined);
  }

  #announce(life: TableLife): void {
    const { chance } = this.#deps;
    const id = { ...this.#anyKey(), address: `10.0.0.${below(chance, 4)}` };
    const since = { wallMs: 0, counter: 0, writer: 0 };
    const isWithdrawn = below(chance, 4) === 0;
    const content = isWithdrawn
      ? ({ kind: 'deleted' } as const)
      : ({ kind: 'holder', since } as const);
    this.#write(life, id, content, below(chance, 2) === 0 ? undefined : 8_000);
  }

  #write(life: TableLife, id: RecordId, content: Content, ttlMs: number | undefined): void {
    const { history, plan, world } = this.#deps;
    const nowMs = wallMsOf(life.node, world.timeline.now);
    const expiresAtMs =
      ttlMs === undefined || content.kind === 'deleted' ? undefined : nowMs + ttlMs;
    let record: TableRecord | undefined;
    const draft = (version: Version): TableRecord => {
      record = { ...id, version, content, expiresAtMs };
      history.wrote(record);
      return record;
    };
    history.stats.calls += 1;
    life.member.write(id.key, plan.writeQuorum, draft, ({ outcome, quorum }) => {
      const isDone = outcome !== undefined && outcome.counted >= quorum.required;
      this.#count(isDone);
      if (isDone && record !== undefined) history.acknowledged(record);
    });
  }

  #get(life: TableLife): void {
    const { history, plan, world } = this.#deps;
    const id = this.#anyKey();
    const floor = history.floorOf(id);
    history.stats.calls += 1;
    const done = ({ outcome, quorum }: Rests<ReadOutcome>): void => {
      const isDone = outcome !== undefined && outcome.counted >= quorum.required;
      this.#count(isDone);
      if (!isDone) return;
      const [found] = outcome.records;
      history.read(id, found, floor);
      const nowMs = wallMsOf(life.node, world.timeline.now);
      if (found !== undefined && isLive(found, nowMs)) history.answered(found, nowMs);
    };
    life.member.read(id.key, plan.readQuorum, { kind: 'record', id }, done);
  }

  #want(life: TableLife): void {
    const { history } = this.#deps;
    if (this.#views.length >= VIEWS_MAX) return;
    const view: View = { life, id: this.#anyKey(), last: undefined };
    this.#views.push(view);
    life.member.want(view.id.key, {
      changed: (state) => {
        if (state.kind === 'absent') return;
        history.viewed(state.record, view.last);
        view.last = state.record.version;
      },
      failed: () => {
        this.#views.splice(this.#views.indexOf(view), 1);
      },
    });
  }

  #count(isDone: boolean): void {
    const { stats } = this.#deps.history;
    if (isDone) stats.done += 1;
    else stats.refused += 1;
  }

  #anyKey(): RecordId {
    const { chance, plan } = this.#deps;
    return { key: `key ${below(chance, plan.keys)}`, address: undefined };
  }
}
