/** Connections from this node to others. */
import { Client, credentials } from '@grpc/grpc-js';
import { RECEIVE_BYTES_MAX } from './limits.js';

/**
 * A node that was restarted must be found again at once, so grpc-js's backoff, which grows to two
 * minutes, is kept short; and a connection whose other end froze must not be trusted for long. A list
 * of the table with the longest addresses is longer than the 4 MiB that grpc-js would take.
 */
const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
} as const;

/** Opens a connection when it is first used; every service of the node is called over it. */
export function connectTo(address: string): Client {
  return new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);
}

/** The same, over a connection that is shared with no other client. */
export function connectAlone(address: string): Client {
  const options = { ...CHANNEL_OPTIONS, 'grpc.use_local_subchannel_pool': 1 };
  return new Client(address, credentials.createInsecure(), options);
}
