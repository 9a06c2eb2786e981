/**
 * Calls a service by its name: asks `grpc.health.v1` of its endpoints, one after the other.
 *
 *     RINGBINDER_BINDERS=127.0.0.1:7400 node dist/clients/sdk/examples/binder-resolver.js orders 6
 */
import { credentials } from '@grpc/grpc-js';
import {
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthClient,
} from '../../../proto/gen/grpc/health/v1/health.js';
import { registerBinderResolver } from '../index.js';

const [service = 'orders', count = '6'] = process.argv.slice(2);

registerBinderResolver();
const client = new HealthClient(`binder:///${service}`, credentials.createInsecure(), {
  'grpc.service_config': JSON.stringify({
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: [],
  }),
});

/** One line: who was called, and what the answer was. */
async function ask(): Promise<string> {
  return new Promise((resolve) => {
    const call = client.check({ service: '' }, (error, response) => {
      const answer =
        error?.message ?? (response.status === ServingStatus.SERVING ? 'well' : 'unwell');
      resolve(`${call.getPeer()}  ${answer}`);
    });
  });
}

for (let turn = 0; turn < Number(count); turn += 1) process.stdout.write(`${await ask()}\n`);
// Also ends the watch of the service, which would keep the process alive.
client.close();
