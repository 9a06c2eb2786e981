/** What a check has found, in a few words for people. */
import type { CheckOutcome } from '../core/health-check.js';

export const PASSED: CheckOutcome = { hasPassed: true, text: 'passed' };

/** What others have said comes into the text, so it is cut and freed of what a terminal would obey. */
export function failed(text: string): CheckOutcome {
  const printable = text.replace(/\p{Cc}+/gu, ' ').trim();
  const isLong = printable.length > TEXT_LENGTH_MAX;
  return {
    hasPassed: false,
    text: isLong ? `${printable.slice(0, TEXT_LENGTH_MAX - 1)}…` : printable,
  };
}

const TEXT_LENGTH_MAX = 200;

/** What an error of a connection means. */
export function failedBy(error: Error & { readonly code?: unknown }): CheckOutcome {
  const code = typeof error.code === 'string' ? error.code : '';
  const known = TEXTS.find(([pattern]) => pattern.test(code));
  if (known === undefined) return failed(error.message === '' ? code : error.message);
  const [, text, tellsMore = false] = known;
  return failed(tellsMore ? `${text}: ${error.message}` : text);
}

/** By the codes of Node.js; the certificate's are those of OpenSSL. */
const TEXTS: readonly (readonly [code: RegExp, text: string, tellsMore?: boolean])[] = [
  [/^ECONNREFUSED$/, 'connection refused'],
  [/^ECONNRESET$|^EPIPE$|^ERR_STREAM_PREMATURE_CLOSE$/, 'connection closed without an answer'],
  [/^ETIMEDOUT$|^ERR_SOCKET_CONNECTION_TIMEOUT$/, 'no answer to the connection'],
  [/^EHOSTUNREACH$/, 'host unreachable'],
  [/^ENETUNREACH$|^EADDRNOTAVAIL$|^EINVAL$/, 'network unreachable'],
  [/^ENOTFOUND$/, 'host name unknown'],
  [/^EAI_/, 'host name not resolved'],
  [/^EMFILE$|^ENFILE$/, 'this binder has too many connections open'],
  [/^HPE_/, 'no HTTP there'],
  [/^ERR_SSL_|^EPROTO$/, 'no TLS there'],
  [
    /^(?:CERT|CRL|UNABLE|DEPTH_ZERO|SELF_SIGNED|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME)_|^ERR_TLS_CERT_/,
    'certificate not valid',
    true,
  ],
  [/^ERR_HTTP2_/, 'no gRPC there', true],
];
