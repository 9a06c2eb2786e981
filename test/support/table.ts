/** The table of real nodes: what they report of it, and who should keep what. */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  TableServiceService,
  type GetTableStatsResponse,
} from '../../proto/gen/ringbinder/internal/v1/table_service.js';
import { CallError } from '../../clients/sdk/index.js';
import { positionOfKey } from '../../services/hash/core/digest.js';
import { untilIdeal, type NodeOptions, type TestNet, type TestNode } from './nodes.js';
import { until } from './until.js';

export const RING_SIZE = 2 ** 31;
export const COPIES = 3;

/** One method of a generated service definition. */
type Method<Request, Response> = {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
};

/** Makes one call as it is, without retries; rejects with a `CallError`. */
export async function callAsIs<Request, Response>(
  address: string,
  { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
  request: Request,
): Promise<Response> {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.enable_retries': 0 });
  try {
    return await new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + 10_000 };
      const done = (error: ServiceError | null, response?: Response): void => {
        if (error !== null) reject(new CallError(error));
        else resolve(response as Response);
      };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, done);
    });
  } finally {
    client.close();
  }
}

export async function statsOf({ address }: TestNode): Promise<GetTableStatsResponse> {
  return callAsIs(address, TableServiceService.getTableStats, {});
}

/** A counter of repair of each node. */
export async function countsOf(
  nodes: readonly TestNode[],
  counter: keyof NonNullable<GetTableStatsResponse['counts']>,
): Promise<readonly number[]> {
  const all = await Promise.all(nodes.map(statsOf));
  return all.map(({ counts }) => Number(counts?.[counter]));
}

/** Waits until every node says that its copies are where they belong; resolves with how long that took. */
export async function untilSettled(nodes: readonly TestNode[], withinMs: number): Promise<number> {
  const start = performance.now();
  let seen: readonly (GetTableStatsResponse | undefined)[] = [];
  await until(
    async () => {
      seen = await Promise.all(nodes.map(async (node) => statsOf(node).catch(() => undefined)));
      return seen.every((stats) => stats?.isSettled === true) ? true : undefined;
    },
    withinMs,
    () => `not settled: ${seen.map((stats) => describe(stats)).join(', ')}`,
  );
  return performance.now() - start;
}

function describe(stats: GetTableStatsResponse | undefined): string {
  if (stats === undefined) return 'silent';
  return `${stats.records} records ${stats.isSettled ? '' : 'not '}settled`;
}

/** Starts a founder and then the others at once, each with a data directory `<name><index>`. */
export async function lastingRing(
  net: TestNet,
  name: string,
  size: number,
  flags: readonly string[] = [],
): Promise<TestNode[]> {
  const dataDir = (index: number): string => net.dataDir(`${name}${index}`);
  const founder = await net.start({ dataDir: dataDir(0), flags });
  const others = Array.from({ length: size - 1 }, (_, index) =>
    net.launch({ dataDir: dataDir(index + 1), join: [founder.address], flags }),
  );
  await Promise.all(others.map(async (node) => node.ready(60_000)));
  const nodes = [founder, ...others];
  await untilIdeal(nodes, 20_000);
  await untilSettled(nodes, 20_000);
  return nodes;
}

/** Starts a node again where it was. */
export async function again(
  net: TestNet,
  { address }: TestNode,
  dataDir: string,
  options: NodeOptions = {},
): Promise<TestNode> {
  const node = net.launch({ listen: address, dataDir: net.dataDir(dataDir), ...options });
  await node.ready(60_000);
  return node;
}

/** Those who should keep a key: its owner first. */
export function keepersOf(
  key: string,
  nodes: readonly TestNode[],
  copies = COPIES,
): readonly TestNode[] {
  const position = positionOfKey(key, RING_SIZE);
  const ordered = [...nodes].sort((one, other) => one.ringId - other.ringId);
  const first = ordered.findIndex(({ ringId }) => ringId >= position);
  const owner = Math.max(0, first);
  return [...ordered.slice(owner), ...ordered.slice(0, owner)].slice(0, copies);
}

/** The keys that a node has a value of, each with its version. */
export async function keysOf({ sdk }: TestNode): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>();
  for await (const { key, version } of sdk.dht.keys()) keys.set(key, version);
  return keys;
}

/** Does something with every item, many at once. */
export async function forAll<Item>(
  items: Iterable<Item>,
  atOnce: number,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
