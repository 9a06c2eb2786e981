/** Looks whether an endpoint is well, by a connection of its own that is gone afterwards. */
import { parseHostPort } from '../host-port.js';
import type { CheckMethod, CheckOutcome } from './core/health-check.js';
import { attempt } from './probe/attempt.js';
import { checkGrpc } from './probe/grpc.js';
import { checkHttp } from './probe/http.js';
import { checkLieur } from './probe/lieur.js';
import { failed, PASSED } from './probe/outcome.js';
import { checkTcp } from './probe/tcp.js';

export type ProbeOptions = {
  /** Certificates, as PEM, to trust in place of those of the system. */
  readonly roots?: string;
};

/**
 * Checks an address. Never rejects, and ends within the time. Without a method there is nothing to
 * find: it passes.
 */
export async function probe(
  address: string,
  method: CheckMethod,
  timeoutMs: number,
  options: ProbeOptions = {},
): Promise<CheckOutcome> {
  const own = parseHostPort(address);
  if (own === undefined) return failed('not an address of the form host:port');
  const port = ('port' in method ? method.port : undefined) ?? own.port;
  const target = { host: own.host, port, roots: options.roots };
  switch (method.kind) {
    case 'none':
      return PASSED;
    case 'tcp':
      return attempt(timeoutMs, (outcome) => checkTcp(target, outcome));
    case 'http':
      return attempt(timeoutMs, (outcome) => checkHttp(target, method, outcome));
    case 'grpc':
      return attempt(timeoutMs, (outcome) => checkGrpc(target, method, timeoutMs, outcome));
    case 'legacy':
      return method.dialect === 'lieur'
        ? attempt(timeoutMs, (outcome) => checkLieur(target, outcome))
        : failed(`no check for the dialect ${method.dialect}`);
  }
}
