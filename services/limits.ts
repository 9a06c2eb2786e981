/** Hard bounds that are not options, each with its reason. */

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1_000;

/** Largest payload of a message: like a value of the table, it must fit a gRPC message with room. */
export const PAYLOAD_BYTES_MAX = MIB;

/** The inbox of a peer is in memory, so it must not become a store. */
export const INBOX_LIMITS = {
  lettersMax: 1_024,
  bytesMax: 16 * MIB,
  /** Message IDs remembered to recognize repeats: about 10 MB at the longest IDs. */
  rememberedMax: 65_536,
} as const;

/** Links to other peers kept open; each costs a socket and some 20 KiB. */
export const LINKS_MAX = 4_096;
/** A link that was not used for so long is closed. */
export const LINK_IDLE_MS = 60 * SECOND;

/** Longest silence on a watch stream. */
export const HEARTBEAT_MS = 10 * SECOND;

/** How long a forwarded call waits for the directory before `DIRECTORY_UNREACHABLE`. */
export const DIRECTORY_TIMEOUT_MS = 4 * SECOND;

/** The table of one node: some hundred bytes of memory for each 65,536th part of the ring, the rest on disk. */
export const TABLE_ROOM = { recordsMax: 10_000_000, bytesMax: 64 * 1024 * MIB } as const;

/** What one source may send to a legacy dialect; some 100 bytes of memory for each of the sources. */
export const LEGACY_RATES = { perSecond: 20_000, burst: 40_000, hostsMax: 10_000 } as const;

/** Legacy programs that one node takes into the ring: each costs what a member costs, and ends with the node. */
export const GUESTS_MAX = 64;

/** Peer streams; each may hold half a MiB of what its reader has not taken. */
export const STREAM_LIMITS = {
  streamsMax: 1_024,
  unclaimedMax: 256,
  unclaimedMsMax: 60 * SECOND,
  openMsMax: 5 * SECOND,
} as const;

/** Questions from other peers that wait for an answer of ours; each is held for some ticks at most. */
export const INBOUND_MAX = 4_096;
