/**
 * Binders and programs on virtual time: the binders' production core, a network that can be cut, and
 * programs that hold leases as the SDK does.
 */
import { BinderMember } from '../../services/binder/core/binder-member.js';
import { isLive, type Endpoint, type Registration } from '../../services/binder/core/endpoint.js';
import type { CheckOutcome } from '../../services/binder/core/health-check.js';
import { BEAT_MS, BINDER_LIMITS } from '../../services/binder/core/limits.js';
import type { BinderAnswer, BinderQuestion } from '../../services/binder/core/messages.js';
import { Network } from '../../services/simulator/network.js';
import { Timeline } from '../../services/simulator/timeline.js';
import { below, seededChance, type Chance } from '../../services/system/chance.js';

const EPOCH_MS = 1_750_000_000_000;
/** How long binders wait for each other, and programs for binders. */
const ASK_TIMEOUT_MS = 400;
const CALL_TIMEOUT_MS = 1_200;

export class World {
  readonly timeline = new Timeline();
  readonly chance: Chance;
  readonly network: Network;
  readonly binders = new Map<string, WorldBinder>();
  readonly programs: Program[] = [];
  /** What is held up by a cut. */
  readonly #stuck: (() => void)[] = [];

  constructor(seed: number) {
    this.chance = seededChance(seed);
    this.network = new Network(this.timeline, this.chance);
    const delay = { distribution: 'uniform', min: 1, max: 20 } as const;
    this.network.faults = { ...this.network.faults, delay };
  }

  get now(): number {
    return this.timeline.now;
  }

  /** Binders that live. */
  get living(): readonly WorldBinder[] {
    return [...this.binders.values()].filter(({ isDead }) => !isDead);
  }

  addBinders(names: readonly string[]): void {
    for (const name of names) this.binders.set(name, new WorldBinder(this, name));
    for (const { member } of this.binders.values()) {
      member.binder.fellowship.name(this.binders.keys(), this.now);
    }
    for (const name of names) this.binders.get(name)?.start();
  }

  addProgram(registration: Registration, binders: readonly string[]): Program {
    const program = new Program(this, registration, binders);
    this.programs.push(program);
    program.live();
    return program;
  }

  /** Cuts these off from all others for so long; some of what was stuck meanwhile arrives afterwards. */
  cutFor(ms: number, addresses: readonly string[]): void {
    const mend = this.network.cut(addresses, 'both');
    this.run(ms);
    mend();
    for (const arrive of this.#stuck.splice(0)) {
      this.timeline.after(below(this.chance, 500), arrive);
    }
  }

  run(forMs: number): void {
    const end = { isReached: false };
    this.timeline.after(forMs, () => (end.isReached = true));
    while (!end.isReached) this.timeline.runNext();
  }

  /** A question and its answer over the network; `done` comes once, with nothing after a time-out. */
  exchange<Answer>(
    route: { readonly from: string; readonly to: string },
    act: (answer: (answer: Answer) => void) => void,
    done: (answer: Answer | undefined) => void,
  ): void {
    let isDone = false;
    const finish = (answer: Answer | undefined): void => {
      if (isDone) return;
      isDone = true;
      done(answer);
    };
    const { from, to } = route;
    const send = (a: string, b: string, isQuestion: boolean, arrive: () => void): void => {
      const isSent = this.network.send({ from: a, to: b, isQuestion, isLastTry: true }, arrive);
      if (!isSent && this.chance.unit() < 0.3) this.#stuck.push(arrive);
    };
    const timeoutMs = this.binders.has(from) ? ASK_TIMEOUT_MS : CALL_TIMEOUT_MS;
    this.timeline.after(timeoutMs, () => finish(undefined));
    send(from, to, true, () => {
      if (this.binders.get(to)?.isDead === true) send(to, from, false, () => finish(undefined));
      else act((answer) => send(to, from, false, () => finish(answer)));
    });
  }

  /** A health check of a program. */
  check(from: string, address: string, done: (outcome: CheckOutcome) => void): void {
    const program = this.programs.find((each) => each.address === address);
    this.exchange<true>(
      { from, to: address },
      (answer) => {
        if (program?.isDead === false) answer(true);
      },
      (answer) => done({ hasPassed: answer === true, text: answer ? 'passed' : 'no answer' }),
    );
  }
}

