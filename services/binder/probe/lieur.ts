/** Asks a service of dialect `lieur` whether it lives: one byte, and one byte back (wire/lieur.md, 0B and 0C). */
import { createSocket } from 'node:dgram';
import type { Findings, Target } from './attempt.js';
import { failed, failedBy, PASSED } from './outcome.js';

const QUESTION = Uint8Array.of(0x0b);
const ANSWER = 0x0c;

/** Only the right answer counts, and only from the service that was asked (L6). */
export function checkLieur({ host, port }: Target, { finish, expect }: Findings): () => void {
  const socket = createSocket('udp4');
  expect(failed('no answer'));
  socket.on('error', (error) => finish(failedBy(error)));
  socket.on('message', (bytes, from) => {
    if (from.port === port && from.address === host && bytes[0] === ANSWER) finish(PASSED);
  });
  socket.send(QUESTION, port, host, (error) => {
    if (error !== null) finish(failedBy(error));
  });
  return () => socket.close();
}
