/** Opens a TCP connection and closes it. */
import { connect, type Socket } from 'node:net';
import type { Findings, Target } from './attempt.js';
import { failed, failedBy, PASSED } from './outcome.js';

export function checkTcp({ host, port }: Target, { finish }: Findings): () => void {
  const socket = connect({ host, port });
  socket.on('error', (error) => finish(failedBy(error)));
  socket.once('connect', () =>
    finish(hasMetItself(socket) ? failed('connection refused') : PASSED),
  );
  return () => socket.destroy();
}

/**
 * Where nobody listens, the system may pick just that port for our own end, and TCP then connects it
 * to itself.
 */
function hasMetItself({ localAddress, localPort, remoteAddress, remotePort }: Socket): boolean {
  return localPort === remotePort && localAddress === remoteAddress;
}
