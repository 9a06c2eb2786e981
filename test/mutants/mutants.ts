/**
 * Bugs planted into the cores of the ring and the table, one at a time, to see whether the simulator's checker notices.
 *
 * Each is a change of compiled code, made on a copy: no switch for it exists in the product. The text
 * to find must stand in the file exactly once, so that a mutant which has lost its place fails loudly.
 */
export type Mutant = {
  readonly name: string;
  /** Compiled file, below `services/`. */
  readonly file: string;
  readonly find: string;
  readonly plant: string;
  /** What the runs must have to show it; a ring alone by default. */
  readonly needs?: 'table';
};

const CORE = 'peer/core';
const TABLE = 'dht/core';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'joins with one repeated successor instead of copying the list',
    file: `${CORE}/join.js`,
    find: 'successors: successorList(self, first, place.successors.slice(1), turn.limits.successorsMax)',
    plant: 'successors: Array(turn.limits.successorsMax).fill(first)',
  },
  {
    name: 'joins with one successor only',
    file: `${CORE}/join.js`,
    find: 'place.successors.slice(1)',
    plant: '[]',
  },
  {
    name: 'joins where it does not belong',
    file: `${CORE}/join.js`,
    find: 'if (!isBetween(place.self.ringId, self.ringId, first.ringId))',
    plant: 'if (false)',
  },
  {
    name: 'adopts the predecessor of its successor without asking it',
    file: `${CORE}/stabilize.js`,
    find: "askPending(turn, candidate, { kind: 'neighbors' }, 'stabilize-candidate');\n    }\n    else if",
    plant:
      'adoptSuccessor(turn, candidate, [place.self, ...place.successors]);\n    }\n    else if',
  },
  {
    name: 'needs no r + 1 principals: anyone may die who leaves everyone a successor',
    file: 'simulator/checks.js',
    find: 'violations.every(({ rule }) => !this.#isBased && isFormingRule(rule))',
    plant: "violations.every(({ rule }) => rule !== 'ONE_LIVE_SUCCESSOR')",
  },
  {
    name: 'answers questions about its state while one of its own is pending',
    file: `${CORE}/machine.js`,
    find: 'if (pending === undefined)\n        return answerNeighbors(turn, requestId);',
    plant: 'return answerNeighbors(turn, requestId);',
  },
  {
    name: 'never fills a list again that has become shorter',
    file: `${CORE}/turn.js`,
    find: 'successorList(self, first, rest, turn.limits.successorsMax)',
    plant: 'successorList(self, first, rest, Math.max(1, before.length))',
  },
  {
    name: 'rectifies without probing: a dead predecessor stays while no better one comes',
    file: `${CORE}/rectify.js`,
    find: "askPending(turn, predecessor, { kind: 'ping' }, 'rectify-predecessor');",
    plant: 'dismiss(turn, candidate);',
  },
  {
    name: 'is off by one between two positions at the wrap',
    file: `${CORE}/ring-space.js`,
    find: 'from < point || point < to;',
    plant: 'from < point || point <= to;',
  },
  {
    name: 'takes the farewell of a former life for one of the present life',
    file: `${CORE}/machine.js`,
    find: 'incarnation: question.peer.incarnation + 1',
    plant: 'incarnation: Number.MAX_SAFE_INTEGER',
  },
  {
    name: 'loses every notification',
    file: `${CORE}/stabilize.js`,
    find: "tell(turn, successor, { kind: 'notify', candidate: turn.state.self });",
    plant: '',
  },
  {
    name: 'keeps whatever order and repeats a list comes with',
    file: `${CORE}/turn.js`,
    find: ' || !isBetween(last.ringId, peer.ringId, self.ringId)',
    plant: '',
  },
  {
    name: 'takes a finger for the owner',
    file: `${CORE}/routing.js`,
    find: 'const owner = candidates.find(',
    plant: 'const owner = [...shortcuts, ...candidates].find(',
  },
  {
    name: 'takes a busy peer for dead',
    file: `${CORE}/machine.js`,
    find: "if (given.kind === 'busy')\n        return onBusy(turn, pending);",
    plant: '',
  },
  {
    name: 'never drops a dead successor',
    file: `${CORE}/stabilize.js`,
    find: 'export function onSuccessorGone(turn, gone) {\n    lose(turn, gone);',
    plant: 'export function onSuccessorGone(turn, gone) {',
  },
  {
    name: 'adopts a candidate that is no longer between it and its successor',
    file: `${CORE}/stabilize.js`,
    find: 'if (isBetween(self.ringId, place.self.ringId, end))',
    plant: 'if (place.self.ringId !== self.ringId)',
  },
  {
    name: 'never goes back to the larger ring after a cut',
    file: `${CORE}/reunion.js`,
    find: 'return isSmaller(ours, theirs) ?',
    plant: 'return false ?',
  },
  {
    name: 'leaves but goes on answering as a member',
    file: `${CORE}/leave.js`,
    find: "stage: 'left'",
    plant: "stage: 'member'",
  },
  {
    name: 'drops a hint: says that it keeps a record for another peer, and does not',
    file: `${TABLE}/replica.js`,
    find: "const writes = records.map((record) => ({ kind: 'merge', record }));",
    plant:
      "const writes = records.map((record) => ({ kind: 'merge', record }));\n        if (purpose === 'hint')\n            return reply({ kind: 'stored', results: records.map(({ version }) => ({ version, wasLive: false })) });",
    needs: 'table',
  },
  {
    name: 'skips tombstones when it gives records to others',
    file: `${TABLE}/synchronize.js`,
    find: "if (record === undefined || record === 'damaged')",
    plant: "if (record === undefined || record === 'damaged' || record.content.kind === 'deleted')",
    needs: 'table',
  },
  {
    name: 'has a clock without tie-break: two writers may have the same version',
    file: `${TABLE}/version.js`,
    find: ' || one.writer - other.writer',
    plant: '',
    needs: 'table',
  },
  {
    name: 'acknowledges before the commit',
    file: `${TABLE}/replica.js`,
    find: 'this.#write(writes, (written) => {\n            if (written === undefined)',
    plant:
      "reply({ kind: 'stored', results: records.map(({ version }) => ({ version, wasLive: false })) });\n        this.#write(writes, (written) => {\n            reply = () => undefined;\n            if (written === undefined)",
    needs: 'table',
  },
  {
    name: 'switches before the transfer: drops records before those who keep them have them',
    file: `${TABLE}/hand-over.js`,
    find: "const taken = yield* give({ table, to: keeper, ids, purpose: 'transfer' });",
    plant: 'const taken = ids.length;',
    needs: 'table',
  },
  {
    name: 'takes parts with as many records for the same: a collision of digests',
    file: `${TABLE}/merkle.js`,
    find: ' && one.high === other.high && one.low === other.low',
    plant: '',
    needs: 'table',
  },
  {
    name: 'forgets tombstones at once',
    file: `${TABLE}/record.js`,
    find: 'endMs + graceMs <= nowMs',
    plant: 'endMs + 1_000 <= nowMs',
    needs: 'table',
  },
  {
    name: 'takes the older one of two copies',
    file: `${TABLE}/record.js`,
    find: 'return order >= 0 ? one : other;',
    plant: 'return order <= 0 ? one : other;',
    needs: 'table',
  },
  {
    name: 'takes its old records for granted after a long absence',
    file: `${TABLE}/out-of-touch.js`,
    find: 'this.#isOutOfTouch = clock.wallMs() - ms >= limits.graceMs / 2;',
    plant: '',
    needs: 'table',
  },
];
