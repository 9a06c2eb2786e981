/** A node's dashboard, put together: the page's files, the node's own services, where they are served. */
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { readAssets } from '../dashboard/assets.js';
import { NodeLink } from '../dashboard/link.js';
import type { NodeJson } from '../dashboard/messages.js';
import { DASHBOARD_LIMITS, DashboardServer } from '../dashboard/server.js';
import { SharedAnswer } from '../dashboard/shared-answer.js';
import type { HostPort } from '../host-port.js';
import { systemClock } from '../system/clock.js';

/** Of a node that founds a ring. */
const DEFAULT_PLACE: HostPort = { host: '127.0.0.1', port: 7480 };
/** Where the build puts them, beside the compiled code. */
const ASSETS = fileURLToPath(new URL('../../clients/dashboard/page', import.meta.url));
const VERDICT_FRESH_MS = 2_000;

export type DashboardPartDeps = {
  /** Where this node itself takes calls. */
  readonly target: string;
  readonly node: () => NodeJson;
  readonly log: Logger;
};

export class DashboardPart {
  #link: NodeLink | undefined;
  #server: DashboardServer | undefined;

  /** Returns where it serves; `off` when it does not, with a warning when it can't. */
  async open(
    chosen: HostPort | 'off' | undefined,
    isOnByDefault: boolean,
    { target, node, log }: DashboardPartDeps,
  ): Promise<string> {
    const place = chosen ?? (isOnByDefault ? DEFAULT_PLACE : 'off');
    if (place === 'off') return 'off';
    try {
      const assets = await readAssets(ASSETS);
      const link = new NodeLink(target);
      this.#link = link;
      const verdicts = new SharedAnswer(async () => link.verdict(), systemClock, VERDICT_FRESH_MS);
      const verdict = async () => verdicts.get();
      this.#server = await DashboardServer.open(place, {
        ...{ link, node, verdict, assets, clock: systemClock, limits: DASHBOARD_LIMITS },
        failed: (err) => log.warn({ err }, 'a connection to the dashboard was not accepted'),
      });
      return this.#server.address;
    } catch (err) {
      log.warn({ err, place }, 'the dashboard is off: its port or its files can not be had');
      return 'off';
    }
  }

  async close(): Promise<void> {
    await this.#server?.close();
    this.#link?.close();
  }
}