/** One binder of the world. */
export class WorldBinder {
  readonly name: string;
  readonly #world: World;
  readonly member: BinderMember;
  isDead = false;
  isPaused = false;
  /** Programs are refused until it has caught up. */
  isStarting = true;
  /** What was removed here because of what was observed, and when. */
  readonly removals: { readonly endpoint: Endpoint; readonly atMs: number }[] = [];

  constructor(world: World, name: string) {
    this.name = name;
    this.#world = world;
    let ids = 0;
    this.member = new BinderMember({
      self: name,
      limits: BINDER_LIMITS,
      clock: { steadyMs: () => world.now, wallMs: () => EPOCH_MS + world.now },
      newId: () => `${name}#${(ids += 1)}@${world.now}`,
      later: (act) => world.timeline.after(0, act),
      ask: (to, question, done) => this.#ask(to, question, done),
      perform: (effect) => {
        if (effect.kind === 'check') {
          const { checkId, address } = effect.order;
          world.check(name, address, (outcome) => this.member.binder.checked(checkId, outcome));
        } else if (effect.kind === 'changed') {
          const { endpoint, previous } = effect;
          const isObserved = endpoint.removal !== undefined && endpoint.removal !== 'deregistered';
          if (isObserved && isLive(previous)) this.removals.push({ endpoint, atMs: world.now });
        }
      },
    });
  }

  get isUp(): boolean {
    return !this.isDead && !this.isPaused;
  }

  /** Addresses of living endpoints, in no order. */
  get addresses(): ReadonlySet<string> {
    const live = [...this.member.binder.registry.all()].filter(isLive);
    return new Set(live.map(({ registration }) => registration.address));
  }

  get root(): string {
    return this.member.binder.registry.digest.root;
  }

  start(): void {
    this.member.catchUp(() => (this.isStarting = false));
    this.beat();
  }

  beat(): void {
    if (this.isDead) return;
    if (!this.isPaused) this.member.tick();
    this.#world.timeline.after(BEAT_MS, () => this.beat());
  }

  #ask(to: string, question: BinderQuestion, done: (answer?: BinderAnswer) => void): void {
    const other = this.#world.binders.get(to);
    this.#world.exchange<BinderAnswer>(
      { from: this.name, to },
      (answer) => {
        if (other?.isUp === true) answer(other.member.spreading.asked(this.name, question));
      },
      (answer) => {
        if (!this.isDead) done(answer);
      },
    );
  }
}

/** A program that renders a service, and renews its lease with whichever binder answers. */
export class Program {
  readonly #world: World;
  readonly registration: Registration;
  readonly #binders: readonly string[];
  #preferred: string;
  lease: Pick<Endpoint, 'endpointId' | 'fencingToken'> | undefined;
  isDead = false;
  diedAtMs = Number.POSITIVE_INFINITY;
  /** How often a binder said that its lease had ended. */
  expiries = 0;

  constructor(world: World, registration: Registration, binders: readonly string[]) {
    this.#world = world;
    this.registration = registration;
    this.#binders = binders;
    this.#preferred = binders[below(world.chance, binders.length)] ?? '';
  }

  get address(): string {
    return this.registration.address;
  }

  die(): void {
    this.isDead = true;
    this.diedAtMs = this.#world.now;
  }

  /** Registers or renews, again and again until it dies. */
  live(): void {
    if (this.isDead) return;
    this.#world.exchange<boolean>(
      { from: this.address, to: this.#preferred },
      (answer) => this.#callAt(this.#preferred, answer),
      (isDone) => {
        if (isDone === undefined) this.#preferred = this.#other();
        const waitMs = isDone === true ? Math.floor(this.registration.ttlMs / 3) : 50;
        this.#world.timeline.after(waitMs, () => this.live());
      },
    );
  }

  #other(): string {
    const index = this.#binders.indexOf(this.#preferred);
    return this.#binders[(index + 1) % this.#binders.length] ?? this.#preferred;
  }

  /** What happens at the binder. */
  #callAt(name: string, answer: (isDone: boolean) => void): void {
    const at = this.#world.binders.get(name);
    if (at?.isUp !== true || at.isStarting) return;
    if (this.lease === undefined) {
      this.lease = at.member.binder.register(this.registration);
      answer(true);
      return;
    }
    const { endpointId, fencingToken } = this.lease;
    at.member.renew(endpointId, fencingToken, (outcome) => {
      if (outcome.kind === 'refused') {
        this.expiries += 1;
        this.lease = undefined;
      }
      answer(outcome.kind === 'renewed');
    });
  }
}
