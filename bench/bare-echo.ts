/**
 * The other side of `against-echo.ts`: grpc-js and the generated code, and nothing else. Arguments:
 * the path of the method, and the response in base64.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { BinderServiceService } from '../proto/gen/ringbinder/v1/binder_service.js';
import { DhtServiceService } from '../proto/gen/ringbinder/v1/dht_service.js';
import { HashServiceService } from '../proto/gen/ringbinder/v1/hash_service.js';
import type { RpcMethod } from '../services/rpc/handlers.js';

const METHODS = [
  HashServiceService.getRingId,
  DhtServiceService.get,
  BinderServiceService.resolve,
] as readonly RpcMethod[];

const [path, base64 = ''] = process.argv.slice(2);
const method = METHODS.find((it) => it.path === path);
if (method === undefined) throw new Error(`no such method: ${path ?? ''}`);
const response = method.responseDeserialize(Buffer.from(base64, 'base64'));

const server = new Server();
server.register(
  method.path,
  (_call: unknown, done: (error: null, response: unknown) => void) => done(null, response),
  (value: unknown) => method.responseSerialize(value),
  (bytes) => method.requestDeserialize(bytes),
  'unary',
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stderr.write(`${JSON.stringify({ msg: 'echo ready', address: `127.0.0.1:${port}` })}\n`);
});
