/** Calls on the binder that several benches make. */
import type { Client } from '@grpc/grpc-js';
import {
  BinderServiceService,
  type RegisterEndpointRequest,
} from '../proto/gen/ringbinder/v1/binder_service.js';
import { call } from './calls.js';

/** A lease that outlives every bench. */
const TTL = { seconds: 3_600n, nanos: 0 };

export function registrationOf(service: string, index: number): RegisterEndpointRequest {
  const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:8080`;
  return { service, address, ttl: TTL, metadata: { zone: 'a' }, healthCheck: undefined };
}

/** Registers so many endpoints of a service. */
export async function registerAll(node: Client, service: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await call(node, BinderServiceService.registerEndpoint, registrationOf(service, index));
  }
}
