/** What the dashboard's server lets in, how much of it, and what becomes of those that do not read. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RingbinderError } from '../../services/errors.js';
import type { DashboardServer } from '../../services/dashboard/server.js';
import { SharedAnswer } from '../../services/dashboard/shared-answer.js';
import { FakeClock } from '../support/fake-clock.js';
import { evenRing, openDashboard } from '../support/scripted-dashboard.js';
import { until } from '../support/until.js';

let server: DashboardServer | undefined;
const open = async (...args: Parameters<typeof openDashboard>): Promise<string> => {
  server = await openDashboard(...args);
  return `http://${server.address}`;
};

afterEach(async () => server?.close());

const refusalOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { reason: string }).reason,
];

describe('the dashboard server', () => {
  it('sends its files with headers that keep all else out', async () => {
    const bytes = Buffer.from('a page');
    const url = await open({}, {}, new Map([['/', { type: 'text/html', bytes }]]));
    const response = await fetch(`${url}/?x=1`);
    expect(await response.text()).toBe('a page');
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('refuses other paths, other methods, other hosts and what is no path', async () => {
    const url = await open({});
    expect(await refusalOf(await fetch(`${url}/etc/passwd`))).toEqual([404, 'PATH_UNKNOWN']);
    expect(await refusalOf(await fetch(`${url}/api/constructor`))).toEqual([404, 'PATH_UNKNOWN']);
    const posted = await fetch(`${url}/api/ring`, { method: 'POST', body: 'x' });
    expect(posted.headers.get('allow')).toBe('GET');
    expect(await refusalOf(posted)).toEqual([405, 'METHOD_UNKNOWN']);
    expect(await statusWith(url, { host: 'evil.example' })).toBe(421);
    expect(await statusWith(url, { host: 'localhost:80' })).toBe(404);
    expect(await statusWith(url, {}, ':99999999/')).toBe(400);
  });

  it('gives a refusal of a service the status that fits', async () => {
    const refusal = new RingbinderError('PEER_UNREACHABLE', 'nobody there');
    const url = await open({
      trace: async () => Promise.reject(refusal),
      key: async () => Promise.reject(new Error('a fault')),
    });
    const response = await fetch(`${url}/api/trace?key=a`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ reason: 'PEER_UNREACHABLE', text: 'nobody there' });
    expect(await refusalOf(await fetch(`${url}/api/key?key=a`))).toEqual([500, 'INTERNAL']);
  });

  it('refuses a ring ID that is none', async () => {
    const url = await open({});
    const path = '/api/trace?key=a&from=-1';
    expect(await refusalOf(await fetch(url + path))).toEqual([400, 'REQUEST_INVALID']);
  });

  it('answers only so many questions at once', async () => {
    const answers: (() => void)[] = [];
    const slow = async (): Promise<never> => {
      await new Promise<void>((resolve) => answers.push(resolve));
      throw new RingbinderError('PEER_BUSY', 'later');
    };
    const url = await open({ trace: slow }, { questionsMax: 2 });
    const first = [fetch(`${url}/api/trace?key=a`), fetch(`${url}/api/trace?key=b`)];
    await until(() => (answers.length === 2 ? true : undefined), 5_000);
    const third = await fetch(`${url}/api/trace?key=c`);
    expect(third.headers.get('retry-after')).toBe('1');
    expect(await refusalOf(third)).toEqual([503, 'DASHBOARD_BUSY']);
    for (const answer of answers) answer();
    await Promise.all(first);
    expect((await fetch(`${url}/api/stats`)).status).toBe(200);
  });

  it('tells only so many pages of events, and takes another when one has gone', async () => {
    const waiting = async function* (signal: AbortSignal) {
      yield { name: 'snapshot', data: { views: evenRing(1), unreachable: [] } } as const;
      await once(signal, 'abort');
    };
    const url = await open({ watch: waiting }, { streamsMax: 1 });
    const leaving = new AbortController();
    const first = await fetch(`${url}/api/events`, { signal: leaving.signal });
    expect(first.status).toBe(200);
    const second = await fetch(`${url}/api/events`);
    expect(await refusalOf(second)).toEqual([503, 'DASHBOARD_BUSY']);
    leaving.abort();
    let third = second;
    while (third.status === 503) third = await fetch(`${url}/api/events`);
    expect(third.status).toBe(200);
    await third.body?.cancel();
  });

  it('says why a stream of events ends, last of all', async () => {
    const failing = async function* () {
      yield { name: 'heartbeat', data: {} } as const;
      throw new RingbinderError('NODE_STOPPING', 'bye');
    };
    const url = await open({ watch: failing });
    const text = await (await fetch(`${url}/api/events`)).text();
    const names = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    expect(names[0]).toBe('node');
    expect(names.at(-1)).toBe('refusal');
    expect(text).toContain('"reason":"NODE_STOPPING"');
  });

  it('cuts off a page that does not read, and asks for no more than it reads', async () => {
    let given = 0;
    let hasEnded = false;
    const views = evenRing(300);
    const endless = async function* () {
      try {
        for (; ; given += 1) {
          yield { name: 'snapshot', data: { views, unreachable: [] } } as const;
        }
      } finally {
        hasEnded = true;
      }
    };
    const url = await open({ watch: endless }, { slowReaderMs: 200 });
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    await once(socket, 'connect');
    socket.pause();
    socket.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => (hasEnded ? true : undefined), 5_000);
    expect(given).toBeLessThan(100);
    socket.destroy();
  });
});

describe('a shared answer', () => {
  it('serves all who ask about the same time, and a failure nobody later', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const answer = new SharedAnswer(
      async () => {
        asked += 1;
        if (asked === 2) throw new Error('not now');
        return asked;
      },
      clock,
      1_000,
    );
    expect(await Promise.all([answer.get(), answer.get()])).toEqual([1, 1]);
    clock.advance(1_000);
    await expect(answer.get()).rejects.toThrow('not now');
    expect(await answer.get()).toBe(3);
  });
});

/** The status that one gets who writes its own headers, or its own path. */
async function statusWith(
  url: string,
  headers: Readonly<Record<string, string>>,
  path = '/nothing',
): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  const request = httpRequest({ hostname, port, path, headers }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}
