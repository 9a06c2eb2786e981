/** A bare grpc-js server whose `OpenStream` sends back each chunk, as it says on stderr when it is ready. */
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { Peer } from '../proto/gen/ringbinder/v1/ring.js';
import {
  PeerServiceService,
  type OpenStreamRequest,
  type OpenStreamResponse,
} from '../proto/gen/ringbinder/v1/peer_service.js';

type Call = ServerDuplexStream<OpenStreamRequest, OpenStreamResponse>;

const { openStream } = PeerServiceService;
const OPENED = { $case: 'opened', value: Peer.fromPartial({}) } as const;

function echo(call: Call): void {
  call.on('data', ({ action }: OpenStreamRequest) => {
    if (action?.$case === 'finish') {
      call.end();
      return;
    }
    if (call.write({ event: action?.$case === 'chunk' ? action : OPENED })) return;
    call.pause();
    call.once('drain', () => call.resume());
  });
}

const server = new Server();
server.register(
  openStream.path,
  echo as UntypedHandleCall,
  openStream.responseSerialize,
  openStream.requestDeserialize,
  'bidi',
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stderr.write(`${JSON.stringify({ msg: 'echo ready', address: `127.0.0.1:${port}` })}\n`);
});
