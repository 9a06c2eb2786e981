/**
 * Asks `grpc.health.v1` over a connection of its own.
 *
 * Over HTTP/2 by hand: a channel of grpc-js would try again by itself, and may keep its socket for a
 * while after it was closed.
 */
import {
  connect as connectHttp2,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { formatHostPort } from '../../host-port.js';
import type { CheckMethod, CheckOutcome } from '../core/health-check.js';
import type { Findings, Target } from './attempt.js';
import { failed, failedBy } from './outcome.js';
import { CHECK_PATH, outcomeOf, refusalOf, requestFrame } from './wire-health.js';

type GrpcMethod = Extract<CheckMethod, { kind: 'grpc' }>;

/** A true answer has 7 bytes. */
const ANSWER_BYTES_MAX = 1_024;

export function checkGrpc(
  target: Target,
  { service, isTls }: GrpcMethod,
  timeoutMs: number,
  { finish }: Findings,
): () => void {
  const socket = isTls ? openTls(target) : connect(target);
  const onError = (error: Error): void => finish(failedBy(error));
  socket.on('error', onError);
  const session = connectHttp2('http://localhost', { createConnection: () => socket });
  session.on('error', onError);
  session.once('close', () => finish(failed('connection closed without an answer')));
  const stream = session.request({
    ':method': 'POST',
    ':scheme': isTls ? 'https' : 'http',
    ':authority': formatHostPort(target),
    ':path': CHECK_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': `${Math.ceil(timeoutMs)}m`,
    'user-agent': 'ringbinder',
  });
  stream.on('error', onError);
  listen(stream, service, finish);
  stream.end(requestFrame(service));
  return () => {
    session.destroy();
    socket.destroy();
  };
}

/** The name is checked against the certificate, and an IP address too. */
function openTls({ host, port, roots }: Target): Socket {
  const servername = isIP(host) === 0 ? host : '';
  return connectTls({ host, port, servername, ca: roots, ALPNProtocols: ['h2'] });
}

function listen(
  stream: ClientHttp2Stream,
  service: string,
  finish: (outcome: CheckOutcome) => void,
): void {
  let status: IncomingHttpHeaders = {};
  let answer = Buffer.alloc(0);
  const take = (headers: IncomingHttpHeaders): void => {
    if (headers['grpc-status'] !== undefined) status = headers;
  };
  stream.once('response', (headers) => {
    take(headers);
    const isGrpc = String(headers['content-type']).startsWith('application/grpc');
    if (headers[':status'] !== 200 || !isGrpc) {
      finish(failed(`no gRPC there: HTTP ${Number(headers[':status'])}`));
    }
  });
  stream.once('trailers', take);
  stream.on('data', (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk]);
    if (answer.length > ANSWER_BYTES_MAX) finish(failed('no grpc.health.v1 there: a long answer'));
  });
  stream.once('close', () => {
    const { 'grpc-status': code, 'grpc-message': message = '' } = status;
    if (code === undefined) finish(failed('connection closed without an answer'));
    else if (code === '0') finish(outcomeOf(answer));
    else finish(refusalOf(Number(code), String(message), service));
  });
}
