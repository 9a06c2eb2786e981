/**
 * The test vectors of wire/ring.md, section 6: what original programs answered. One character of a text
 * is one byte.
 */

/** The host of any member, as one line. */
export const ANY_MEMBER = Symbol('the host of any member');

export type Vector = {
  readonly title: string;
  readonly request: string;
  readonly reply: string | typeof ANY_MEMBER;
  readonly halfCloses?: boolean;
};

const at = (
  title: string,
  request: string,
  reply: Vector['reply'],
  halfCloses = false,
): Vector => ({ title, request, reply, halfCloses });

const THREE = '3:127.0.0.1\n9:127.0.0.2\n14:127.0.0.2\nend\n';
const TABLE_OF_3 = '3:9:127.0.0.2\n5:9:127.0.0.2\n7:9:127.0.0.2\n11:14:127.0.0.2\nend\n';

/** Block A: a WelcomeServer of size 16, in this order. W45, which has no reply, is a test of its own. */
export const WELCOME_SESSION: readonly Vector[] = [
  at('W1', 'li?\n', 'end\n'),
  at('W2', 'rt?:3\n', 'ukh\n'),
  at('W3', 'ip?:3\n', 'ukh\n'),
  at('W4', 'a+:3\n', 'wrq\n'),
  at('W5', 'yo:3:127.0.0.1\n', 'yaf\n'),
  at('W6', 'rt?:3\n', '3:3:127.0.0.1\n5:3:127.0.0.1\n7:3:127.0.0.1\n11:3:127.0.0.1\nend\n'),
  at('W7', 'li?\n', '3:127.0.0.1\nend\n'),
  at('W8', 'yo:9:127.0.0.2\n', '127.0.0.1\n'),
  at('W9', 'yo:9:127.0.0.5\n', 'wrq\n'),
  at('W10', 'yo:14:127.0.0.2\n', ANY_MEMBER),
  at('W11', 'li?\n', THREE),
  at('W12', 'rt?:3\n', TABLE_OF_3),
  at('W13', 'rt?:9\n', '9:14:127.0.0.2\n11:14:127.0.0.2\n13:14:127.0.0.2\n1:3:127.0.0.1\nend\n'),
  at('W14', 'rt?:14\n', '14:3:127.0.0.1\n0:3:127.0.0.1\n2:3:127.0.0.1\n6:9:127.0.0.2\nend\n'),
  at('W15', 'rt?:4\n', 'ukh\n'),
  at('W16', 'rt?\n', 'wrq\n'),
  at('W17', 'rt?:-1\n', 'wrq\n'),
  at('W18', 'rt?:abc\n', 'wrq\n'),
  at('W19', 'rt?:3:4\n', 'wrq\n'),
  at('W20', 'rt?:3:\n', TABLE_OF_3),
  at('W21', 'ip?:9\n', '127.0.0.2\n'),
  at('W22', 'ip?:4\n', 'ukh\n'),
  at('W23', 'ip?\n', 'wrq\n'),
  at('W24', 'ip?:x\n', 'wrq\n'),
  at('W25', 'ip?:3:3\n', 'wrq\n'),
  at('W26', 'li?:1:2:3\n', THREE),
  at('W27', 'yo:5\n', 'wrq\n'),
  at('W28', 'yo:5:\n', 'wrq\n'),
  at('W29', 'yo::127.0.0.4\n', 'wrq\n'),
  at('W30', 'yo:5:127.0.0.4:99\n', 'wrq\n'),
  at('W31', 'yo:-1:127.0.0.4\n', 'wrq\n'),
  at('W32', 'yo: 5:127.0.0.4\n', 'wrq\n'),
  at('W33', 'yo:2147483648:127.0.0.4\n', 'wrq\n'),
  at('W34', 'yo:5:::1\n', 'wrq\n'),
  at('W35', 'YO:5:127.0.0.4\n', 'wrq\n'),
  at('W36', 'yo:hash(127.0.0.1):127.0.0.1\n', 'wrq\n'),
  at('W37', '\n', 'wrq\n'),
  at('W38, one colon', ':\n', 'wrq\n'),
  at('W38, three colons', ':::\n', 'wrq\n'),
  at('W39', 'hello\n', 'wrq\n'),
  at('W40', 'li? \n', 'wrq\n'),
  at('W41', 'li?\x00\n', 'wrq\n'),
  at('W42', 'li?\r\n', THREE),
  at('W43', 'li?\r', THREE),
  at('W44', 'li?', THREE, true),
  at('W46', '', '', true),
  at('W47', 'ip?:3\nip?:9\n', '127.0.0.1\n'),
  at('W48', 'yo:5:127.0.0.4:::\n', ANY_MEMBER),
  at('W49, no hash', 'a+\n', 'wrq\n'),
  at('W49, no number', 'a+:z\n', 'wrq\n'),
  at('W49, below 0', 'a+:-3\n', 'wrq\n'),
  at('W49, three fields', 'a+:3:127.0.0.1\n', 'wrq\n'),
  at('W50', 'a+:7\n', 'wrq\n'),
  at('W51', 'a+:5\n', 'ok\n'),
  at('W52', 'a+:5\n', 'wrq\n'),
  at('W53', 'a+:14:\n', 'ok\n'),
  at('W54, with a sign', 'yo:+7:127.0.0.7\n', ANY_MEMBER),
  at('W54, the same again', 'yo:007:127.0.0.8\n', 'wrq\n'),
  at('W55', 'ip?:+07\n', '127.0.0.7\n'),
  at('W56', 'yo:-0:127.0.0.10\n', ANY_MEMBER),
  at('W56, which is 0', 'ip?:0\n', '127.0.0.10\n'),
  at('W57', 'yo:\xd9\xa1:127.0.0.11\n', ANY_MEMBER),
  at('W57, which is 1', 'ip?:1\n', '127.0.0.11\n'),
  // W58 and W59 enter ring IDs of 1000 and 2147483647, which a ring of 16 does not have: ours refuses.
  at('W58, not here', 'yo:1000:127.0.0.12\n', 'wrq\n'),
  at('W58, so it has no table', 'rt?:1000\n', 'ukh\n'),
  at('W59, not here', 'yo:2147483647:127.0.0.13\n', 'wrq\n'),
  at('W60', 'yo:8:h\xc3\xa9llo w\xc3\xb6rld\n', ANY_MEMBER),
  at('W60, as it came', 'ip?:8\n', 'h\xc3\xa9llo w\xc3\xb6rld\n'),
];

