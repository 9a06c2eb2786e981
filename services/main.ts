/** One node, from its options to its end: compose, start, say so, stop on SIGTERM or Ctrl-C. */
import { loadConfig, type ConfigSources } from './config.js';
import { createLogger } from './logging.js';
import { StartError } from './node/start-error.js';
import { onShutdownSignals } from './system/shutdown.js';

/**
 * Runs a node until it is told to stop; resolves with the exit code. Throws a `ConfigError` when the
 * options are wrong, and a `StartError` when it can't start.
 */
export async function serve(sources: ConfigSources): Promise<number> {
  const { config, warnings } = loadConfig(sources);
  const log = createLogger({ level: config.logLevel });
  for (const warning of warnings) log.warn(warning);
  // Loaded here, so that commands which start no node need not wait for it.
  const { composeNode } = await import('./compose.js');
  const stop = { isAsked: false, request: (): void => undefined };
  const node = await composeNode(config, log, () => stop.request());
  const stopped = new Promise<void>((resolve) => {
    const end = async (why: object): Promise<void> => {
      if (stop.isAsked) return;
      stop.isAsked = true;
      log.info(why, 'ringbinder stopping');
      await node.stop();
      log.info('ringbinder stopped');
      resolve();
    };
    stop.request = () => void end({ by: 'StopServer' });
    onShutdownSignals(async (signal) => end({ signal }));
  });
  try {
    await node.start();
  } catch (thrown) {
    if (!stop.isAsked) {
      await node.stop();
      throw thrown;
    }
  }
  await stopped;
  return 0;
}

export { ConfigError, optionsHelp } from './config.js';
export { StartError };
