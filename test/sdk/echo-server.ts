/** A gRPC server that answers with its own name, to see who was called. */
import { Client, credentials, Metadata, Server, type ChannelOptions } from '@grpc/grpc-js';
import { KillableServer } from '../support/killable-server.js';

const WHO = {
  who: {
    path: '/test.Echo/Who',
    requestStream: false,
    responseStream: false,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: (bytes: Buffer) => bytes.toString(),
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: (bytes: Buffer) => bytes.toString(),
  },
} as const;

/** Starts a server that answers with its address. */
export async function startEcho(port = 0): Promise<KillableServer> {
  const server = new Server();
  const place = { address: '' };
  server.addService(WHO, {
    who: (_call: unknown, done: (error: null, name: string) => void) => done(null, place.address),
  });
  const running = await KillableServer.listen(server, port);
  place.address = running.address;
  return running;
}

export class EchoClient implements Disposable {
  readonly #client: Client;

  constructor(target: string, options: ChannelOptions = {}) {
    this.#client = new Client(target, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      ...options,
    });
  }

  /** The address of the server that answers. */
  async who({ timeoutMs = 3_000, waitForReady = false } = {}): Promise<string> {
    const metadata = new Metadata({ waitForReady });
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = WHO.who;
      this.#client.makeUnaryRequest<string, string>(
        path,
        requestSerialize,
        responseDeserialize,
        'who?',
        metadata,
        { deadline: Date.now() + timeoutMs },
        (error, name) => (error === null ? resolve(name!) : reject(error)),
      );
    });
  }

  /** The servers that answer so many calls, one after the other. */
  async turns(count: number): Promise<string[]> {
    const names: string[] = [];
    while (names.length < count) names.push(await this.who());
    return names;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

export const ROUND_ROBIN = {
  'grpc.service_config': JSON.stringify({
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: [],
  }),
};
