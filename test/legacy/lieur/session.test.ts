import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionNote, Source } from '../../../services/legacy/core/session.js';
import { isForOriginals, LIEUR, LIST_MAX } from '../../../services/legacy/lieur/codec.js';
import {
  LIEUR_LIMITS,
  LieurSession,
  type LieurSocket,
} from '../../../services/legacy/lieur/session.js';

const CLIENT: Source = { host: '127.0.0.1', port: 4_000 };
const SERVICE: Source = { host: '127.0.0.1', port: 12_345 };
const BINDER: Source = { host: '127.0.0.1', port: 2_222 };
const RATES = { perSecond: 1e6, burst: 1e6, hostsMax: 1_000 };

/** A session on a time that a test moves, beside a BinderService that does what it is told at once. */
class Bench {
  nowMs = 0;
  readonly sent: { readonly socket: LieurSocket; readonly to: Source; readonly hex: string }[] = [];
  readonly notes: SessionNote[] = [];
  readonly registered = new Map<string, number>();
  readonly reported: string[] = [];
  readonly session: LieurSession;

  constructor(binders: readonly Source[] = [], names: readonly (readonly [number, string])[] = []) {
    this.session = new LieurSession({
      clock: { steadyMs: () => this.nowMs },
      send: (socket, to, bytes) =>
        this.sent.push({ socket, to, hex: Buffer.from(bytes).toString('hex') }),
      calls: {
        register: (service, address, _ttlMs, done) => {
          const key = `${service} ${address}`;
          const isNews = !this.registered.has(key);
          this.registered.set(key, (this.registered.get(key) ?? 0) + 1);
          if (isNews) this.session.changed({ kind: 'added', service, address });
          done(true);
        },
        report: (service, address) => this.reported.push(`${service} ${address}`),
      },
      note: (note) => this.notes.push(note),
      options: { binders, names: new Map(names), rates: RATES },
    });
  }

  /** Sends in, and takes what came out. */
  tell(from: Source, hex: string, socket: LieurSocket = 'main'): readonly string[] {
    this.session.received(socket, from, Buffer.from(hex, 'hex'));
    return this.take();
  }

  take(): readonly string[] {
    return this.sent.splice(0).map(({ to, hex }) => `${to.port} ${hex}`);
  }

  pass(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += 50;
      this.session.tick();
    }
  }

  removed(address: string, service = 'legacy-1'): void {
    this.registered.delete(`${service} ${address}`);
    this.session.changed({ kind: 'removed', service, address });
  }
}

