/**
 * A raw TCP connection as what carries a peer stream: no byte is added (wire/pair.md, section 3).
 *
 * FIN is the end of one direction, either way; a reset or an error breaks the stream, and a stream that
 * breaks resets the connection. Each side waits for the other's reader.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { HostPort } from '../../host-port.js';
import { brokenOff, type PeerStream } from '../../peer/stream/peer-stream.js';

/** A connection may be silent for ever; only that its other side is gone must be noticed. */
const KEEPALIVE_MS = 60_000;

/** Dials, and carries the stream. Never throws: what goes wrong breaks the stream. */
export function dialPair({ host, port }: HostPort, stream: PeerStream): void {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  socket.once('connect', () => stream.open());
  carryBySocket(socket, stream);
}

/** For a socket that allows half-open connections. */
export function carryBySocket(socket: Socket, stream: PeerStream): void {
  socket.setKeepAlive(true, KEEPALIVE_MS);
  receive(socket, stream);
  void send(socket, stream);
}

function receive(socket: Socket, stream: PeerStream): void {
  const { incoming, outgoing } = stream.far;
  const reset = (): void => {
    socket.resetAndDestroy();
  };
  outgoing.settled().catch(reset);
  socket.on('data', (bytes) => {
    if (outgoing.isDone) return;
    const room = outgoing.write(bytes);
    if (room === undefined) return;
    socket.pause();
    room.then(() => socket.resume(), reset);
  });
  socket.on('end', () => outgoing.finish());
  socket.on('error', (error) => stream.break(brokenOff(stream, error)));
  socket.on('close', () => {
    if (!outgoing.isFinished || !incoming.isDone) stream.break(brokenOff(stream));
  });
}

async function send(socket: Socket, stream: PeerStream): Promise<void> {
  const { incoming } = stream.far;
  const gone = once(socket, 'close').catch(() => undefined);
  try {
    await stream.opened;
    for (;;) {
      const chunk = await incoming.read();
      if (chunk === undefined) break;
      if (!socket.write(chunk)) await Promise.race([drained(socket), gone]);
    }
    socket.end(() => incoming.settle());
  } catch {
    // The stream is broken, which its ends know.
    socket.resetAndDestroy();
  }
}

async function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('drain', resolve));
}
