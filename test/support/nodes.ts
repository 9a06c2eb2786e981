/** Real nodes in processes of their own, and rings of them. Everything they leave is removed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Ringbinder } from '../../clients/sdk/index.js';
import { judge, type Judgement } from '../../services/peer/core/invariants.js';
import { until } from './until.js';

export const CLI = new URL('../../dist/clients/cli/main.js', import.meta.url).pathname;

export type LogRecord = { readonly level: string; readonly msg: string } & Record<string, unknown>;

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
export class TestNode {
  readonly process: ChildProcess;
  readonly records: LogRecord[] = [];
  readonly otherLines: string[] = [];
  readonly sdkClients: Ringbinder[] = [];
  readonly #exitCode: Promise<number | null>;
  readonly #testHost: string | undefined;

  constructor(options: NodeOptions) {
    const { listen = '127.0.0.1:0', join: contacts = [], dataDir, flags = [], host } = options;
    const { execArgv = [] } = options;
    const keeping = dataDir === undefined ? ['--ephemeral'] : ['--data-dir', dataDir];
    const joining = contacts.length === 0 ? [] : ['--join', contacts.join(',')];
    const plain = flags.includes('--legacy') ? [] : ['--legacy', 'off'];
    const args = [
      ...execArgv,
      CLI,
      'serve',
      '--listen',
      listen,
      ...keeping,
      ...joining,
      ...plain,
      ...flags,
    ];
    const inHost = host === undefined ? [] : ['ip', 'netns', 'exec', host.namespace];
    const [command = '', ...rest] = [...inHost, process.execPath, ...args];
    this.#testHost = host?.testAddress;
    this.process = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#exitCode = once(this.process, 'exit').then(([code]) => code as number | null);
    createInterface({ input: this.process.stderr! }).on('line', (line) => this.#read(line));
  }

  /** The record that says that the node is ready; fails when the process ends first. */
  async ready(withinMs = 30_000): Promise<LogRecord> {
    return until(
      () => {
        if (this.process.exitCode !== null) throw new Error(this.everything());
        return this.record('ringbinder ready');
      },
      withinMs,
      () => this.everything(),
    );
  }

  record(msg: string): LogRecord | undefined {
    return this.records.find((record) => record.msg === msg);
  }

  everything(): string {
    return [...this.records.map((record) => JSON.stringify(record)), ...this.otherLines].join('\n');
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
  async end(signal: NodeJS.Signals): Promise<number | null> {
    for (const sdk of this.sdkClients.splice(0)) sdk.close();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill(signal);
    }
    return this.#exitCode;
  }

  async exited(): Promise<number | null> {
    return this.#exitCode;
  }

  #throughTestHost(): string {
    return `${this.#testHost ?? ''}:${this.address.split(':').at(-1) ?? ''}`;
  }

  #read(line: string): void {
    try {
      this.records.push(JSON.parse(line) as LogRecord);
    } catch {
      this.otherLines.push(line);
    }
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
