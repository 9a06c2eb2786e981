import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { CheckMethod } from '../../services/binder/core/health-check.js';
import { probe } from '../../services/binder/probe.js';
import { AUTHORITY, LOCAL_CERTIFICATE, OTHER_CERTIFICATE } from '../support/certificates.js';
import { until } from '../support/until.js';
import {
  grpcPlace,
  httpPlace,
  httpsPlace,
  stuckPlace,
  tcpPlace,
  type Place,
} from './probe-places.js';

const PASSED = { hasPassed: true, text: 'passed' };
const TCP: CheckMethod = { kind: 'tcp', port: undefined };
const HTTP = { kind: 'http', path: '/', port: undefined, isTls: false } as const;
const GRPC = { kind: 'grpc', service: '', port: undefined, isTls: false } as const;
const TRUST = { roots: AUTHORITY };

const failedWith = (text: string | RegExp) => ({
  hasPassed: false,
  text: typeof text === 'string' ? text : (expect.stringMatching(text) as string),
});

/** Nothing of a check is left at the other side. */
async function untilLeft(place: Place): Promise<void> {
  await until(() => place.open() === 0 || undefined, 1_000);
}

/** An address where nobody listens. */
async function closedAddress(): Promise<string> {
  const place = await tcpPlace();
  await place[Symbol.asyncDispose]();
  return place.address;
}

/** What keeps this process alive beside the test itself. */
const sockets = (): readonly string[] =>
  process.getActiveResourcesInfo().filter((name) => /^(?:TCP|TLS|Http2)/i.test(name));

afterEach(async () => {
  await until(
    () => sockets().length === 0 || undefined,
    2_000,
    () => sockets().join(),
  );
});

/** Checks, and says how long it took. */
async function timed(address: string, method: CheckMethod, timeoutMs: number) {
  const start = performance.now();
  const outcome = await probe(address, method, timeoutMs);
  return { outcome, tookMs: performance.now() - start };
}

describe('a check by TCP', () => {
  it.each(['127.0.0.1', '::1'])('passes when the port of %s is open', async (host) => {
    await using place = await tcpPlace(undefined, host);
    expect(await probe(place.address, TCP, 2_000)).toEqual(PASSED);
    await untilLeft(place);
  });

  it('looks names up', async () => {
    await using place = await tcpPlace();
    const address = place.address.replace('127.0.0.1', 'localhost');
    expect(await probe(address, TCP, 2_000)).toEqual(PASSED);
    const unknown = await probe('no-such-host.invalid:1', TCP, 5_000);
    expect(unknown).toEqual(failedWith(/^host name (?:unknown|not resolved)$/));
  });

  it('looks at another port when told to', async () => {
    await using place = await tcpPlace();
    const method = { kind: 'tcp', port: Number(place.address.split(':')[1]) } as const;
    expect(await probe('127.0.0.1:1', method, 2_000)).toEqual(PASSED);
  });

  it('fails when the port is closed', async () => {
    const address = await closedAddress();
    expect(await probe(address, TCP, 2_000)).toEqual(failedWith('connection refused'));
  });

  it('fails in time when nobody takes the connection', async () => {
    await using place = await stuckPlace();
    const { outcome, tookMs } = await timed(place.address, TCP, 300);
    expect(outcome).toEqual(failedWith('timed out after 300 ms'));
    expect(tookMs).toBeGreaterThan(290);
    expect(tookMs).toBeLessThan(1_300);
  });

  it.each(['', 'host', 'host:0x1', '[::1', 'a b:1', ':80'])(
    'fails for %j, which is no address',
    async (address) => {
      expect(await probe(address, TCP, 500)).toMatchObject({ hasPassed: false });
    },
  );

  it('fails for port 0, where nobody can be', async () => {
    expect(await probe('127.0.0.1:0', TCP, 500)).toMatchObject({ hasPassed: false });
  });
});

