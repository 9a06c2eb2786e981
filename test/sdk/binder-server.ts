/** A small binder in this process: what BinderService promises, without checks and replication. */
import { Server, type ServerDuplexStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  BinderServiceService,
  Health,
  Verdict,
  type BinderServiceServer,
  type KeepLeasesRequest,
  type KeepLeasesResponse,
} from '../../proto/gen/ringbinder/v1/binder_service.js';
import { durationFromMs, durationToMs } from '../../clients/sdk/messages.js';
import { KillableServer } from '../support/killable-server.js';
import { BinderTable, type Event } from './binder-table.js';
import { refusal } from './dht-server.js';

/** What a test wants to be otherwise, and what was asked. */
export type BinderScript = {
  readonly table?: BinderTable;
  readonly port?: number;
  readonly pageSize?: number;
  /** In place of what is below. */
  readonly methods?: Partial<Methods>;
};
type Methods = {
  readonly [
    Name in keyof BinderServiceServer as string extends Name ? never : Name
  ]: BinderServiceServer[Name];
};

export class BinderServer implements AsyncDisposable {
  readonly table: BinderTable;
  /** Names of the methods, in the order of the calls. */
  readonly calls: string[];
  readonly #server: KillableServer;

  private constructor(server: KillableServer, table: BinderTable, calls: string[]) {
    this.#server = server;
    this.table = table;
    this.calls = calls;
  }

  static async start(script: BinderScript = {}): Promise<BinderServer> {
    const { table = new BinderTable(), pageSize = 1_000 } = script;
    const calls: string[] = [];
    const methods = { ...binderMethods(table, pageSize), ...script.methods };
    const counted = Object.entries(methods).map(([name, method]) => [
      name,
      (...args: readonly unknown[]): void => {
        calls.push(name);
        (method as (...args: readonly unknown[]) => void)(...args);
      },
    ]);
    const server = new Server();
    server.addService(
      BinderServiceService,
      Object.fromEntries(counted) as UntypedServiceImplementation,
    );
    return new BinderServer(await KillableServer.listen(server, script.port), table, calls);
  }

  get address(): string {
    return this.#server.address;
  }

  get port(): number {
    return this.#server.port;
  }

  get connections(): number {
    return this.#server.connections;
  }

  async kill(): Promise<void> {
    await this.#server.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.table[Symbol.dispose]();
  }
}

