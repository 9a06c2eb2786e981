/** Things that are open to other nodes, one to each address, and closed when they are not used. */
import { LINK_IDLE_MS, LINKS_MAX } from '../limits.js';
import type { Cancel, Clock } from '../system/clock.js';

export type LinkPoolDeps<Link> = {
  readonly clock: Clock;
  readonly open: (address: string) => Link;
  readonly close: (link: Link) => void;
  /** Keeps one open that nobody asked for lately. Default: none is. */
  readonly isBusy?: (link: Link) => boolean;
};

type Entry<Link> = { readonly link: Link; usedAtMs: number };

export class LinkPool<Link> {
  readonly #deps: LinkPoolDeps<Link>;
  readonly #entries = new Map<string, Entry<Link>>();
  readonly #stopSweeping: Cancel;

  constructor(deps: LinkPoolDeps<Link>) {
    this.#deps = deps;
    this.#stopSweeping = deps.clock.every(LINK_IDLE_MS, () => this.#closeIdle());
  }

  /** The one to an address, opened now when there is none; of too many the oldest is closed. */
  get(address: string): Link {
    const usedAtMs = this.#deps.clock.monotonicMs();
    const known = this.#entries.get(address);
    if (known !== undefined) {
      known.usedAtMs = usedAtMs;
      return known.link;
    }
    if (this.#entries.size >= LINKS_MAX) this.#closeOldest();
    const link = this.#deps.open(address);
    this.#entries.set(address, { link, usedAtMs });
    return link;
  }

  /** Closes one, so that the next is a new one; nothing when it is another one by now. */
  drop(address: string, link: Link): void {
    if (this.#entries.get(address)?.link === link) this.#close(address);
  }

  /** Closes all, and sweeps no more. */
  close(): void {
    this.#stopSweeping();
    for (const address of [...this.#entries.keys()]) this.#close(address);
  }

  #closeIdle(): void {
    const { clock, isBusy } = this.#deps;
    const idleSinceMs = clock.monotonicMs() - LINK_IDLE_MS;
    for (const [address, { link, usedAtMs }] of this.#entries) {
      if (usedAtMs < idleSinceMs && isBusy?.(link) !== true) this.#close(address);
    }
  }

  #closeOldest(): void {
    const idle = [...this.#entries].filter(([, { link }]) => this.#deps.isBusy?.(link) !== true);
    const [oldest] = idle.sort(([, one], [, other]) => one.usedAtMs - other.usedAtMs);
    if (oldest !== undefined) this.#close(oldest[0]);
  }

  #close(address: string): void {
    const entry = this.#entries.get(address);
    this.#entries.delete(address);
    if (entry !== undefined) this.#deps.close(entry.link);
  }
}
