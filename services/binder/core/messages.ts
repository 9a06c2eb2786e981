/** What binders ask each other, and what they answer. */
import type { Endpoint, EndpointKey } from './endpoint.js';
import type { Stamp } from './stamps.js';

export type BinderQuestion =
  /** Are you there? This is the digest of all that I have. */
  | { readonly kind: 'ping'; readonly root: string }
  /** These have changed. At most `TELL_MAX`. */
  | { readonly kind: 'tell'; readonly endpoints: readonly Endpoint[] }
  /** What are the parts of your digest? */
  | { readonly kind: 'compare' }
  /** What do you have in this part, behind this key? */
  | { readonly kind: 'pull'; readonly part: number; readonly after: EndpointKey }
  /** A lease whose home you are was renewed. */
  | { readonly kind: 'renew'; readonly endpointId: string; readonly fencingToken: Stamp };

export type BinderAnswer =
  | { readonly kind: 'pong'; readonly root: string }
  | { readonly kind: 'told' }
  | { readonly kind: 'parts'; readonly parts: readonly string[] }
  /** In the order of their keys. */
  | {
      readonly kind: 'pulled';
      readonly endpoints: readonly Endpoint[];
      readonly hasMore: boolean;
    }
  | { readonly kind: 'renewed'; readonly ttlMs: number }
  /** The lease is not here; or it was registered anew since, with this token. */
  | { readonly kind: 'not-renewed'; readonly currentToken: Stamp | undefined };

/** Most endpoints of one message, if they are small. */
export const TELL_MAX = 500;
/** Size of the endpoints of one message, by `weightOf`; one endpoint more is no harm. */
export const TELL_BYTES_MAX = 2 ** 20;

/** Rough size of an endpoint in a message, in bytes; not below it by much. */
export function weightOf({ registration, evidence }: Endpoint): number {
  const { service, address, metadata } = registration;
  let length = 200 + 2 * (service.length + address.length);
  for (const [key, value] of Object.entries(metadata)) length += key.length + 3 * value.length + 8;
  for (const { observer, outcome } of evidence) length += observer.length + outcome.length + 60;
  return length;
}

/** As many of them, from the first, as go into one message. */
export function oneMessageOf(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  let bytes = 0;
  let count = 0;
  for (const endpoint of endpoints) {
    if (count >= TELL_MAX || bytes >= TELL_BYTES_MAX) break;
    bytes += weightOf(endpoint);
    count += 1;
  }
  return endpoints.slice(0, count);
}
