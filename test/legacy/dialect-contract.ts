import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../services/legacy/core/dialect.js';

/** One message and its bytes, in hexadecimal digits. */
export type DialectCase<Message> = {
  readonly title: string;
  readonly hex: string;
  readonly message: Message;
  /** False where the original writes bytes that we read and never write. */
  readonly isWritten?: boolean;
  /** False where a shorter one is a message of its own. */
  readonly needsAll?: boolean;
};

const JUNK = Buffer.from('0102ff30', 'hex');

/** Reads every case whole, byte by byte, and with trailing bytes. */
export function describeDialect<Message>(
  dialect: Dialect<Message>,
  cases: readonly DialectCase<Message>[],
): void {
  describe.each(cases)(`${dialect.name}: $title`, ({ hex, message, isWritten, needsAll }) => {
    const bytes = Buffer.from(hex, 'hex');

    it('is read whole', () => {
      expect(dialect.decode(bytes)).toEqual({ kind: 'message', message, bytesUsed: bytes.length });
    });

    if (needsAll !== false) {
      it('is awaited while any byte is missing', () => {
        for (let length = 1; length < bytes.length; length += 1) {
          expect(dialect.decode(bytes.subarray(0, length))).toEqual({ kind: 'incomplete' });
        }
      });
    }

    it('is read with bytes behind it', () => {
      const decoded = dialect.decode(Buffer.concat([bytes, JUNK]));
      expect(decoded).toMatchObject({ kind: 'message', message, bytesUsed: bytes.length });
    });

    if (isWritten !== false) {
      it('is written as the same bytes', () => {
        expect(Buffer.from(dialect.encode(message)).toString('hex')).toBe(hex);
      });
    }
  });
}
