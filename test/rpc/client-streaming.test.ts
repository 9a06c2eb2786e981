import { credentials, makeClientConstructor } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import {
  type OpenStreamRequest,
  type OpenStreamResponse,
  PeerServiceService,
} from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../../services/errors.js';
import { RpcServer } from '../../services/rpc/server.js';
import { systemClock } from '../../services/system/clock.js';
import { captureLog, refused, until } from './started-server.js';

function chunk(bytes: number): OpenStreamRequest {
  return { action: { $case: 'chunk', value: Buffer.alloc(bytes, 7) } };
}

async function sizesOf(requests: AsyncIterable<OpenStreamRequest>): Promise<number[]> {
  const sizes: number[] = [];
  for await (const { action } of requests) {
    sizes.push(action?.$case === 'chunk' ? action.value.length : -1);
  }
  return sizes;
}

/** No service of ours has such a call; the messages are those of another. */
const UPLOAD = {
  upload: {
    ...PeerServiceService.openStream,
    path: '/test.Uploads/Upload' as const,
    requestStream: true as const,
    responseStream: false as const,
  },
};

describe('clientStreaming', () => {
  async function startUploads(
    upload: (requests: AsyncIterable<OpenStreamRequest>) => Promise<OpenStreamResponse>,
  ) {
    const server = new RpcServer({ log: captureLog().log, clock: systemClock });
    server.add(UPLOAD, { upload });
    const Uploads = makeClientConstructor(UPLOAD, 'test.Uploads');
    const client = new Uploads(await server.listen('127.0.0.1:0'), credentials.createInsecure());
    return {
      server,
      send: (requests: readonly OpenStreamRequest[]) =>
        new Promise<OpenStreamResponse>((resolve, reject) => {
          const { path, requestSerialize, responseDeserialize } = UPLOAD.upload;
          const call = client.makeClientStreamRequest(
            path,
            requestSerialize,
            responseDeserialize,
            (error, response) => (error ? reject(refused(error)) : resolve(response!)),
          );
          for (const request of requests) call.write(request);
          if (requests.length > 0) call.end();
        }),
      [Symbol.asyncDispose]: async () => {
        client.close();
        await server.drain(0);
      },
    };
  }

  it('answers a stream of requests with one response', async () => {
    await using uploads = await startUploads(async (requests) => {
      const sizes = await sizesOf(requests);
      return { event: { $case: 'chunk', value: Buffer.from(sizes) } };
    });
    const { event } = await uploads.send([chunk(1), chunk(2), chunk(3)]);
    expect(event).toEqual({ $case: 'chunk', value: Buffer.from([1, 2, 3]) });
  });

  it('answers with the refusal that the handler throws', async () => {
    await using uploads = await startUploads(async () => {
      throw new RingbinderError('PEER_BUSY', 'busy');
    });
    await expect(uploads.send([chunk(1)])).rejects.toMatchObject({
      refusal: { reason: 'PEER_BUSY' },
    });
  });

  it('ends with NODE_STOPPING when the server drains', async () => {
    let isRunning = false;
    await using uploads = await startUploads(async (requests) => {
      isRunning = true;
      await sizesOf(requests);
      return {};
    });
    const sent = uploads.send([]);
    await until(() => isRunning, 'the handler runs');
    void uploads.server.drain(60_000);
    await expect(sent).rejects.toMatchObject({ refusal: { reason: 'NODE_STOPPING' } });
  });
});
