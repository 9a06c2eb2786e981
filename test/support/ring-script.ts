/**
 * Plays a scenario with simulated peers and returns its transcript.
 *
 * A scenario is a text of commands, one on a line; what it records is put below each command, in
 * place of what stood there: every question and every answer as it arrives, but for those that only
 * say `noted`. Virtual time, no loss, 1 ms from peer to peer, always the same run.
 *
 * ```text
 * # A remark, kept as it is.
 * > lists of 2              r; first of all, 3 otherwise
 * > add p10 p40             an ideal ring of these, beside any other one
 * > join p20 via p40        a new peer, or a new life of one that was there
 * > kill p40
 * > leave p10
 * > seek p40 from p10       p10 asks after p40, as if it had lost it
 * > lookup 15 from p10
 * > settle                  until every pointer of every peer is as it should be
 * ```
 */
import { judge } from '../../services/peer/core/invariants.js';
import {
  MEMBER_LIMITS,
  type MemberLimits,
  type RingMember,
} from '../../services/peer/core/member.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';
import { CALM } from '../../services/simulator/plan.js';
import type { SimNode } from '../../services/simulator/sim-node.js';
import { NO_WATCHER, World } from '../../services/simulator/world.js';
import { seededChance } from '../../services/system/chance.js';
import { answerText, nameOf, placeText, questionText } from '../peer/ring-text.js';

const SEED = 1;
const LIMITS: MemberLimits = {
  ...MEMBER_LIMITS,
  ringSize: 64,
  successorsMax: 3,
  // So seldom that a transcript shows what happens because of a command, and little else.
  stabilizeTicks: 100,
  seekLostTicks: 30,
  fingerTicks: 10_000,
  // A transcript shows the whole way.
  routesMax: 0,
};
const SETTLE_MS_MAX = 120_000;
/** Whoever has said nothing for so long has nothing on its way. */
const QUIET_MS = 5;
/** Long enough for the fingers of a new ring to be filled. */
const SETTING_UP_MS = 3_000;

