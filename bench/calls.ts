/** Plain calls of grpc-js: the same client for both sides of a comparison. */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';

/** One method of a service. */
export type Method<Request, Response> = {
  readonly path: string;
  requestSerialize(request: Request): Buffer;
  responseDeserialize(bytes: Buffer): Response;
};

/** A connection of its own, which no other client to the same address shares. */
export function connect(address: string): Client {
  const options = { 'grpc.use_local_subchannel_pool': 1 };
  return new Client(address, credentials.createInsecure(), options);
}

export async function call<Request, Response>(
  client: Client,
  method: Method<Request, Response>,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Request, Response>(
      method.path,
      (value) => method.requestSerialize(value),
      (bytes) => method.responseDeserialize(bytes),
      request,
      (error: ServiceError | null, response?: Response) => {
        if (error !== null || response === undefined) reject(error ?? new Error('no response'));
        else resolve(response);
      },
    );
  });
}
