/**
 * A load balancing policy for when there is nobody to call: every call fails with the text that says
 * why, or waits when it is told to wait for ready.
 *
 * The policies of grpc-js do not do for an empty list: round_robin lets all calls wait, and pick_first
 * goes on with the connection that it has.
 */
import { connectivityState, experimental, Metadata, status } from '@grpc/grpc-js';

const NAME = 'ringbinder_nobody';

/** Selects the policy. */
export const NOBODY_CONFIG = { loadBalancingConfig: [{ [NAME]: {} }], methodConfig: [] };

class NobodyConfig implements experimental.TypedLoadBalancingConfig {
  getLoadBalancerName(): string {
    return NAME;
  }

  toJsonObject(): object {
    return { [NAME]: {} };
  }

  static createFromJson(): NobodyConfig {
    return new NobodyConfig();
  }
}

class NobodyBalancer implements experimental.LoadBalancer {
  readonly #channel: experimental.ChannelControlHelper;

  constructor(channel: experimental.ChannelControlHelper) {
    this.#channel = channel;
  }

  updateAddressList(
    _endpoints: unknown,
    _config: unknown,
    _options: unknown,
    why: string,
  ): boolean {
    const details = { code: status.UNAVAILABLE, details: why, metadata: new Metadata() };
    const picker = new experimental.UnavailablePicker(details);
    this.#channel.updateState(connectivityState.TRANSIENT_FAILURE, picker, why);
    return true;
  }

  exitIdle(): void {
    // There is nobody to connect to.
  }

  resetBackoff(): void {
    // There is nothing to wait for.
  }

  destroy(): void {
    // There is nothing to release.
  }

  getTypeName(): string {
    return NAME;
  }
}

export function registerNobodyPolicy(): void {
  experimental.registerLoadBalancerType(NAME, NobodyBalancer, NobodyConfig);
}
