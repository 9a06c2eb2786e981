/** The other side of get-ring-id: grpc-js and the generated code, and nothing else. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HashServiceService } from '../proto/gen/ringbinder/v1/hash_service.js';

const server = new Server();
server.register(
  HashServiceService.getRingId.path,
  (_call: unknown, done: (error: null, response: { ringId: bigint }) => void) =>
    done(null, { ringId: 2_123_456_789n }),
  (value) => HashServiceService.getRingId.responseSerialize(value),
  (bytes) => HashServiceService.getRingId.requestDeserialize(bytes),
  'unary',
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stderr.write(`${JSON.stringify({ msg: 'echo ready', address: `127.0.0.1:${port}` })}\n`);
});
