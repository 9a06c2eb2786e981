/** Runs what goes on until it is stopped, a node or a bridge, and says why it can't. */
import { ConfigError, StartError } from '../../services/main.js';
import { EXIT, say } from './output.js';

/** Resolves with the exit code. */
export async function runProgram(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (thrown) {
    if (thrown instanceof ConfigError) {
      for (const line of thrown.lines) say(`ringbinder: ${line}`);
      return EXIT.misuse;
    }
    if (!(thrown instanceof StartError)) throw thrown;
    say(`ringbinder: ${thrown.message}`);
    return EXIT.failed;
  }
}

/** Flags as the configuration takes them: text, and `true` for a switch. */
export function asText(
  given: Readonly<Record<string, string | boolean>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
}
