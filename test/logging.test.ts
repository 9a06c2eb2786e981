import { describe, expect, it } from 'vitest';
import { RingbinderError } from '../services/errors.js';
import { createLogger } from '../services/logging.js';
import { captureLog } from './support/capture-log.js';

describe('createLogger', () => {
  it('writes a line of JSON with level, time, process and component', () => {
    const { log, lines } = captureLog();
    log.child({ component: 'welcome' }).info({ ringId: 7 }, 'admitted a peer');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
        pid: process.pid,
        component: 'welcome',
        ringId: 7,
        msg: 'admitted a peer',
      },
    ]);
  });

  it('leaves out what is below its level', () => {
    const written: string[] = [];
    const log = createLogger({
      level: 'warn',
      destination: { write: (line) => void written.push(line) },
    });
    log.info('nothing');
    log.warn('something');
    expect(written).toHaveLength(1);
  });

  it('hides what opens doors and what users store, at any depth', () => {
    const { log, lines } = captureLog();
    const hidden = { token: 'T', joinToken: 'T', secret: 'T', Password: 'T', payload: 'T' };
    log.info({ ...hidden, deep: { list: [{ value: 'T', key: 'k' }], ...hidden } }, 'done');
    log.child({ token: 'T', value: 'T' }).info('done');
    expect(JSON.stringify(lines())).not.toContain('"T"');
    expect(lines()[0]).toMatchObject({
      token: '[redacted]',
      deep: { list: [{ value: '[redacted]', key: 'k' }] },
    });
  });

  it('leaves what it was given as it was', () => {
    const { log } = captureLog();
    const fields = { token: 'T', deep: { secret: 'T' } };
    log.info(fields, 'done');
    expect(fields).toEqual({ token: 'T', deep: { secret: 'T' } });
  });

  it('shows an error with its cause, and hides what it carries', () => {
    const { log, lines } = captureLog();
    const cause = Object.assign(new Error('disk full'), { payload: 'T' });
    const err = new RingbinderError('PEER_BUSY', 'busy', { secret: 'T', ringId: '7' }, { cause });
    log.error({ err, others: [cause] }, 'failed');
    log.error(err);
    expect(lines()[0]).toMatchObject({
      err: {
        type: 'RingbinderError',
        message: '[PEER_BUSY] busy: disk full',
        stack: expect.stringContaining('caused by: Error: disk full') as unknown,
        reason: 'PEER_BUSY',
        facts: { secret: '[redacted]', ringId: '7' },
      },
      others: [{ message: 'disk full', payload: '[redacted]' }],
    });
    expect(lines()[1]).toMatchObject({ err: { reason: 'PEER_BUSY' } });
    expect(JSON.stringify(lines())).not.toContain('"T"');
  });

  it('counts bytes, ends in a cycle, and takes any other value', () => {
    const { log, lines } = captureLog();
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const since = new Date(0);
    log.info({ bytes: new Uint8Array(12), cycle, since, none: null, version: 2n ** 60n }, 'done');
    expect(lines()[0]).toMatchObject({
      bytes: '[12 bytes]',
      since: '1970-01-01T00:00:00.000Z',
      none: null,
    });
    expect(JSON.stringify(lines()[0])).toContain('[too deep]');
  });
});
