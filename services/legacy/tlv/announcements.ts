/**
 * What clients and servers say of holders, on its way to the services: so many at once, and of one pair
 * one at a time, for a repeat that comes meanwhile says nothing new.
 */
import type { HolderCalls } from '../core/session.js';
import { HOLDER_TTL_MS } from './options.js';

/** As many as a whole table of pairs needs in the time that an original takes to send it. */
export const ANNOUNCEMENTS_MAX = 1_024;

export class Announcements {
  readonly #holders: HolderCalls;
  readonly #underWay = new Set<string>();

  constructor(holders: HolderCalls) {
    this.#holders = holders;
  }

  get count(): number {
    return this.#underWay.size;
  }

  /** False when there is no room for one more, which is then lost until it is said again. */
  say(hash: string, ip: string): boolean {
    const pair = `${hash} ${ip}`;
    if (this.#underWay.has(pair)) return true;
    if (this.#underWay.size >= ANNOUNCEMENTS_MAX) return false;
    this.#underWay.add(pair);
    this.#holders.announce(hash, ip, HOLDER_TTL_MS, () => this.#underWay.delete(pair));
    return true;
  }
}