describe('a binder for original clients and services', () => {
  it('takes a subscription, confirms it, and hands it out in turn', () => {
    const bench = new Bench();
    expect(bench.tell(SERVICE, '0501')).toEqual(['12345 06']);
    expect([...bench.registered.keys()]).toEqual(['legacy-1 127.0.0.1:12345']);
    bench.tell({ host: '127.0.0.1', port: 12_347 }, '0501');
    const turns = Array.from({ length: 4 }, () => bench.tell(CLIENT, '0201')[0]);
    expect(turns).toEqual([
      '4000 03017f0000013930',
      '4000 03017f0000013b30',
      '4000 03017f0000013930',
      '4000 03017f0000013b30',
    ]);
  });

  it('says that a service does not exist', () => {
    expect(new Bench().tell(CLIENT, '0201')).toEqual(['4000 04']);
  });

  it('answers a contact by what was received, and no more (L9)', () => {
    expect(new Bench().tell(CLIENT, '000401010101')).toEqual(['4000 010401010101']);
  });

  it('takes a repeated subscription once (L2)', () => {
    const bench = new Bench([BINDER]);
    expect(bench.tell(SERVICE, '0501')).toEqual(['2222 09017f0000013930', '12345 06']);
    expect(bench.tell(SERVICE, '0501')).toEqual(['12345 06']);
    expect(bench.session.size).toBe(1);
  });

  it('renews what has subscribed, and stops when it was removed', () => {
    const bench = new Bench();
    bench.tell(SERVICE, '0501');
    bench.pass(LIEUR_LIMITS.ttlMs);
    const renewals = bench.registered.get('legacy-1 127.0.0.1:12345')!;
    expect(renewals).toBeGreaterThanOrEqual(3);
    bench.removed('127.0.0.1:12345');
    bench.pass(LIEUR_LIMITS.ttlMs);
    expect(bench.registered.size).toBe(0);
    expect(bench.tell(CLIENT, '0201')).toEqual(['4000 04']);
  });

  it('hands out what others have registered, where an original can use it (L1)', () => {
    const bench = new Bench();
    for (const address of ['10.0.0.1:32768', '[::1]:80', '10.0.0.2:80']) {
      bench.session.changed({ kind: 'added', service: 'legacy-1', address });
    }
    expect([bench.tell(CLIENT, '0201'), bench.tell(CLIENT, '0201')]).toEqual([
      ['4000 03010a0000025000'],
      ['4000 03010a0000025000'],
    ]);
  });

  it('knows services by the names that are configured', () => {
    const bench = new Bench([], [[7, 'printers']]);
    bench.tell(SERVICE, '0507');
    expect([...bench.registered.keys()]).toEqual(['printers 127.0.0.1:12345']);
    bench.session.changed({ kind: 'added', service: 'legacy-7', address: '10.0.0.2:80' });
    expect(bench.session.size).toBe(1);
  });

  it('looks into complaints about what it knows, and no others', () => {
    const bench = new Bench();
    bench.tell(SERVICE, '0501');
    bench.tell(CLIENT, '04017f0000013930');
    bench.tell(CLIENT, '04017f0000013b30');
    expect(bench.reported).toEqual(['legacy-1 127.0.0.1:12345']);
  });

  it.each(['', '02', '05', '04017f00', '09017f', 'ff', '63', '0b', '0c', '03017f0000013b30'])(
    'answers nothing to %s (L8)',
    (hex) => {
      const bench = new Bench();
      expect(bench.tell(CLIENT, hex)).toEqual([]);
      expect(bench.registered.size).toBe(0);
    },
  );
});

describe('a binder among original binders', () => {
  it('asks them for their lists at the start and every minute, and believes those only', () => {
    const bench = new Bench([BINDER]);
    bench.pass(100);
    expect(bench.take()).toEqual(['2222 07']);
    bench.tell(CLIENT, '0801017f0000013b30');
    expect(bench.registered.size).toBe(0);
    bench.tell(BINDER, '0802017f0000013b30020a000009409c');
    expect([...bench.registered.keys()]).toEqual(['legacy-1 127.0.0.1:12347']);
    bench.pass(60_000);
    expect(bench.take()).toEqual(['2222 07']);
  });

  it('takes their additions, and tells them back to nobody', () => {
    const bench = new Bench([BINDER]);
    expect(bench.tell(BINDER, '09017f0000013930')).toEqual([]);
    expect(bench.tell(CLIENT, '0201')).toEqual(['4000 03017f0000013930']);
  });

  it('looks at what they remove before it does the same', () => {
    const bench = new Bench([BINDER]);
    bench.tell(BINDER, '09017f0000013930');
    bench.tell(BINDER, '0a017f0000013930');
    expect(bench.reported).toEqual(['legacy-1 127.0.0.1:12345']);
    expect(bench.tell(CLIENT, '0201')).toEqual(['4000 03017f0000013930']);
    bench.removed('127.0.0.1:12345');
    expect(bench.take()).toEqual(['2222 0a017f0000013930']);
  });

  it('tells them of what is registered over gRPC', () => {
    const bench = new Bench([BINDER]);
    bench.session.changed({ kind: 'added', service: 'legacy-1', address: '10.0.0.2:80' });
    expect(bench.take()).toEqual(['2222 09010a0000025000']);
    bench.removed('10.0.0.2:80');
    expect(bench.take()).toEqual(['2222 0a010a0000025000']);
  });

  it('does not take what is local to another host (L13)', () => {
    const remote = { host: '10.0.0.7', port: 2_222 };
    const bench = new Bench([remote]);
    bench.tell(remote, '0801017f0000013b30');
    expect(bench.registered.size).toBe(0);
  });

  it('gives its list, with 100 records at most (L3), and to no source for ever', () => {
    const bench = new Bench();
    for (let index = 0; index < 150; index += 1) {
      const address = `10.0.${index >> 4}.${index & 15}:80`;
      bench.session.changed({ kind: 'added', service: 'legacy-1', address });
    }
    const lists = Array.from({ length: 5 }, () => bench.tell(CLIENT, '07')).flat();
    expect(lists.map((line) => (line.length - 5) / 2)).toEqual([702, 702, 702]);
  });
});

