/** What the sessions of legacy dialects call, on the applications of this node. */
import type { BinderApplication } from '../binder/application.js';
import type { TableApplication } from '../dht/application.js';
import { RingbinderError } from '../errors.js';
import { assertPassword } from '../dht/stop-password.js';
import type { BinderCalls, HolderCalls, StopCalls, ValueCalls } from '../legacy/core/session.js';

/** How an endpoint of an original service is checked, which is when somebody complains. */
const LIEUR_CHECK = {
  method: { kind: 'legacy', dialect: 'lieur' },
  intervalMs: 60_000,
  timeoutMs: 2_000,
  healthyThreshold: 1,
  unhealthyThreshold: 1,
  removalThreshold: 3,
} as const;

/** As many copies as the node has configured. */
const DEFAULT_QUORUM = 0;

export function binderCalls(binder: BinderApplication): BinderCalls {
  return {
    register: (service, address, ttlMs, done) => {
      const registration = { service, address, ttlMs, metadata: {}, check: LIEUR_CHECK };
      settle(binder.keep(registration), done);
    },
    report: (service, address) => settle(binder.report(service, address), () => undefined),
  };
}

export function holderCalls(table: TableApplication): HolderCalls {
  return {
    announce: (key, address, ttlMs, done) =>
      settle(table.announce(key, address, ttlMs, DEFAULT_QUORUM), done),
    list: (key, countMax, done) => {
      table.holders(key, countMax, '', DEFAULT_QUORUM).then(
        ({ holders }) => done(holders.flatMap(({ address }) => address ?? [])),
        () => done(undefined),
      );
    },
  };
}

export function valueCalls(table: TableApplication): ValueCalls {
  return {
    put: (key, value, ttlMs, done) => settle(table.put(key, value, ttlMs, DEFAULT_QUORUM), done),
    get: (key, found) => {
      table.get(key, DEFAULT_QUORUM).then(
        ({ record }) => found(record.content.kind === 'value' ? record.content.bytes : null),
        (thrown: unknown) =>
          found(RingbinderError.from(thrown).reason === 'KEY_NOT_FOUND' ? null : undefined),
      );
    },
    want: (key, changed) => {
      const end = new AbortController();
      void follow(table, key, end.signal, changed);
      return () => end.abort();
    },
  };
}

/** Stops the node when the password is right. */
export function stopCalls(expected: string | undefined, stop: () => void): StopCalls {
  return {
    stopServer: (password, done) => {
      try {
        assertPassword(password, expected);
      } catch {
        done(false);
        return;
      }
      done(true);
      stop();
    },
  };
}

/** Never rejects: a want that fails is one that is not answered. */
async function follow(
  table: TableApplication,
  key: string,
  signal: AbortSignal,
  changed: (value: Uint8Array) => void,
): Promise<void> {
  try {
    for await (const { event } of table.want(key, signal)) {
      if (event?.kind !== 'value') continue;
      const { content } = event.record;
      if (content.kind === 'value') changed(content.bytes);
    }
  } catch {
    return;
  }
}

function settle(call: Promise<unknown>, done: (isDone: boolean) => void): void {
  call.then(
    () => done(true),
    () => done(false),
  );
}
