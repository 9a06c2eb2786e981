/**
 * One call on a node with LMDB, against a bare grpc-js handler that answers with the same message:
 * the same client, each server in a process of its own, 64 in flight.
 */
import { call, connect, type Method } from './calls.js';
import { measurePairs, rateOf } from './paired.js';
import { Workshop } from './workshop.js';
import type { Client } from '@grpc/grpc-js';

const ECHO = new URL('./bare-echo.js', import.meta.url).pathname;
const LOAD = { inFlight: 64, ms: 1_000 };
const PAIRS = 25;
const QUICK_PAIRS = 5;
const TARGET = 0.9;

export type EchoBench<Request, Response> = {
  /** Name of the bench, and of the call. */
  readonly names: readonly [string, string];
  /** One that `bare-echo.ts` knows. */
  readonly method: Method<Request, Response> & {
    responseSerialize(response: Response): Buffer;
  };
  readonly request: Request;
  /** Makes the node ready for the call. */
  readonly prepare: (node: Client) => Promise<unknown>;
};

export async function benchAgainstEcho<Request, Response>(
  { names: [bench, name], method, request, prepare }: EchoBench<Request, Response>,
  isQuick: boolean,
): Promise<void> {
  await using workshop = new Workshop();
  const ours = connect(await workshop.node(['--data-dir', workshop.path('node')]));
  await prepare(ours);
  const response = method.responseSerialize(await call(ours, method, request));
  const echoArgs = [method.path, response.toString('base64')];
  const theirs = connect(await workshop.script(ECHO, echoArgs));
  const pairs = isQuick ? QUICK_PAIRS : PAIRS;
  process.stderr.write(
    `${bench}: a response of ${response.length} bytes, ${pairs} pairs of ${LOAD.ms} ms\n`,
  );
  const rate = async (client: Client): Promise<number> =>
    rateOf(async () => call(client, method, request), LOAD);
  const result = await measurePairs(
    { name, perSecond: async () => rate(ours) },
    { name: 'bare echo', perSecond: async () => rate(theirs) },
    pairs,
  );
  const [us, them] = [result.ours.toFixed(0), result.theirs.toFixed(0)];
  process.stdout.write(
    `${bench}: ${name} ${us}/s, bare grpc-js echo ${them}/s, ratio ${result.ratio.toFixed(2)} (target ${TARGET.toFixed(2)})\n`,
  );
  ours.close();
  theirs.close();
}
