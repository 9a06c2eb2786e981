/** Makes an HTTP/1.1 GET request; its status decides. */
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { formatHostPort } from '../../host-port.js';
import type { CheckMethod } from '../core/health-check.js';
import type { Findings, Target } from './attempt.js';
import { failed, failedBy, PASSED } from './outcome.js';

type HttpMethod = Extract<CheckMethod, { kind: 'http' }>;

/** How much of a body is read before the connection is closed; small ones end as the server expects. */
const BODY_BYTES_MAX = 65_536;

export function checkHttp(
  { host, port, roots }: Target,
  { path, isTls }: HttpMethod,
  findings: Findings,
): () => void {
  const options = {
    host,
    port,
    path: path === '' ? '/' : path,
    agent: false as const,
    headers: { host: formatHostPort({ host, port }), accept: '*/*', 'user-agent': 'ringbinder' },
  };
  const request = isTls
    ? requestHttps({ ...options, ca: roots, servername: isIP(host) === 0 ? host : '' })
    : requestHttp(options);
  const { finish } = findings;
  request.on('error', (error) => finish(failedBy(error)));
  request.once('response', (response) => judge(response, findings));
  request.once('close', () => finish(failed('connection closed without an answer')));
  request.end();
  return () => request.destroy();
}

/** The body is read only so that the connection can end well: no fault of it counts. */
function judge(response: IncomingMessage, { finish, expect }: Findings): void {
  const { statusCode: status = 0 } = response;
  const outcome = status >= 200 && status <= 299 ? PASSED : failed(`HTTP ${status}`);
  expect(outcome);
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) finish(outcome);
  });
  for (const event of ['end', 'error', 'close']) response.once(event, () => finish(outcome));
}
