/** A process of ours that logs: what it said, and how it ended. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from './until.js';

export type LogRecord = { readonly level: string; readonly msg: string } & Record<string, unknown>;

export class LoggedProcess {
  readonly process: ChildProcess;
  readonly records: LogRecord[] = [];
  readonly otherLines: string[] = [];
  readonly #exitCode: Promise<number | null>;

  constructor([command = '', ...args]: readonly string[]) {
    this.process = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#exitCode = once(this.process, 'exit').then(([code]) => code as number | null);
    createInterface({ input: this.process.stderr! }).on('line', (line) => this.#read(line));
  }

  /** The first record with this message; fails when the process ends first. */
  async said(msg: string, withinMs: number): Promise<LogRecord> {
    return until(
      () => {
        if (this.process.exitCode !== null) throw new Error(this.everything());
        return this.record(msg);
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

  /** Sends a signal and waits for the end; resolves with the exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill(signal);
    }
    return this.#exitCode;
  }

  async exited(): Promise<number | null> {
    return this.#exitCode;
  }

  #read(line: string): void {
    try {
      this.records.push(JSON.parse(line) as LogRecord);
    } catch {
      this.otherLines.push(line);
    }
  }
}
