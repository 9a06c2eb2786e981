/** A client of raw bytes on a TCP port, and what it was given. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { parseHostPort } from '../../../services/host-port.js';

/** A text with one character for each byte, as in the vectors. */
export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

export async function connectTo(address: string): Promise<Socket> {
  const { host, port } = parseHostPort(address)!;
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Sends, and resolves with all bytes up to the close; rejects when that is a reset. */
export async function ask(
  address: string,
  request: string,
  { halfCloses = false }: { readonly halfCloses?: boolean } = {},
): Promise<string> {
  const socket = await connectTo(address);
  const answer = readAll(socket);
  if (halfCloses) socket.end(bytesOf(request));
  else socket.write(bytesOf(request));
  return answer;
}

/** All bytes up to the end of the stream; rejects on a reset. */
export async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('latin1');
  } finally {
    socket.destroy();
  }
}
