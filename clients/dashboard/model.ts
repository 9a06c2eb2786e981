/** What the page shows, and how an event changes it. Pure: each change makes a new value. */
import type {
  EventsJson,
  NodeJson,
  PeerJson,
  VerdictJson,
  ViewJson,
} from '../../services/dashboard/messages.js';

/** A peer that is named somewhere: with its view, or without an answer. */
export type ShownPeer = {
  readonly peer: PeerJson;
  /** The last one that it gave; undefined when it never answered. */
  readonly view: ViewJson | undefined;
  readonly isAnswering: boolean;
};

export type Model = {
  readonly node: NodeJson | undefined;
  /** In ring order, from the smallest ring ID up. */
  readonly peers: readonly ShownPeer[];
  readonly verdict: VerdictJson | undefined;
  /** What changed, in words, the latest first. */
  readonly news: readonly { readonly number: number; readonly text: string }[];
  /** `lost`: what is shown is what was; the page tries again. */
  readonly connection: 'opening' | 'open' | 'lost';
};

export type ModelEvent =
  | {
      readonly [Name in keyof EventsJson]: {
        readonly name: Name;
        readonly data: EventsJson[Name];
      };
    }[keyof EventsJson]
  | { readonly name: 'lost' };

export const EMPTY: Model = {
  node: undefined,
  peers: [],
  verdict: undefined,
  news: [],
  connection: 'opening',
};

const NEWS_MAX = 20;

export function applyEvent(model: Model, event: ModelEvent): Model {
  switch (event.name) {
    case 'node':
      return connected(model, event.data);
    case 'snapshot': {
      const { views, unreachable } = event.data;
      const answering = views.map((view) => ({ peer: view.peer, view, isAnswering: true }));
      const silent = unreachable.map((peer) => ({ peer, view: undefined, isAnswering: false }));
      const peers = inRingOrder([...answering, ...silent]);
      const isFirst = model.peers.length === 0;
      return told({ ...model, peers }, isFirst ? [] : differences(model.peers, peers));
    }
    case 'changed':
      return withPeer(model, { peer: event.data.peer, view: event.data, isAnswering: true });
    case 'unreachable': {
      const view = peerAt(model, event.data.ringId)?.view;
      return withPeer(model, { peer: event.data, view, isAnswering: false });
    }
    case 'removed': {
      const peers = model.peers.filter(({ peer }) => peer.ringId !== event.data.ringId);
      return told({ ...model, peers }, differences(model.peers, peers));
    }
    case 'verdict': {
      const isNew = model.verdict !== undefined && model.verdict.state !== event.data.state;
      const text = `The ring is ${event.data.state}.`;
      return told({ ...model, verdict: event.data }, isNew ? [text] : []);
    }
    case 'heartbeat':
    case 'refusal':
      return model;
    case 'lost':
      if (model.connection === 'lost') return model;
      return told({ ...model, connection: 'lost' }, ['The node does not answer.']);
  }
}

export function peerAt({ peers }: Model, ringId: number | undefined): ShownPeer | undefined {
  return peers.find(({ peer }) => peer.ringId === ringId);
}

/** The dialect of a guest, as it stands in its name; undefined for all other peers. */
export function dialectOf({ address, host }: PeerJson): string | undefined {
  return host === undefined ? undefined : (/^([\w-]+):\/\//.exec(address)?.[1] ?? 'guest');
}

function connected(model: Model, node: NodeJson): Model {
  const isOther = model.node !== undefined && model.node.ringName !== node.ringName;
  const start = isOther ? { ...EMPTY, news: model.news } : model;
  const news = model.connection === 'lost' ? ['The node answers again.'] : [];
  return told({ ...start, node, connection: 'open' }, news);
}

function withPeer(model: Model, shown: ShownPeer): Model {
  const others = model.peers.filter(({ peer }) => peer.ringId !== shown.peer.ringId);
  const peers = inRingOrder([...others, shown]);
  return told({ ...model, peers }, differences(model.peers, peers));
}

function inRingOrder(peers: readonly ShownPeer[]): readonly ShownPeer[] {
  return peers.toSorted((one, other) => one.peer.ringId - other.peer.ringId);
}

/** Who came, went, fell silent or answers again; a change of pointers is for the eye alone. */
function differences(before: readonly ShownPeer[], after: readonly ShownPeer[]): readonly string[] {
  const known = new Map(before.map((shown) => [shown.peer.ringId, shown]));
  const present = new Set(after.map(({ peer }) => peer.ringId));
  const gone = before.filter(({ peer }) => !present.has(peer.ringId));
  return [
    ...gone.map(({ peer }) => `${peer.address} is gone.`),
    ...after.flatMap(({ peer, isAnswering }) => {
      const was = known.get(peer.ringId);
      if (was === undefined) return [`${peer.address} ${isAnswering ? 'joined' : 'is named'}.`];
      if (was.isAnswering === isAnswering) return [];
      return [`${peer.address} ${isAnswering ? 'answers again' : 'does not answer'}.`];
    }),
  ];
}

function told(model: Model, texts: readonly string[]): Model {
  const last = model.news[0]?.number ?? 0;
  const items = texts.map((text, index) => ({ number: last + index + 1, text }));
  return { ...model, news: [...items.toReversed(), ...model.news].slice(0, NEWS_MAX) };
}
