/** Ends the output of a run with one plain line: `N passed, N failed`, and skips by name. */
import type { Reporter, TestModule } from 'vitest/node';

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number =>
      tests.filter((test) => test.result().state === state).length;
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const skipped = count('skipped');
    const tally = `${count('passed')} passed, ${count('failed') + broken} failed`;
    process.on('exit', () => {
      process.stdout.write(`${tally}${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
    });
  }
}
