/**
 * How what one binder knows gets to all others: each change is told to all at once, and what was
 * missed is found by comparing digests.
 *
 * Every ping carries the digest of who sends it. Where the two differ, and nothing is on its way,
 * the parts are compared, the endpoints of parts that differ are pulled, and what the other one lacks
 * is told to it. So two binders that can talk have the same after three or so pings, whatever was
 * lost.
 */
import type { Binder } from './binder.js';
import { keyOfEndpoint, supersedes, type Endpoint, type EndpointKey } from './endpoint.js';
import { oneMessageOf, type BinderAnswer, type BinderQuestion } from './messages.js';

/** Changes that wait to be told to one binder. Beyond that comparing is cheaper. */
const OUTBOX_MAX = 10_000;

export type SpreadingDeps = {
  readonly binder: Binder;
  readonly nowMs: () => number;
  /** Asks another binder; calls `done` once, without an answer when there is none. */
  readonly ask: (
    to: string,
    question: BinderQuestion,
    done: (answer: BinderAnswer | undefined) => void,
  ) => void;
};

/** What goes on with one other binder. */
type Dialogue = {
  readonly outbox: Map<EndpointKey, Endpoint>;
  isTelling: boolean;
  isComparing: boolean;
};

export class Spreading {
  readonly #deps: SpreadingDeps;
  readonly #dialogues = new Map<string, Dialogue>();
  #onTold: (() => void) | undefined;

  constructor(deps: SpreadingDeps) {
    this.#deps = deps;
  }

