/** `BinderService.Resolve` over seven healthy endpoints, against a bare grpc-js echo. */
import { BinderServiceService } from '../proto/gen/ringbinder/v1/binder_service.js';
import { benchAgainstEcho } from './against-echo.js';
import { registerAll } from './binder-calls.js';

const SERVICE = 'bench';
const ENDPOINTS = 7;

export async function benchBinderResolve({
  isQuick,
}: {
  readonly isQuick: boolean;
}): Promise<void> {
  await benchAgainstEcho(
    {
      names: ['binder-resolve', 'Resolve'],
      method: BinderServiceService.resolve,
      request: { service: SERVICE },
      prepare: async (node) => registerAll(node, SERVICE, ENDPOINTS),
    },
    isQuick,
  );
}
