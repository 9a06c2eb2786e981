/**
 * Processes from their options to their end, a node or a bridge: compose, start, say so, stop on SIGTERM or
 * Ctrl-C.
 */
import { loadBridgeConfig, type BridgeSources } from './bridge/config.js';
import { loadConfig, type ConfigSources } from './config.js';
import { createLogger, type Logger } from './logging.js';
import { StartError } from './node/start-error.js';
import { letHeapGrow } from './system/heap.js';
import { onShutdownSignals } from './system/shutdown.js';

/**
 * Runs a node until it is told to stop; resolves with the exit code. Throws a `ConfigError` when the
 * options are wrong, and a `StartError` when it can't start.
 */
export async function serve(sources: ConfigSources): Promise<number> {
  const { config, warnings } = loadConfig(sources);
  const log = createLogger({ level: config.logLevel });
  for (const warning of warnings) log.warn(warning);
  letHeapGrow();
  // Loaded here, so that commands which start no node need not wait for it.
  const { composeNode } = await import('./compose.js');
  return untilStopped('ringbinder', log, async (requestStop) =>
    composeNode(config, log, requestStop),
  );
}

/** Runs a bridge, as `serve` runs a node. */
export async function bridge(sources: BridgeSources): Promise<number> {
  const config = loadBridgeConfig(sources);
  const log = createLogger({ level: config.logLevel });
  const { composeBridge } = await import('./compose/bridge.js');
  return untilStopped('ringbinder bridge', log, async (requestStop) =>
    composeBridge(config, log, requestStop),
  );
}

/** What runs until it is stopped. */
type Program = { start(): Promise<void>; stop(): Promise<void> };

async function untilStopped(
  name: string,
  log: Logger,
  compose: (requestStop: () => void) => Promise<Program>,
): Promise<number> {
  const stop = { isAsked: false, request: (): void => undefined };
  const program = await compose(() => stop.request());
  const stopped = new Promise<void>((resolve) => {
    const end = async (why: object): Promise<void> => {
      if (stop.isAsked) return;
      stop.isAsked = true;
      log.info(why, `${name} stopping`);
      await program.stop();
      log.info(`${name} stopped`);
      resolve();
    };
    stop.request = () => void end({ by: 'StopServer' });
    onShutdownSignals(async (signal) => end({ signal }));
  });
  try {
    await program.start();
  } catch (thrown) {
    if (!stop.isAsked) {
      await program.stop();
      throw thrown;
    }
  }
  await stopped;
  return 0;
}

export { bridgeOptionsHelp } from './bridge/config.js';
export { ConfigError, optionsHelp } from './config.js';
export { StartError };
