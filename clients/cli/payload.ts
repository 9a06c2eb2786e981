/** Bytes that a command is given: as an argument, as a file, or on stdin. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { EXIT } from './output.js';

/** The bytes of the text or of the file; without either, or with `-`, of stdin. Else misuse. */
export async function payloadOf(
  command: Command,
  text: string | undefined,
  file: string | undefined,
): Promise<Buffer> {
  const misuse = { exitCode: EXIT.misuse };
  if (file === undefined) {
    return text === undefined || text === '-' ? buffer(process.stdin) : Buffer.from(text, 'utf8');
  }
  if (text !== undefined) command.error('error: give either a text or --file', misuse);
  try {
    return await readFile(file);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return command.error(`error: cannot read ${file}: ${why}`, misuse);
  }
}
