/** The JSON face: which path asks what of the node, and which HTTP status a refusal has. */
import { RingbinderError, type StatusName } from '../errors.js';
import type { NodeLink } from './link.js';
import type { NodeJson, RefusalJson, RingJson, VerdictJson } from './messages.js';

export type ApiDeps = {
  readonly link: Omit<NodeLink, 'close'>;
  readonly node: () => NodeJson;
  readonly verdict: () => Promise<VerdictJson>;
};

type Ask = (parameters: URLSearchParams, deps: ApiDeps) => Promise<unknown>;

const RING_ID = /^\d{1,16}$/;

const PATHS: Readonly<Record<string, Ask>> = {
  '/api/ring': async (_parameters, deps) => ring(deps),
  '/api/stats': async (parameters, { link }) => link.stats(ringIdIn(parameters, 'peer')),
  '/api/trace': async (parameters, { link }) =>
    link.trace(textIn(parameters, 'key'), ringIdIn(parameters, 'from')),
  '/api/key': async (parameters, { link }) => link.key(textIn(parameters, 'key')),
  '/api/services': async (parameters, { link }) => link.services(textIn(parameters, 'page')),
  '/api/endpoints': async (parameters, { link }) =>
    link.endpoints(textIn(parameters, 'service'), textIn(parameters, 'page')),
  '/api/evidence': async (parameters, { link }) =>
    link.evidence(textIn(parameters, 'service'), textIn(parameters, 'address')),
};

const HTTP_STATUS: Readonly<Record<StatusName, number>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  DATA_LOSS: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** What a path asks; undefined when there is no such path. Rejects with a `RingbinderError`. */
export function askFor(
  { pathname, searchParams }: URL,
  deps: ApiDeps,
): Promise<unknown> | undefined {
  return Object.hasOwn(PATHS, pathname) ? PATHS[pathname]?.(searchParams, deps) : undefined;
}

export function httpStatusOf({ status }: RingbinderError): number {
  return HTTP_STATUS[status];
}

export function refusalToJson({ reason, text }: RingbinderError): RefusalJson {
  return { reason, text };
}

async function ring({ link, node, verdict }: ApiDeps): Promise<RingJson> {
  const [topology, judged, stats] = await Promise.all([
    link.topology(),
    verdict(),
    link.stats(undefined),
  ]);
  return { node: node(), topology, verdict: judged, stats };
}

/** Empty when it is not there; the services say what that is worth. */
function textIn(parameters: URLSearchParams, name: string): string {
  return parameters.get(name) ?? '';
}

function ringIdIn(parameters: URLSearchParams, name: string): bigint | undefined {
  const text = textIn(parameters, name);
  if (text === '') return undefined;
  if (RING_ID.test(text)) return BigInt(text);
  const violations = [{ field: name, description: 'must be a ring ID' }];
  throw new RingbinderError('REQUEST_INVALID', `${name} must be a ring ID`, {}, { violations });
}