describe('a check by HTTP', () => {
  it.each([
    [200, PASSED],
    [204, PASSED],
    [299, PASSED],
    [302, failedWith('HTTP 302')],
    [404, failedWith('HTTP 404')],
    [503, failedWith('HTTP 503')],
  ])('finds in status %i: %j', async (status, outcome) => {
    await using place = await httpPlace((_request, response) => {
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect(await probe(place.address, HTTP, 2_000)).toEqual(outcome);
    await untilLeft(place);
  });

  it('gets the path that it was told, from the host of the endpoint', async () => {
    const seen: unknown[] = [];
    await using place = await httpPlace(({ method, url, headers, httpVersion }, response) => {
      seen.push({ method, url, host: headers.host, connection: headers.connection, httpVersion });
      response.end('well');
    });
    await probe(place.address, { ...HTTP, path: '/health?deep=1' }, 2_000);
    await probe(place.address, { ...HTTP, path: '' }, 2_000);
    const rest = { method: 'GET', host: place.address, connection: 'close', httpVersion: '1.1' };
    expect(seen).toEqual([
      { url: '/health?deep=1', ...rest },
      { url: '/', ...rest },
    ]);
  });

  it('fails for a path that nobody can ask for', async () => {
    await using place = await httpPlace((_request, response) => void response.end());
    const outcome = await probe(place.address, { ...HTTP, path: '/a b' }, 2_000);
    expect(outcome).toMatchObject({ hasPassed: false });
  });

  it('passes in time when the body never ends', async () => {
    await using place = await httpPlace((_request, response) => {
      response.write('and so on');
    });
    const { outcome, tookMs } = await timed(place.address, HTTP, 300);
    expect(outcome).toEqual(PASSED);
    expect(tookMs).toBeLessThan(1_300);
    await untilLeft(place);
  });

  it('reads no more of a body than it must', async () => {
    await using place = await httpPlace((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const { outcome, tookMs } = await timed(place.address, HTTP, 5_000);
    expect(outcome).toEqual(PASSED);
    expect(tookMs).toBeLessThan(2_000);
    await untilLeft(place);
  });

  it('fails in time when there is no answer', async () => {
    await using silent = await tcpPlace();
    const { outcome, tookMs } = await timed(silent.address, HTTP, 300);
    expect(outcome).toEqual(failedWith('timed out after 300 ms'));
    expect(tookMs).toBeLessThan(1_300);
    await untilLeft(silent);
  });

  it('fails when the connection is refused, closed, or speaks something else', async () => {
    const refused = await probe(await closedAddress(), HTTP, 2_000);
    expect(refused).toEqual(failedWith('connection refused'));
    await using closing = await tcpPlace((socket) => socket.end());
    const closed = failedWith('connection closed without an answer');
    expect(await probe(closing.address, HTTP, 2_000)).toEqual(closed);
    await using other = await tcpPlace((socket) => socket.resume().write('SSH-2.0-OpenSSH\r\n'));
    expect(await probe(other.address, HTTP, 2_000)).toEqual(failedWith('no HTTP there'));
    await untilLeft(other);
  });

  it('passes over TLS only with a certificate that is valid for the host', async () => {
    const https = { ...HTTP, isTls: true };
    await using place = await httpsPlace((_request, response) => void response.end());
    expect(await probe(place.address, https, 2_000, TRUST)).toEqual(PASSED);
    const byName = place.address.replace('127.0.0.1', 'localhost');
    expect(await probe(byName, https, 2_000, TRUST)).toEqual(PASSED);
    const invalid = failedWith(/^certificate not valid: /);
    expect(await probe(place.address, https, 2_000)).toEqual(invalid);
    await using other = await httpsPlace((_, response) => void response.end(), OTHER_CERTIFICATE);
    expect(await probe(other.address, https, 2_000, TRUST)).toEqual(invalid);
    await using plain = await httpPlace((_request, response) => void response.end());
    expect(await probe(plain.address, https, 2_000)).toEqual(failedWith('no TLS there'));
    await untilLeft(place);
  });
});

describe('a check by grpc.health.v1', () => {
  it.each([
    [1, PASSED],
    [2, failedWith('NOT_SERVING')],
    [0, failedWith('UNKNOWN')],
    [3, failedWith('SERVICE_UNKNOWN')],
    [7, failedWith('serving status 7')],
  ])('finds in serving status %i: %j', async (status, outcome) => {
    await using place = await grpcPlace((_call, done) => done(null, { status }));
    expect(await probe(place.address, GRPC, 2_000)).toEqual(outcome);
    await untilLeft(place);
  });

  it('asks for the service that it was told', async () => {
    await using place = await grpcPlace(({ request }, done) => {
      if (request.service === 'shop.Orders') done(null, { status: 1 });
      else done({ code: 5, details: 'unknown service' });
    });
    const method = { ...GRPC, service: 'shop.Orders' };
    expect(await probe(place.address, method, 2_000)).toEqual(PASSED);
    const other = await probe(place.address, { ...GRPC, service: 'x' }, 2_000);
    expect(other).toEqual(failedWith('NOT_FOUND: no service "x" there'));
  });

  it('fails when there is no health service, or it refuses', async () => {
    await using without = await grpcPlace();
    const missing = failedWith('UNIMPLEMENTED: no grpc.health.v1 there');
    expect(await probe(without.address, GRPC, 2_000)).toEqual(missing);
    await using refusing = await grpcPlace((_call, done) =>
      done({ code: 7, details: 'nöt for you\u001b[31m' }),
    );
    const refused = failedWith('PERMISSION_DENIED: nöt for you [31m');
    expect(await probe(refusing.address, GRPC, 2_000)).toEqual(refused);
  });

  it('fails in time when there is no answer', async () => {
    await using hanging = await grpcPlace(() => undefined);
    await using silent = await tcpPlace();
    await using stuck = await stuckPlace();
    for (const place of [hanging, silent, stuck]) {
      const { outcome, tookMs } = await timed(place.address, GRPC, 300);
      expect(outcome).toEqual(failedWith('timed out after 300 ms'));
      expect(tookMs).toBeLessThan(1_300);
      await untilLeft(place);
    }
  });

  it('fails when the connection is refused, closed, or speaks something else', async () => {
    const refused = await probe(await closedAddress(), GRPC, 2_000);
    expect(refused).toEqual(failedWith('connection refused'));
    await using closing = await tcpPlace((socket) => socket.end());
    const closed = failedWith(/^connection closed without an answer$/);
    expect(await probe(closing.address, GRPC, 2_000)).toEqual(closed);
    await using http = await httpPlace((_request, response) => void response.end());
    expect(await probe(http.address, GRPC, 2_000)).toMatchObject({ hasPassed: false });
    await untilLeft(http);
  });

  it('passes over TLS only with a certificate that is valid for the host', async () => {
    const tls = { ...GRPC, isTls: true };
    const serving = (_call: unknown, done: (error: null, response: { status: number }) => void) =>
      done(null, { status: 1 });
    await using place = await grpcPlace(serving, LOCAL_CERTIFICATE);
    expect(await probe(place.address, tls, 2_000, TRUST)).toEqual(PASSED);
    const invalid = failedWith(/^certificate not valid: /);
    expect(await probe(place.address, tls, 2_000)).toEqual(invalid);
    await using other = await grpcPlace(serving, OTHER_CERTIFICATE);
    expect(await probe(other.address, tls, 2_000, TRUST)).toEqual(invalid);
    expect(await probe(place.address, GRPC, 2_000)).toMatchObject({ hasPassed: false });
  });
});

describe('a check by nothing', () => {
  it('passes without a look', async () => {
    expect(await probe(await closedAddress(), { kind: 'none' }, 500)).toEqual(PASSED);
  });
});

describe('a check by a dialect', () => {
  const LIEUR = { kind: 'legacy', dialect: 'lieur' } as const;

  /** A service that gives this answer to whatever it is asked. */
  async function service(answer: number): Promise<AsyncDisposable & { readonly address: string }> {
    const socket = createSocket('udp4');
    socket.on('message', (_, { address, port }) =>
      socket.send(Uint8Array.of(answer), port, address),
    );
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const close = async (): Promise<void> => void socket.close();
    return { address: `127.0.0.1:${socket.address().port}`, [Symbol.asyncDispose]: close };
  }

  it('passes when the service says that it exists', async () => {
    await using alive = await service(0x0c);
    expect(await probe(alive.address, LIEUR, 1_000)).toEqual(PASSED);
  });

  it('fails on another answer, on none, and for a dialect without a check', async () => {
    await using strange = await service(0x06);
    expect(await probe(strange.address, LIEUR, 300)).toEqual(failedWith('no answer'));
    expect((await probe('127.0.0.1:1', LIEUR, 300)).hasPassed).toBe(false);
    const klingon = { kind: 'legacy', dialect: 'klingon' } as const;
    expect(await probe(strange.address, klingon, 300)).toEqual(
      failedWith('no check for the dialect klingon'),
    );
  });
});

describe('many checks at once', () => {
  it('leave nothing behind', async () => {
    await using well = await grpcPlace((_call, done) => done(null, { status: 1 }));
    await using silent = await tcpPlace();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, async (_, index) =>
        probe(index % 2 === 0 ? well.address : silent.address, GRPC, 1_500),
      ),
    );
    expect(outcomes.filter(({ hasPassed }) => hasPassed)).toHaveLength(100);
    await untilLeft(well);
    await untilLeft(silent);
  });
});