/** Block B: size 8, members 0, 1, 2 and 4; the host of h is 127.0.0.(10+h). */
export const EXCLUSIVE_SUCCESSORS: readonly Vector[] = [
  at('X1', 'rt?:0\n', '0:1:127.0.0.11\n2:4:127.0.0.14\n4:0:127.0.0.10\nend\n'),
  at('X2', 'rt?:1\n', '1:2:127.0.0.12\n3:4:127.0.0.14\n5:0:127.0.0.10\nend\n'),
  at('X3', 'rt?:2\n', '2:4:127.0.0.14\n4:0:127.0.0.10\n6:0:127.0.0.10\nend\n'),
  at('X4', 'rt?:4\n', '4:0:127.0.0.10\n6:0:127.0.0.10\n0:1:127.0.0.11\nend\n'),
];

const S1 = '0:50:127.0.0.50\n';
const S2 = `${S1}2:50:127.0.0.50\n`;
const S3 = `${S2}4:50:127.0.0.50\n`;
const S4 = `${S3}8:50:127.0.0.50\n16:50:127.0.0.50\n32:50:127.0.0.50\n64:0:127.0.0.1\n`;
const S5 = `${S4}128:0:127.0.0.1\n`;

/** Block C: members 0 (127.0.0.1) and 50 (127.0.0.50); the rows that `rt?:0` gets at each size. */
export const TABLE_SIZES: readonly (readonly [size: number, rows: string])[] = [
  [0, S1],
  [1, S1],
  [2, S1],
  [3, S2],
  [4, S2],
  [5, S3],
  [100, S4],
  [128, S4],
  [129, S5],
];

/** Block D: who is there after these have entered and left, one after the other. */
export const LISTS: readonly {
  readonly title: string;
  readonly size: number;
  readonly entered: readonly number[];
  readonly left?: readonly number[];
  readonly there: readonly number[];
}[] = [
  {
    title: 'L1 to L4',
    size: 100,
    entered: [2, 17, 33, 1, 16, 0, 99, 48, 60, 61, 62, 63, 64],
    left: [60, 61, 62, 63, 64, 99, 48],
    there: [0, 33, 1, 2, 16, 17],
  },
  {
    title: 'L5',
    size: 200_000,
    entered: [65_536, 65_537, 1, 0, 131_072, 3],
    there: [65_537, 0, 65_536, 1, 131_072, 3],
  },
];
