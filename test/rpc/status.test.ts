import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { BadRequest, RequestInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { ERRORS, type ErrorReason, RingbinderError } from '../../services/errors.js';
import { reasonOf, toServiceError } from '../../services/rpc/status.js';

const full = new RingbinderError(
  'RING_FORMING',
  'the ring takes in one peer at a time; join again in 1500 ms',
  { waitMs: '1500' },
  { retryAfterMs: 1_500 },
);

function detailsOf(error: RingbinderError, requestId?: string) {
  const [bytes] = toServiceError(error, requestId).metadata.get('grpc-status-details-bin');
  return Status.decode(bytes as Buffer);
}

function detail(error: RingbinderError, name: string, requestId?: string) {
  const url = `type.googleapis.com/google.rpc.${name}`;
  return detailsOf(error, requestId).details.find(({ typeUrl }) => typeUrl === url)?.value;
}

/** As they go over the wire: names, values, and 32 bytes for each, as HTTP/2 counts them. */
function trailerBytes(error: RingbinderError): number {
  const { details, metadata } = toServiceError(error, 'r'.repeat(64));
  const headers = { ...metadata.toHttp2Headers(), 'grpc-message': encodeURI(details) };
  return Object.entries(headers).reduce(
    (bytes, [name, value]) => bytes + 32 + name.length + String(value).length,
    0,
  );
}

describe('toServiceError', () => {
  it.each(Object.keys(ERRORS) as ErrorReason[])('gives %s its status and reason', (reason) => {
    const error = toServiceError(new RingbinderError(reason, 'text', { key: 'value' }));
    expect(error.code).toBe(status[ERRORS[reason].status]);
    expect(error.details).toContain(`[${reason}] `);
    expect(reasonOf(error)).toMatchObject({ reason });
  });

  it('gives reasonOf all that it needs', () => {
    expect(reasonOf(toServiceError(full))).toEqual({
      reason: 'RING_FORMING',
      facts: { waitMs: '1500' },
      retryAfterMs: 1_500,
      violations: [],
    });
  });

  it('takes the status of the error where it is not that of the reason', () => {
    const error = new RingbinderError('PEER_NOT_MEMBER', 'x', {}, { status: 'NOT_FOUND' });
    expect(toServiceError(error).code).toBe(status.NOT_FOUND);
    expect(detailsOf(error).code).toBe(status.NOT_FOUND);
  });

  it('names the fields that break a rule', () => {
    const violations = [{ field: 'address', description: 'must be at least 1 bytes' }];
    const error = new RingbinderError('REQUEST_INVALID', 'x', {}, { violations });
    const { fieldViolations } = BadRequest.decode(detail(error, 'BadRequest')!);
    expect(fieldViolations).toEqual([expect.objectContaining(violations[0])]);
  });

  it('carries the request ID as a detail and as metadata', () => {
    const value = detail(full, 'RequestInfo', 'id-1')!;
    expect(RequestInfo.decode(value).requestId).toBe('id-1');
    expect(toServiceError(full, 'id-1').metadata.get('x-request-id')).toEqual(['id-1']);
  });

  it('tells nothing of an INTERNAL error', () => {
    const error = new RingbinderError('INTERNAL', 'no file /secret', { path: '/secret' });
    const sent = JSON.stringify([toServiceError(error), detailsOf(error)]);
    expect(sent).not.toContain('secret');
    expect(reasonOf(toServiceError(error))).toMatchObject({ reason: 'INTERNAL', facts: {} });
  });

  it.each([
    { title: 'Latin', letter: 'x' },
    { title: 'Chinese', letter: '漢' },
    { title: 'outside the plane', letter: '\u{1F600}' },
    { title: 'of half a pair', letter: '\uD83D' },
    { title: 'of control characters', letter: '\n' },
    { title: 'to be escaped', letter: '%' },
  ])('stays below 8 KiB and valid with long texts $title', ({ letter }) => {
    const long = letter.repeat(5_000);
    const facts = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key${i}`, long]));
    const violations = Array.from({ length: 50 }, () => ({ field: long, description: long }));
    const error = new RingbinderError('REQUEST_INVALID', long, facts, { violations });
    expect(trailerBytes(error)).toBeLessThan(8_192);
    const refusal = reasonOf(toServiceError(error))!;
    expect(refusal.facts['key0']!.length).toBeLessThanOrEqual(201);
    expect(refusal.violations.length).toBeGreaterThan(0);
  });

  it('keeps text in any language', () => {
    const error = toServiceError(new RingbinderError('PEER_BUSY', 'é 漢 \u{1F600}', { a: '漢' }));
    expect(error.details).toBe('[PEER_BUSY] é 漢 \u{1F600}');
    expect(reasonOf(error)?.facts).toEqual({ a: '漢' });
  });
});

describe('reasonOf', () => {
  const withDetails = (bytes: Buffer) => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', bytes);
    return { metadata };
  };

  it('finds nothing in an error without details', () => {
    expect(reasonOf({ metadata: new Metadata() })).toBeUndefined();
  });

  it('finds nothing in damaged details', () => {
    const [bytes] = toServiceError(full).metadata.get('grpc-status-details-bin');
    for (let end = 0; end < bytes!.length; end += 1) {
      const cut = Buffer.from(bytes as Buffer).subarray(0, end);
      expect(() => reasonOf(withDetails(cut))).not.toThrow();
    }
    expect(reasonOf(withDetails(Buffer.from([0x1a, 0xff])))).toBeUndefined();
  });

  it('finds nothing in the details of another domain', () => {
    const { details, ...rest } = detailsOf(full);
    const foreign = details.map(({ typeUrl, value }) => ({
      typeUrl,
      value: Buffer.from(value.toString('latin1').replace('ringbinder', 'otherthing'), 'latin1'),
    }));
    const bytes = Buffer.from(Status.encode({ ...rest, details: foreign }).finish());
    expect(reasonOf(withDetails(bytes))).toBeUndefined();
  });
});
