/** Programs that render services: real processes, registered and kept by `ringbinder bind register`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { CLI } from './nodes.js';
import { until } from './until.js';

/** Answers every HTTP request with its own address. */
const PROGRAM = `
const address = process.argv[1];
const [host, port] = address.split(':');
require('node:http').createServer((_, response) => response.end(address)).listen(Number(port), host);
`;

export type ServiceOptions = {
  readonly service: string;
  /** Binders to register with, any of them. */
  readonly binders: readonly string[];
  /** Default: a free port. */
  readonly address?: string;
  /** More arguments of `bind register`. */
  readonly flags?: readonly string[];
};

/** One program with its keeper; both are one process group. */
export class TestService {
  readonly service: string;
  readonly address: string;
  readonly process: ChildProcess;
  #err = '';

  private constructor({ service, binders, flags = [] }: ServiceOptions, address: string) {
    this.service = service;
    this.address = address;
    const program = ['--', process.execPath, '-e', PROGRAM, address];
    const bind = ['bind', 'register', '--server', binders.join(','), ...flags];
    const args = [CLI, ...bind, service, address, ...program];
    const stdio = ['ignore', 'ignore', 'pipe'] as const;
    this.process = spawn(process.execPath, args, { stdio: [...stdio], detached: true });
    this.process.stderr?.on('data', (chunk: Buffer) => (this.#err += chunk.toString()));
  }

  /** Resolves when it answers and the binder hands it out. */
  static async start(options: ServiceOptions): Promise<TestService> {
    const service = new TestService(options, options.address ?? (await freeAddress()));
    await until(
      async () => ((await service.answer()) === service.address ? true : undefined),
      20_000,
      () => service.#err,
    );
    return service;
  }

  /** What it answers to a client; undefined when it can't be reached. */
  async answer(): Promise<string | undefined> {
    try {
      const response = await fetch(`http://${this.address}/`, {
        signal: AbortSignal.timeout(1_000),
      });
      return await response.text();
    } catch {
      return undefined;
    }
  }

  /** Sends a signal to the program and its keeper. */
  signal(signal: NodeJS.Signals): void {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    process.kill(-this.process.pid!, signal);
  }

  /** Kills both. */
  async kill(): Promise<void> {
    this.signal('SIGCONT');
    this.signal('SIGKILL');
    if (this.process.exitCode === null && this.process.signalCode === null) {
      await once(this.process, 'exit');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** An address on which nobody listens. */
export async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}
