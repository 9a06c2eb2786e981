/**
 * Whether the other servers are there: each is asked 5 s after it was last heard, and leaves the list
 * when it stays silent for 10 s (wire/tlv.md, section 6). Unlike in an original, a dead one delays
 * nobody.
 *
 * Silence means death only while we listen: a process that stood still for 20 s has its answers in the
 * sockets, and reads them after the tick. So what a tick is late is added to every wait.
 */
import type { Post } from './post.js';
import type { Server, ServerList } from './server-list.js';

const PAUSE_MS = 5_000;
const ANSWER_MS = 10_000;
/** Ticks are 50 to 100 ms apart. */
const LATE_MS = 1_000;

export class KeepAlive {
  readonly #post: Post;
  readonly #servers: ServerList;
  #tickMs: number | undefined;

  constructor(post: Post, servers: ServerList) {
    this.#post = post;
    this.#servers = servers;
  }

  /** Anything that comes from a server shows that it is there. */
  heard(server: Server, nowMs: number): void {
    if (server.lostMs === undefined) return;
    server.lostMs = undefined;
    server.askMs = nowMs + PAUSE_MS;
  }

  tick(nowMs: number): void {
    const passedMs = nowMs - (this.#tickMs ?? nowMs);
    this.#tickMs = nowMs;
    for (const server of this.#servers.all) {
      if (passedMs > LATE_MS && server.lostMs !== undefined) server.lostMs += passedMs;
      if (server.lostMs === undefined) this.#askWhenDue(server, nowMs);
      else if (nowMs >= server.lostMs) this.#servers.remove(server.at.host);
    }
  }

  #askWhenDue(server: Server, nowMs: number): void {
    if (nowMs < server.askMs) return;
    server.lostMs = nowMs + ANSWER_MS;
    this.#post.send('keepAlive', server.at, { framing: server.framing, kind: 'KEEP_ALIVE' });
  }
}
