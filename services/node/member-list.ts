/** The members of the ring as the directory tells of them, kept up to date. */
import type { Logger } from 'pino';
import type { PeerRef } from '../peer/core/ring-space.js';
import type { Clock } from '../system/clock.js';
import {
  createDirectory,
  withMember,
  withoutMembers,
  type Directory as Members,
} from '../welcome/core/directory.js';
import type { MembershipEvent } from '../welcome/keeper.js';
import type { Directory } from './directory.js';
import { followMembers } from './member-feed.js';

export type MemberListDeps = {
  readonly directory: Pick<Directory, 'watch'>;
  readonly ringSize: number;
  readonly clock: Clock;
  readonly log: Logger;
};

export class MemberList {
  readonly #ringSize: number;
  readonly #closing = new AbortController();
  #members: Members | undefined;

  constructor({ ringSize, ...deps }: MemberListDeps) {
    this.#ringSize = ringSize;
    const told = (event: MembershipEvent): void => this.#take(event);
    void followMembers({ ...deps, told, signal: this.#closing.signal });
  }

  /** In ring order; undefined before the directory has answered once. */
  get peers(): readonly PeerRef[] | undefined {
    return this.#members?.peers;
  }

  close(): void {
    this.#closing.abort();
  }

  #take(event: MembershipEvent): void {
    const members = this.#members ?? createDirectory(this.#ringSize);
    switch (event.kind) {
      case 'snapshot':
        this.#members = createDirectory(this.#ringSize, event.peers);
        return;
      case 'joined':
        this.#members = withMember(members, event.peer);
        return;
      case 'left':
      case 'expired':
        this.#members = withoutMembers(members, new Set([event.peer.ringId]));
    }
  }
}