function binderMethods(table: BinderTable, pageSize: number): Methods {
  const turns = new Map<string, number>();
  const unknown = () => refusal('NOT_FOUND', 'ENDPOINT_UNKNOWN');
  return {
    registerEndpoint({ request: { service, address, ttl, metadata, healthCheck } }, done) {
      const ttlMs = ttl === undefined ? 15_000 : durationToMs(ttl);
      const what = { metadata, healthCheck };
      const { endpoint, token } = table.register(service, address, ttlMs, what);
      const leaseTtl = durationFromMs(ttlMs);
      done(null, { endpoint, fencingToken: token, leaseTtl });
    },
    renewLease({ request }, done) {
      const outcome = renewal(table, request);
      if (outcome.$case === 'leaseTtl') done(null, { leaseTtl: outcome.value });
      else if (outcome.value.reason === 'LEASE_EXPIRED')
        done(refusal('NOT_FOUND', 'LEASE_EXPIRED'));
      else done(refusal('ABORTED', outcome.value.reason));
    },
    keepLeases(call: ServerDuplexStream<KeepLeasesRequest, KeepLeasesResponse>) {
      call.on('data', (request: KeepLeasesRequest) =>
        call.write({ endpointId: request.endpointId, outcome: renewal(table, request) }),
      );
      call.on('end', () => call.end());
    },
    deregisterEndpoint({ request: { endpointId, service, address, fencingToken } }, done) {
      const entry = endpointId === '' ? table.at(service, address) : table.byId(endpointId);
      if (entry === undefined) {
        done(unknown());
        return;
      }
      if (fencingToken !== 0n && fencingToken !== entry.token) {
        done(refusal('ABORTED', 'FENCING_TOKEN_STALE'));
        return;
      }
      table.remove(entry.endpoint.service, entry.endpoint.address);
      done(null, {});
    },
    resolve({ request: { service } }, done) {
      const all = table.all(service);
      const healthy = all.filter(({ endpoint }) => endpoint.health === Health.HEALTH_HEALTHY);
      if (all.length === 0) {
        done(refusal('NOT_FOUND', 'SERVICE_UNKNOWN'));
        return;
      }
      if (healthy.length === 0) {
        done(refusal('UNAVAILABLE', 'NO_HEALTHY_ENDPOINT'));
        return;
      }
      const turn = turns.get(service) ?? 0;
      turns.set(service, turn + 1);
      const { endpoint } = healthy[turn % healthy.length]!;
      done(null, { endpoint, protectionActive: false });
    },
    listEndpoints({ request: { service, pageToken } }, done) {
      const start = Number(pageToken);
      const all = table.all(service).map(({ endpoint }) => endpoint);
      const nextPageToken = start + pageSize < all.length ? String(start + pageSize) : '';
      const endpoints = all.slice(start, start + pageSize);
      done(null, { endpoints, nextPageToken, protectionActive: false });
    },
    listServices({ request: { pageToken } }, done) {
      const start = Number(pageToken);
      const names = [...new Set(table.all().map(({ endpoint }) => endpoint.service))].sort();
      const services = names.slice(start, start + pageSize).map((service) => {
        const all = table.all(service);
        const healthyCount = all.filter(({ endpoint }) => endpoint.health === 2).length;
        return { service, endpointCount: all.length, healthyCount, protectionActive: false };
      });
      const nextPageToken = start + pageSize < names.length ? String(start + pageSize) : '';
      done(null, { services, nextPageToken });
    },
    watchService(call) {
      let sequence = 0n;
      const write = (event: Event): void => {
        sequence += 1n;
        call.write({ sequence, observeTime: undefined, event, protectionActive: false });
      };
      const { service } = call.request;
      const endpoints = table.all(service).map(({ endpoint }) => endpoint);
      write({ $case: 'snapshot', value: { endpoints } });
      write({ $case: 'heartbeat', value: {} });
      const stop = table.watch({ service, tell: write });
      call.on('cancelled', stop);
    },
    reportUnreachable({ request: { service, address } }, done) {
      if (table.at(service, address) === undefined) {
        done(unknown());
        return;
      }
      const outcome = 'connection refused';
      table.observe(service, address, 'REPORT', outcome, 'REPORT_PROVED');
      const evidence = [...table.evidenceOf(service, address)!];
      table.remove(service, address, 'REPORT', 'REPORT_PROVED');
      done(null, { verdict: Verdict.VERDICT_REMOVED, evidence });
    },
    explainEndpoint({ request: { service, address } }, done) {
      const evidence = table.evidenceOf(service, address);
      if (evidence === undefined) {
        done(unknown());
        return;
      }
      const endpoint = table.at(service, address)?.endpoint;
      done(null, { evidence: [...evidence], endpoint, protectionActive: false });
    },
  };
}

function renewal(
  table: BinderTable,
  { endpointId, fencingToken }: KeepLeasesRequest,
): NonNullable<KeepLeasesResponse['outcome']> {
  const entry = table.byId(endpointId);
  const refuse = (reason: string) =>
    ({ $case: 'refusal', value: { reason, text: reason } }) as const;
  if (entry === undefined) return refuse('LEASE_EXPIRED');
  if (entry.token !== fencingToken) return refuse('FENCING_TOKEN_STALE');
  table.renew(entry);
  return { $case: 'leaseTtl', value: durationFromMs(entry.ttlMs) };
}
