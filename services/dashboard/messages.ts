/**
 * What the dashboard's node tells its page, as JSON: the answers of the services in the shape in
 * which a page reads them. Ring IDs are numbers, times are milliseconds since the epoch.
 */

export type PeerJson = {
  readonly ringId: number;
  readonly address: string;
  /** The node that runs a guest; absent for all others. */
  readonly host?: string;
};

/** What one peer knows of the ring. */
export type ViewJson = {
  readonly peer: PeerJson;
  readonly predecessor?: PeerJson;
  readonly successors: readonly PeerJson[];
  /** `to` is the ring ID of who the peer thinks owns the start; absent while it does not know. */
  readonly fingers: readonly { readonly start: number; readonly to?: number }[];
  readonly incarnation: number;
};

export type TopologyJson = {
  readonly views: readonly ViewJson[];
  /** Named by the directory or another peer, and without an answer. */
  readonly unreachable: readonly PeerJson[];
};

export type RingStateJson = 'unknown' | 'forming' | 'ideal' | 'repairing' | 'broken';

export type VerdictJson = {
  readonly state: RingStateJson;
  readonly memberCount: number;
  readonly principalCount: number;
  readonly successorsMax: number;
  /** False while two looks do not agree. */
  readonly isStable: boolean;
  readonly violations: readonly {
    readonly rule: string;
    readonly peers: readonly PeerJson[];
    readonly text: string;
  }[];
  readonly unreachable: readonly PeerJson[];
  readonly observedAtMs: number;
};

/** What one node holds and has done. */
export type StatsJson = {
  readonly peerCount: number;
  readonly keyCount: number;
  readonly holderCount: number;
  readonly serviceCount: number;
  readonly endpointCount: number;
  readonly guestCounts: Readonly<Record<string, number>>;
  readonly lookupCount: number;
  readonly storedBytes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly startedAtMs: number;
};

/** The node that serves the page, and its ring. */
export type NodeJson = {
  readonly ringId: number;
  readonly address: string;
  readonly ringName: string;
  readonly ringSize: number;
};

/** `GET /api/ring` */
export type RingJson = {
  readonly node: NodeJson;
  readonly topology: TopologyJson;
  readonly verdict: VerdictJson;
  readonly stats: StatsJson;
};

export type HopJson = { readonly peer: PeerJson; readonly latencyMs: number };

/** `GET /api/trace` */
export type TraceJson = {
  /** Where the key lies. */
  readonly position: number;
  readonly origin: PeerJson;
  /** Who was asked, in order, the owner last. */
  readonly hops: readonly HopJson[];
  readonly owner: PeerJson;
};

/** `GET /api/key` */
export type KeyJson = {
  readonly position: number;
  readonly owner: PeerJson;
  /** Absent when the key has no value. */
  readonly value?: {
    readonly sizeBytes: number;
    readonly version: string;
    readonly expiresAtMs?: number;
    readonly copiesAnswered: number;
    readonly copiesAsked: number;
  };
  readonly holders: readonly { readonly address: string; readonly expiresAtMs: number }[];
  /** True when there are more holders than these. */
  readonly hasMoreHolders: boolean;
};

export type ServiceJson = {
  readonly service: string;
  readonly endpointCount: number;
  readonly healthyCount: number;
  readonly isProtected: boolean;
};

/** `GET /api/services`; the token is for the next page, absent on the last. */
export type ServicesJson = {
  readonly services: readonly ServiceJson[];
  readonly nextPageToken?: string;
};

export type HealthJson = 'unknown' | 'healthy' | 'unhealthy';

export type EndpointJson = {
  readonly address: string;
  readonly health: HealthJson;
  readonly metadata: Readonly<Record<string, string>>;
};

/** `GET /api/endpoints` */
export type EndpointsJson = {
  readonly endpoints: readonly EndpointJson[];
  readonly nextPageToken?: string;
};

export type EvidenceJson = {
  readonly observer: string;
  readonly check: string;
  readonly outcome: string;
  readonly rule: string;
  readonly observedAtMs: number;
};

/** `GET /api/evidence` */
export type EvidencesJson = { readonly evidence: readonly EvidenceJson[] };

/** Every answer that is none: the refusal of a service, or of the server itself. */
export type RefusalJson = { readonly reason: string; readonly text: string };

/** The events of `GET /api/events`, by name. */
export type EventsJson = {
  /** Always first. */
  readonly node: NodeJson;
  /** Once, before all changes; replaces all that was shown before. */
  readonly snapshot: TopologyJson;
  readonly changed: ViewJson;
  readonly unreachable: PeerJson;
  readonly removed: PeerJson;
  readonly verdict: VerdictJson;
  /** Nothing happened. */
  readonly heartbeat: Readonly<Record<string, never>>;
  /** Why the stream ends; always last. */
  readonly refusal: RefusalJson;
};