describe('a verification', () => {
  it('is one byte from the verification port, and its answer counts from there only (L5, L6)', () => {
    const bench = new Bench();
    const results: boolean[] = [];
    bench.session.verify(SERVICE, (isAlive) => results.push(isAlive));
    bench.session.verify(SERVICE, (isAlive) => results.push(isAlive));
    expect(bench.sent).toEqual([{ socket: 'verification', to: SERVICE, hex: '0b' }]);
    bench.tell(CLIENT, '0c', 'verification');
    bench.tell(SERVICE, '0c', 'main');
    bench.tell(SERVICE, '02', 'verification');
    expect(results).toEqual([]);
    bench.tell(SERVICE, '0c', 'verification');
    expect(results).toEqual([true, true]);
  });

  it('fails after two seconds of silence, and delays nobody', () => {
    const bench = new Bench();
    bench.tell(SERVICE, '0501');
    const results: boolean[] = [];
    bench.session.verify(SERVICE, (isAlive) => results.push(isAlive));
    bench.take();
    expect(bench.tell(CLIENT, '0201')).toEqual(['4000 03017f0000013930']);
    bench.pass(1_900);
    expect(results).toEqual([]);
    bench.pass(200);
    expect(results).toEqual([false]);
  });
});

describe('whatever comes', () => {
  it('is survived, within bounds, and answered with nothing that harms an original', () => {
    const vectors = [
      '0201',
      '0501',
      '07',
      '09017f0000013930',
      '04017f0000013930',
      '0802017f0000013b30020a000009409c',
      '000401010101',
      '0a017f0000016eb2',
      '0b',
      '0c',
    ];
    const mutated = fc
      .tuple(
        fc.constantFrom(...vectors),
        fc.array(fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 255 })), { maxLength: 3 }),
        fc.nat({ max: 20 }),
      )
      .map(([hex, changes, cut]) => {
        const bytes = Buffer.from(hex, 'hex');
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes.subarray(0, Math.max(0, bytes.length - (cut > 10 ? cut - 10 : 0)));
      });
    const datagram = fc.oneof(mutated, fc.uint8Array({ maxLength: 300 }));
    const from = fc.record({
      host: fc.constantFrom('127.0.0.1', '10.0.0.3', '192.168.1.9'),
      port: fc.constantFrom(1, 2_222, 12_345, 40_000, 65_535),
    });
    const bench = new Bench([BINDER]);
    fc.assert(
      fc.property(
        fc.constantFrom('main' as const, 'verification' as const),
        from,
        datagram,
        (socket, source, bytes) => {
          bench.nowMs += 10;
          bench.session.received(socket, source, bytes);
          bench.session.tick();
          expect(bench.session.size).toBeLessThanOrEqual(LIEUR_LIMITS.entriesMax);
          for (const { hex } of bench.sent.splice(0)) {
            const decoded = LIEUR.decode(Buffer.from(hex, 'hex'));
            if (decoded.kind !== 'message') throw new Error(`sent ${hex}`);
            const { message } = decoded;
            if ('entry' in message) expect(isForOriginals(message.entry)).toBe(true);
            if (message.kind === 'list') {
              expect(message.entries.length).toBeLessThanOrEqual(LIST_MAX);
              expect(message.entries.every(isForOriginals)).toBe(true);
            }
          }
        },
      ),
      { numRuns: 50_000 },
    );
    expect(bench.tell(CLIENT, '02fe').length).toBe(1);
  }, 60_000);

  it('is limited for each source', () => {
    const notes: SessionNote[] = [];
    const sent: unknown[] = [];
    const session = new LieurSession({
      clock: { steadyMs: () => 0 },
      send: (...all) => sent.push(all),
      calls: { register: () => undefined, report: () => undefined },
      note: (note) => notes.push(note),
      options: { binders: [], names: new Map(), rates: { perSecond: 1, burst: 2, hostsMax: 10 } },
    });
    for (let index = 0; index < 5; index += 1)
      session.received('main', CLIENT, Uint8Array.of(2, 1));
    expect(sent).toHaveLength(2);
    expect(notes.filter(({ what }) => what === 'limited')).toHaveLength(3);
  });
});