/** The commands and remarks of a scenario, each followed by what it led to. */
export function playRing(scenario: string): string {
  const kept = scenario.split('\n').filter((line) => /^[#>] /.test(line));
  const stage = new RingStage();
  const transcript = kept.flatMap((line) =>
    line.startsWith('>') ? [line, ...stage.play(line.slice(2).split(' '))] : [line],
  );
  return `${transcript.join('\n')}\n`;
}

class RingStage {
  #limits = LIMITS;
  #world = createWorld(LIMITS);
  #records: string[] = [];
  #recordedAtMs = 0;
  /** Whose packet is arriving. */
  #sender = '';

  constructor() {
    this.#listen();
  }

  /** Does what a command says; returns what was recorded meanwhile. */
  play([command = '', ...words]: readonly string[]): readonly string[] {
    this.#records = [];
    const [first = '', preposition, last = ''] = words;
    switch (`${command} ${preposition === 'via' || preposition === 'from' ? preposition : ''}`) {
      case 'lists ':
        this.#limits = { ...LIMITS, successorsMax: Number(words[1]) };
        this.#world = createWorld(this.#limits);
        this.#listen();
        return [];
      case 'add ':
        this.#add(words);
        return [];
      case 'join via':
        this.#start(this.#nodeAt(first)).join([peerAt(last)]);
        return this.#records;
      case 'kill ':
        this.#world.crash(this.#nodeAt(first));
        return this.#records;
      case 'leave ':
        this.#world.leave(this.#nodeAt(first));
        return this.#records;
      case 'seek from':
        this.#memberAt(last).seek([peerAt(first)]);
        return this.#records;
      case 'lookup from':
        return this.#lookup(Number(first), last);
      case 'settle ':
        return this.#settle();
      default:
        throw new Error(`no such command: ${[command, ...words].join(' ')}`);
    }
  }

  #add(names: readonly string[]): void {
    const nodes = names.map((name) => this.#nodeAt(name));
    const [founder, ...others] = nodes;
    if (founder === undefined) return;
    this.#start(founder).found();
    for (const [count, node] of others.entries()) {
      this.#start(node).join([peerAt(founder.address)]);
      this.#runUntil(() => this.#isIdeal(nodes.slice(0, count + 2)));
    }
    const end = this.#world.timeline.now + SETTING_UP_MS;
    this.#runUntil(() => this.#world.timeline.now >= end);
  }

  #lookup(position: number, from: string): readonly string[] {
    let found: string | undefined;
    this.#memberAt(from).lookup(position, ({ owner, hops, timeouts }) => {
      const where = owner === undefined ? 'nowhere' : `at ${nameOf(owner)}`;
      found = `${from} finds ${position} ${where} after ${hops.length} hops, ${timeouts} timeouts`;
    });
    this.#runUntil(() => found !== undefined);
    return [...this.#records, found ?? 'no end'];
  }

  #settle(): readonly string[] {
    const { timeline } = this.#world;
    this.#recordedAtMs = timeline.now;
    const isQuiet = (): boolean => timeline.now - this.#recordedAtMs > QUIET_MS;
    const isSettled = this.#runUntil(() => isQuiet() && this.#isIdeal(this.#world.up));
    return [...this.#records, ...(isSettled ? [] : ['not settled']), ...this.#places()];
  }

  #places(): readonly string[] {
    const ordered = [...this.#world.up].sort((one, other) => one.ringId - other.ringId);
    return ordered.flatMap(({ member }) =>
      member === undefined ? [] : [`${nameOf(member.state.self)} ${placeText(member.state)}`],
    );
  }

  #isIdeal(nodes: readonly SimNode[]): boolean {
    const states = nodes.flatMap(({ member }) => member?.state ?? []);
    const members = states.filter(({ stage }) => stage === 'member');
    return members.length === nodes.length && judge(members, this.#limits.successorsMax).isIdeal;
  }

  #runUntil(isDone: () => boolean): boolean {
    const { timeline } = this.#world;
    const end = timeline.now + SETTLE_MS_MAX;
    while (!isDone() && timeline.now < end) timeline.runNext();
    return isDone();
  }

  #nodeAt(name: string): SimNode {
    return this.#world.nodes.get(name) ?? this.#world.addNode(name, peerAt(name).ringId);
  }

  #memberAt(name: string): RingMember {
    const { member } = this.#nodeAt(name);
    if (member === undefined) throw new Error(`${name} is down`);
    return member;
  }

  // Recording

  #record(line: string): void {
    this.#records.push(line);
    this.#recordedAtMs = this.#world.timeline.now;
  }

  /** What reaches a peer is recorded where it arrives, with whom it came from. */
  #listen(): void {
    const { network } = this.#world;
    const send = network.send.bind(network);
    network.send = (route, arrive) => {
      const record = (): void => {
        const isInVain = route.isQuestion && this.#world.nodes.get(route.to)?.member === undefined;
        if (isInVain && route.isLastTry) this.#record(`${route.from} asks ${route.to} in vain`);
        this.#sender = route.from;
        arrive();
      };
      return send(route, record);
    };
    this.#world.watcher = {
      ...NO_WATCHER,
      disturbed: (why) => this.#record(why),
    };
  }

  /** Starts a node whose member tells what it is asked and answered. */
  #start(node: SimNode): RingMember {
    const { address } = node;
    const member = this.#world.start(node);
    const asked = member.asked.bind(member);
    const answered = member.answered.bind(member);
    member.asked = (requestId, from, expected, question) => {
      this.#record(`${this.#sender} asks ${address} ${questionText(question)}`);
      asked(requestId, from, expected, question);
    };
    member.answered = (requestId, answer, elapsedMs) => {
      if (answer.kind !== 'noted') {
        this.#record(`${this.#sender} answers ${address} ${answerText(answer)}`);
      }
      answered(requestId, answer, elapsedMs);
    };
    return member;
  }
}

function createWorld(limits: MemberLimits): World {
  const world = new World(limits, seededChance(SEED));
  world.network.faults = { ...CALM, delay: { distribution: 'constant', value: 1 } };
  return world;
}

/** `p20` is at 20; any life of it is meant. */
function peerAt(name: string): PeerRef {
  const ringId = Number(name.slice(1));
  if (!name.startsWith('p') || !Number.isInteger(ringId)) throw new Error(`no peer: ${name}`);
  return { ringId, address: name, incarnation: 0 };
}
