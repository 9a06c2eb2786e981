/** Calls a node as a person would who has a gRPC command-line client and nothing but the port. */
import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';

const BUF = new URL('../../node_modules/.bin/buf', import.meta.url).pathname;

export type CurlResult = { readonly code: number; readonly out: string; readonly err: string };

/** Runs `buf curl` without a schema: everything it knows, it learns by reflection. */
export async function curl(
  address: string,
  method: string,
  request?: unknown,
  flags: readonly string[] = [],
): Promise<CurlResult> {
  const data = request === undefined ? [] : ['--data', JSON.stringify(request)];
  const url = method === '' ? `http://${address}` : `http://${address}/${method}`;
  const args = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...flags, ...data, url];
  const child = spawn(BUF, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, code] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1))),
  ]);
  return { code, out: out.toString(), err: err.toString() };
}

/** Like `curl`, for a call that must succeed; resolves with its response. */
export async function call<Response>(
  address: string,
  method: string,
  request: unknown = {},
): Promise<Response> {
  const { code, out, err } = await curl(address, method, request);
  if (code !== 0) throw new Error(`${method} ended with ${code}: ${err}`);
  return JSON.parse(out) as Response;
}

/** Like `curl`, for a call that must be refused; resolves with the error as JSON. */
export async function refusal(
  address: string,
  method: string,
  request: unknown,
): Promise<{
  readonly code: string;
  readonly message: string;
  readonly details: readonly Detail[];
}> {
  const { code, err } = await curl(address, method, request);
  if (code === 0) throw new Error(`${method} succeeded`);
  return JSON.parse(err) as Awaited<ReturnType<typeof refusal>>;
}

type Detail = { readonly type: string; readonly debug?: unknown };

/** Reads a stream for a while: `buf curl` is ended after so many messages. */
export async function streamOf(
  address: string,
  method: string,
  messages: number,
  request: object = {},
): Promise<readonly unknown[]> {
  const args = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];
  const child = spawn(
    BUF,
    [...args, '--data', JSON.stringify(request), `http://${address}/${method}`],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const seen: unknown[] = [];
  let text = '';
  for await (const chunk of child.stdout) {
    text += String(chunk);
    const ends = [...text.matchAll(/^\}$/gm)];
    if (ends.length >= messages) break;
  }
  child.kill();
  for (const part of text.split(/(?<=^\})$/m)) {
    if (part.trim() !== '' && seen.length < messages) seen.push(JSON.parse(part));
  }
  return seen;
}
