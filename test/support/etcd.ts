/** Real members of etcd on loopback, with data of their own; gone at the end of the block. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ETCD, hasEtcd, planMembers, type EtcdMember } from '../../bench/etcd-members.js';
import { EtcdLink } from '../../services/storage/etcd/link.js';
import { systemClock } from '../../services/system/clock.js';
import { until } from './until.js';

const READY_MS = 20_000;

/** Why there is no etcd for a test; undefined when there is one. CI must have one. */
export function whyNoEtcd(): string | undefined {
  if (hasEtcd()) return undefined;
  const why = `${ETCD} is not there; the Debian package is etcd-server`;
  if (process.env['CI'] === 'true') throw new Error(why);
  console.log(`skipped: ${why}`);
  return why;
}

export class TestEtcd implements AsyncDisposable {
  readonly #directory: string;
  readonly #members: readonly EtcdMember[];
  readonly #children: (ChildProcess | undefined)[] = [];

  private constructor(directory: string, members: readonly EtcdMember[]) {
    this.#directory = directory;
    this.#members = members;
  }

  /** Starts a cluster; resolves when it answers. */
  static async start(count = 1): Promise<TestEtcd> {
    const directory = mkdtempSync(join(tmpdir(), 'ringbinder-etcd-'));
    const etcd = new TestEtcd(directory, await planMembers(count, (name) => join(directory, name)));
    for (let index = 0; index < count; index += 1) etcd.launch(index);
    await etcd.ready();
    return etcd;
  }

  /** `host:port` of each member. */
  get endpoints(): readonly string[] {
    return this.#members.map(({ client }) => client);
  }

  get url(): string {
    return `etcd://${this.endpoints.join(',')}`;
  }

  /** Starts a member that was killed, on its old data. */
  launch(index = 0): void {
    const args = this.#members[index]?.args ?? [];
    const stdio = ['ignore', 'ignore', 'ignore'] as const;
    this.#children[index] = spawn(ETCD, args, { stdio: [...stdio] });
  }

  /** Waits until it answers linearizable questions. */
  async ready(): Promise<void> {
    const link = new EtcdLink({ endpoints: this.endpoints, clock: systemClock });
    const look = async (): Promise<true | undefined> => {
      const answer = await link.range({ key: Buffer.from('ready') }).catch(() => undefined);
      return answer && true;
    };
    await until(look, READY_MS, () => 'etcd does not answer');
    link.close();
  }

  /** Removes the data of all members, which must be dead. */
  forget(): void {
    rmSync(this.#directory, { recursive: true, force: true });
    mkdirSync(this.#directory);
  }

  /** Calls etcd's own API as JSON: `range`, `compaction`. */
  async call(method: string, request: unknown, index = 0): Promise<unknown> {
    const url = `http://${this.endpoints[index] ?? ''}/v3/kv/${method}`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(request) });
    if (!response.ok) throw new Error(`${method}: ${await response.text()}`);
    return response.json();
  }

  signal(signal: NodeJS.Signals, index = 0): void {
    this.#children[index]?.kill(signal);
  }

  async kill(index = 0): Promise<void> {
    const child = this.#children[index];
    this.#children[index] = undefined;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(async (_, index) => this.kill(index)));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
