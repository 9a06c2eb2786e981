/** Real nodes in processes of their own, and rings of them. Everything they leave is removed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ringbinder } from '../../clients/sdk/index.js';
import { judge, type Judgement } from '../../services/peer/core/invariants.js';
import { LoggedProcess, type LogRecord } from './logged-process.js';
import { until } from './until.js';

export const CLI = new URL('../../dist/clients/cli/main.js', import.meta.url).pathname;

export type NodeOptions = {
  readonly join?: readonly string[];
  /** Default: nothing is kept. */
  readonly dataDir?: string;
  /** Default: a free port. */
  readonly listen?: string;
  readonly flags?: readonly string[];
  /** Of the program that runs it. */
  readonly execArgv?: readonly string[];
  /** Runs the node in this network namespace, where the test reaches it at this address. */
  readonly host?: { readonly namespace: string; readonly testAddress: string };
};

/** One node process. */
export class TestNode extends LoggedProcess {
  readonly sdkClients: Ringbinder[] = [];
  readonly #testHost: string | undefined;

  constructor(options: NodeOptions) {
    const { listen = '127.0.0.1:0', join: contacts = [], dataDir, flags = [], host } = options;
    const { execArgv = [] } = options;
    const keeping = dataDir === undefined ? ['--ephemeral'] : ['--data-dir', dataDir];
    const joining = contacts.length === 0 ? [] : ['--join', contacts.join(',')];
    // Fixed ports are for one node on a machine.
    const plain = ['--legacy', '--metrics', '--dashboard'].flatMap((it) =>
      flags.includes(it) ? [] : [it, 'off'],
    );
    const serve = [CLI, 'serve', '--listen', listen, ...keeping, ...joining, ...plain, ...flags];
    const inHost = host === undefined ? [] : ['ip', 'netns', 'exec', host.namespace];
    super([...inHost, process.execPath, ...execArgv, ...serve]);
    this.#testHost = host?.testAddress;
  }

  /** The record that says that the node is ready; fails when the process ends first. */
  async ready(withinMs = 30_000): Promise<LogRecord> {
    return this.said('ringbinder ready', withinMs);
  }

  get address(): string {
    return String(this.record('ringbinder ready')?.['address']);
  }

  get ringId(): number {
    return Number(this.record('ringbinder ready')?.['ringId']);
  }

  get sdk(): Ringbinder {
    const [known] = this.sdkClients;
    if (known !== undefined) return known;
    const dialled = this.#testHost === undefined ? this.address : this.#throughTestHost();
    const sdk = new Ringbinder(dialled, { timeoutMs: 8_000 });
    this.sdkClients.push(sdk);
    return sdk;
  }

  /** Sends a signal and waits for the end; resolves with the exit code. */
  override async end(signal: NodeJS.Signals): Promise<number | null> {
    for (const sdk of this.sdkClients.splice(0)) sdk.close();
    return super.end(signal);
  }

  #throughTestHost(): string {
    return `${this.#testHost ?? ''}:${this.address.split(':').at(-1) ?? ''}`;
  }
}

/** Several nodes and a directory for their data; all gone at the end of the block. */
export class TestNet implements AsyncDisposable {
  readonly nodes: TestNode[] = [];
  readonly directory = mkdtempSync(join(tmpdir(), 'ringbinder-test-'));

  dataDir(name: string): string {
    return join(this.directory, name);
  }

  /** Starts a node and waits until it is ready. */
  async start(options: NodeOptions = {}): Promise<TestNode> {
    const node = this.launch(options);
    await node.ready();
    return node;
  }

  /** Starts a node. */
  launch(options: NodeOptions = {}): TestNode {
    const node = new TestNode(options);
    this.nodes.push(node);
    return node;
  }

  /** Starts a founder and others that join through it. */
  async ring(size: number, flags: readonly string[] = []): Promise<readonly TestNode[]> {
    const founder = await this.start({ flags });
    const others = Array.from({ length: size - 1 }, () =>
      this.launch({ join: [founder.address], flags }),
    );
    await Promise.all(others.map(async (node) => node.ready(60_000)));
    return [founder, ...others];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map(async (node) => node.end('SIGKILL')));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Of a ring founded with the defaults. */
const SUCCESSORS_MAX = 4;

/** Judges the ring of these nodes by what they say of their neighbours. */
export async function judgeRing(
  nodes: readonly TestNode[],
  successorsMax = SUCCESSORS_MAX,
): Promise<Judgement | undefined> {
  try {
    const views = await Promise.all(nodes.map(async (node) => node.sdk.peer.neighbors()));
    return judge(views, successorsMax);
  } catch {
    return undefined;
  }
}

/** Waits until the ring of exactly these nodes is ideal; resolves with how long that took. */
export async function untilIdeal(
  nodes: readonly TestNode[],
  withinMs: number,
  successorsMax = SUCCESSORS_MAX,
): Promise<number> {
  const start = performance.now();
  await until(
    async () => {
      const judgement = await judgeRing(nodes, successorsMax);
      return judgement?.isIdeal === true && judgement.memberCount === nodes.length
        ? judgement
        : undefined;
    },
    withinMs,
    () => `not ideal: ${nodes.map((node) => node.ringId).join(' ')}`,
  );
  return performance.now() - start;
}
