/**
 * The other side of `legacy-datagrams.ts`: a socket that answers each datagram with the same bytes, and
 * nothing else. Arguments: the host to listen on, and the answer in base64.
 */
import { createSocket } from 'node:dgram';
import { formatHostPort } from '../services/host-port.js';

const [host = '', base64 = ''] = process.argv.slice(2);
const answer = Buffer.from(base64, 'base64');
const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
socket.on('message', (_bytes, { port, address }) => socket.send(answer, port, address));
socket.bind(0, host, () => {
  const address = formatHostPort({ host, port: socket.address().port });
  process.stderr.write(`${JSON.stringify({ msg: 'echo ready', address })}\n`);
});
