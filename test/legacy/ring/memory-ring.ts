/** Ring IDs, members and messages in memory, as the sessions of dialect `ring` see them. */
import type { RingCalls, RingNeighbor, RingRow } from '../../../services/legacy/core/session.js';

type Sent = { readonly to: number; readonly senderHost: string; readonly text: string };
type Done<Outcome> = (outcome: Outcome | undefined) => void;
type Both = { readonly predecessor: RingNeighbor; readonly successor: RingNeighbor };

export class MemoryRing implements RingCalls {
  readonly ringSize: number;
  /** The ring ID of this node's own member, if it has one. */
  own: number | undefined;
  rows: readonly RingRow[] = [];
  readonly sent: Sent[] = [];
  /** `silent` calls never answer, `failed` ones answer nothing. */
  manner: 'works' | 'failed' | 'silent' = 'works';
  readonly #ringIds = new Map<string, number>();
  readonly #hosts = new Map<number, string>();

  constructor(ringSize: number, members: readonly RingNeighbor[] = []) {
    this.ringSize = ringSize;
    for (const { ringId, host } of members) this.#hosts.set(ringId, host);
  }

  get inOrder(): readonly RingNeighbor[] {
    const members = [...this.#hosts].map(([ringId, host]) => ({ ringId, host }));
    return members.sort((a, b) => a.ringId - b.ringId);
  }

  assign(text: string, done: Done<number | 'full'>): void {
    this.#answer(done, () => {
      const known = this.#ringIds.get(text);
      if (known === undefined && this.#ringIds.size >= this.ringSize) return 'full';
      const ringId = known ?? (3 + this.#ringIds.size * 7) % this.ringSize;
      this.#ringIds.set(text, ringId);
      return ringId;
    });
  }

  members(done: Done<readonly RingNeighbor[]>): void {
    this.#answer(done, () => this.inOrder);
  }

  join(
    ringId: number,
    host: string,
    done: Done<'first' | { readonly entry: string } | 'taken'>,
  ): void {
    this.#answer(done, () => {
      if (this.#hosts.has(ringId)) return 'taken';
      const [entry] = this.inOrder;
      this.#hosts.set(ringId, host);
      return entry === undefined ? 'first' : { entry: entry.host };
    });
  }

  leave(ringId: number, done: Done<'left' | 'not a member'>): void {
    this.#answer(done, () => (this.#hosts.delete(ringId) ? 'left' : 'not a member'));
  }

  table(done: Done<readonly RingRow[]>): void {
    this.#answer(done, () => this.rows);
  }

  neighbors(ringId: number, done: Done<Both>): void {
    this.#answer(done, () => {
      const members = this.inOrder;
      const predecessor = members.findLast((it) => it.ringId < ringId) ?? members.at(-1);
      const successor = members.find((it) => it.ringId > ringId) ?? members[0];
      return predecessor && successor && { predecessor, successor };
    });
  }

  send(
    to: number,
    senderHost: string,
    text: string,
    done: Done<'own' | 'delivered' | 'nobody'>,
  ): void {
    this.#answer(done, () => {
      if (!this.#hosts.has(to)) return 'nobody';
      this.sent.push({ to, senderHost, text });
      return to === this.own ? 'own' : 'delivered';
    });
  }

  #answer<Outcome>(done: Done<Outcome>, work: () => Outcome | undefined): void {
    if (this.manner === 'silent') return;
    done(this.manner === 'failed' ? undefined : work());
  }
}
