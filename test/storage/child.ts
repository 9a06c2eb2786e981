import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A child process of a test; runs a file of `children/` on the build in `dist/`. */
export class Child {
  readonly #process;
  readonly #lines;
  readonly #exited;

  constructor(name: string, ...args: readonly string[]) {
    const path = fileURLToPath(new URL(`children/${name}`, import.meta.url));
    this.#process = spawn(process.execPath, [path, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.#exited = once(this.#process, 'exit');
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Answers with the next line of its output, undefined at the end. */
  async line(): Promise<string | undefined> {
    const result = await this.#lines.next();
    return result.done === true ? undefined : result.value;
  }

  tell(text: string): void {
    this.#process.stdin.write(`${text}\n`);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
