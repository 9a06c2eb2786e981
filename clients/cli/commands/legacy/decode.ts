import { Argument, type Command } from 'commander';
import type { Dialect } from '../../../../services/legacy/core/dialect.js';
import { RING } from '../../../../services/legacy/ring/codec.js';
import { LIEUR } from '../../../../services/legacy/lieur/codec.js';
import { simpleDht } from '../../../../services/legacy/simple-dht/codec.js';
import { TLV } from '../../../../services/legacy/tlv/codec.js';
import { CommandFailure, EXIT, printRecord } from '../../output.js';
import { runCommand } from '../../session.js';

const DIALECTS: Readonly<Record<string, Pick<Dialect<object>, 'decode'>>> = {
  tlv: TLV,
  'simple-dht': simpleDht,
  lieur: LIEUR,
  ring: RING,
};

export function addDecodeCommand(legacy: Command): void {
  legacy
    .command('decode')
    .description('explain a datagram, or a line')
    .addArgument(new Argument('<dialect>', 'its format').choices(Object.keys(DIALECTS)))
    .argument('<bytes>', 'as hexadecimal digits; a line of ring also as its text')
    .action(async (name: string, text: string, _flags: object, command: Command) =>
      runCommand(command, async ({ json }) => {
        const bytes = (name === 'ring' ? lineBytes(text) : undefined) ?? hexBytes(text);
        const decoded = DIALECTS[name]?.decode(bytes);
        if (decoded?.kind === 'message') {
          const record = { ...decoded.message, bytesUsed: decoded.bytesUsed };
          printRecord(record, textOf(record), json);
          return;
        }
        const why = decoded?.kind === 'malformed' ? decoded.why : 'it ends too early';
        throw new CommandFailure(`no message of ${name}: ${why}`, EXIT.failed);
      }),
    );
}

function hexBytes(text: string): Uint8Array {
  const digits = text.replaceAll(/[\s:]/g, '');
  if (/^(?:[0-9a-f]{2})*$/i.test(digits)) return Uint8Array.from(Buffer.from(digits, 'hex'));
  throw new CommandFailure('the bytes must be pairs of hexadecimal digits', EXIT.misuse);
}

/** A text that lacks its end; undefined for digits that end as a line does, with 0a or 0d. */
function lineBytes(text: string): Uint8Array | undefined {
  const isHex = /^(?:[0-9a-f]{2})*0[ad]$/i.test(text.replaceAll(/[\s:]/g, ''));
  return isHex ? undefined : new TextEncoder().encode(`${text}\n`);
}

/** One line: `kind field value field value`. */
function textOf({
  kind,
  ...fields
}: Record<string, unknown> & { readonly kind?: unknown }): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name} ${shown(value)}`);
  return [String(kind), ...parts].join('  ');
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