  /** Pings those whose turn it is. To be called many times a second. */
  tick(): void {
    const { fellowship } = this.#deps.binder;
    for (const address of this.#dialogues.keys()) {
      if (!fellowship.has(address)) this.#dialogues.delete(address);
    }
    for (const address of fellowship.takePings(this.#deps.nowMs())) this.#ping(address);
  }

  /** Tells all others, soon, what this binder has changed. */
  tell(endpoint: Endpoint): void {
    const { fellowship } = this.#deps.binder;
    for (const address of fellowship.addresses) {
      if (fellowship.isAlive(address, this.#deps.nowMs())) this.#tellOne(address, endpoint);
    }
  }

  /** Sends what waits. To be called at the end of a turn that told something. */
  flush(): void {
    for (const [address, dialogue] of this.#dialogues) this.#send(address, dialogue);
  }

  /** Calls `done` once, when nothing waits to be told any more. */
  whenTold(done: () => void): void {
    this.#onTold = done;
    this.#sayWhenTold();
  }

  /** Makes sure that what one other binder knows is known here; calls `done` with whether it did. */
  catchUp(address: string, done: (isDone: boolean) => void): void {
    this.#compare(address, done);
  }

  /** A question of another binder. */
  asked(from: string, question: BinderQuestion): BinderAnswer {
    const { binder, nowMs } = this.#deps;
    const { registry } = binder;
    binder.fellowship.hear(from, nowMs());
    switch (question.kind) {
      case 'ping':
        this.#compareIfOther(from, question.root);
        return { kind: 'pong', root: registry.digest.root };
      case 'tell':
        binder.merge(question.endpoints);
        return { kind: 'told' };
      case 'compare':
        return { kind: 'parts', parts: registry.digest.parts };
      case 'pull':
        return this.#page(question.part, question.after);
      case 'renew':
        return binder.renewFor(question.endpointId, question.fencingToken);
    }
  }

  #page(part: number, after: EndpointKey): BinderAnswer {
    const keyed = this.#deps.binder.registry
      .ofPart(part)
      .map((endpoint) => ({ key: keyOfEndpoint(endpoint), endpoint }))
      .filter(({ key }) => key > after)
      .sort((one, other) => (one.key < other.key ? -1 : 1))
      .map(({ endpoint }) => endpoint);
    const endpoints = oneMessageOf(keyed);
    return { kind: 'pulled', endpoints, hasMore: endpoints.length < keyed.length };
  }

  #ping(address: string): void {
    const { binder, nowMs, ask } = this.#deps;
    const { root } = binder.registry.digest;
    ask(address, { kind: 'ping', root }, (answer) => {
      if (answer?.kind !== 'pong') {
        binder.fellowship.miss(address, nowMs());
        return;
      }
      binder.fellowship.answer(address, nowMs());
      this.#compareIfOther(address, answer.root);
    });
  }

  /** Where two have different digests although nothing is on its way, something was missed. */
  #compareIfOther(address: string, root: string): void {
    const { isTelling, isComparing, outbox } = this.#with(address);
    const isQuiet = !isTelling && !isComparing && outbox.size === 0;
    if (!isQuiet) return;
    if (root !== this.#deps.binder.registry.digest.root) this.#compare(address, () => undefined);
  }

  #tellOne(address: string, endpoint: Endpoint): void {
    const { outbox } = this.#with(address);
    if (outbox.size >= OUTBOX_MAX) outbox.clear();
    outbox.set(keyOfEndpoint(endpoint), endpoint);
  }

  #send(address: string, dialogue: Dialogue): void {
    if (dialogue.isTelling || dialogue.outbox.size === 0) return;
    const endpoints = oneMessageOf([...dialogue.outbox.values()]);
    for (const endpoint of endpoints) dialogue.outbox.delete(keyOfEndpoint(endpoint));
    dialogue.isTelling = true;
    this.#deps.ask(address, { kind: 'tell', endpoints }, (answer) => {
      dialogue.isTelling = false;
      if (answer?.kind === 'told') this.#send(address, dialogue);
      else dialogue.outbox.clear();
      this.#sayWhenTold();
    });
  }

  #sayWhenTold(): void {
    const all = [...this.#dialogues.values()];
    if (all.some(({ isTelling, outbox }) => isTelling || outbox.size > 0)) return;
    this.#onTold?.();
    this.#onTold = undefined;
  }

  #compare(address: string, done: (isDone: boolean) => void): void {
    const dialogue = this.#with(address);
    dialogue.isComparing = true;
    const finish = (isDone: boolean): void => {
      dialogue.isComparing = false;
      this.flush();
      done(isDone);
    };
    this.#deps.ask(address, { kind: 'compare' }, (answer) => {
      if (answer?.kind !== 'parts') {
        finish(false);
        return;
      }
      const mine = this.#deps.binder.registry.digest.parts;
      const different = mine.flatMap((each, part) => (each === answer.parts[part] ? [] : [part]));
      this.#pull(address, { parts: different, after: '', theirs: new Map() }, finish);
    });
  }

  #pull(address: string, progress: Progress, done: (isDone: boolean) => void): void {
    const [part, ...parts] = progress.parts;
    if (part === undefined) {
      done(true);
      return;
    }
    this.#deps.ask(address, { kind: 'pull', part, after: progress.after }, (answer) => {
      if (answer?.kind !== 'pulled') {
        done(false);
        return;
      }
      const { theirs } = progress;
      for (const endpoint of answer.endpoints) theirs.set(keyOfEndpoint(endpoint), endpoint);
      this.#deps.binder.merge(answer.endpoints);
      const last = answer.endpoints.at(-1);
      if (answer.hasMore && last !== undefined) {
        this.#pull(address, { ...progress, after: keyOfEndpoint(last) }, done);
        return;
      }
      this.#tellMissing(address, part, theirs);
      this.#pull(address, { parts, after: '', theirs: new Map() }, done);
    });
  }

  /** Tells what another binder has not, or has in an earlier state. */
  #tellMissing(address: string, part: number, theirs: ReadonlyMap<EndpointKey, Endpoint>): void {
    for (const endpoint of this.#deps.binder.registry.ofPart(part)) {
      if (supersedes(endpoint, theirs.get(keyOfEndpoint(endpoint)))) {
        this.#tellOne(address, endpoint);
      }
    }
  }

  #with(address: string): Dialogue {
    const known = this.#dialogues.get(address);
    if (known !== undefined) return known;
    const dialogue = { outbox: new Map(), isTelling: false, isComparing: false };
    this.#dialogues.set(address, dialogue);
    return dialogue;
  }
}

/** How far the pulling of parts has come. */
type Progress = {
  /** Those to pull, first the one that is being pulled. */
  readonly parts: readonly number[];
  readonly after: EndpointKey;
  /** What the other one has in the first part, so far. */
  readonly theirs: Map<EndpointKey, Endpoint>;
};
