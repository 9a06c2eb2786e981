/** One peer: its pointers as it has them, and the figures of its node. */
import { useEffect } from 'preact/hooks';
import type { PeerJson, StatsJson } from '../../../services/dashboard/messages.js';
import { dialectOf, type ShownPeer } from '../model.js';
import { useQuestion } from '../questions.js';
import { bytes, count, time } from '../words.js';
import { Refusal } from './refusal.js';

export type PeerPanelProps = {
  readonly shown: ShownPeer | undefined;
  readonly onSelect: (ringId: number | undefined) => void;
};

export function PeerPanel({ shown, onSelect }: PeerPanelProps) {
  return (
    <section class="panel" aria-labelledby="peer-title">
      <h2 id="peer-title">Peer</h2>
      {shown === undefined ? (
        <p class="quiet">Select a peer for its pointers, its fingers and its figures.</p>
      ) : (
        <Peer key={shown.peer.ringId} shown={shown} onSelect={onSelect} />
      )}
    </section>
  );
}

function Peer({ shown, onSelect }: PeerPanelProps & { readonly shown: ShownPeer }) {
  const { peer, view, isAnswering } = shown;
  const dialect = dialectOf(peer);
  const fingers = new Set(view?.fingers.flatMap(({ to }) => to ?? []));
  const link = (other: PeerJson) => (
    <button type="button" class="link" onClick={() => onSelect(other.ringId)}>
      {other.address}
    </button>
  );
  return (
    <>
      <p class="peer-name">
        {peer.address} {!isAnswering && <span class="state is-broken">no answer</span>}
      </p>
      <dl class="facts">
        <dt>Ring ID</dt>
        <dd>{peer.ringId}</dd>
        {dialect !== undefined && (
          <>
            <dt>Guest</dt>
            <dd>
              dialect {dialect}, run by {peer.host}
            </dd>
          </>
        )}
        <dt>Predecessor</dt>
        <dd>{view?.predecessor === undefined ? 'none known' : link(view.predecessor)}</dd>
        <dt>Successors</dt>
        <dd>
          <ol class="plain">
            {view?.successors.map((successor) => (
              <li key={successor.ringId}>{link(successor)}</li>
            ))}
          </ol>
        </dd>
        <dt>Fingers</dt>
        <dd>
          {count(view?.fingers.length ?? 0)}, to {count(fingers.size)} peers
        </dd>
      </dl>
      <Figures ringId={peer.ringId} />
      <button type="button" onClick={() => onSelect(undefined)}>
        Let go
      </button>
    </>
  );
}

function Figures({ ringId }: { readonly ringId: number }) {
  const [answer, askStats] = useQuestion<StatsJson>('/api/stats');
  const refresh = (): void => askStats({ peer: String(ringId) });
  useEffect(refresh, [ringId]);
  return (
    <>
      <h3>Figures of its node</h3>
      <Refusal answer={answer} />
      {answer.kind === 'answered' && <FigureList stats={answer.result} />}
      <button type="button" onClick={refresh}>
        Count again
      </button>{' '}
    </>
  );
}

function FigureList({ stats }: { readonly stats: StatsJson }) {
  const guests = Object.entries(stats.guestCounts).map(([name, number]) => `${number} ${name}`);
  const rows = [
    ['Members known', count(stats.peerCount)],
    ['Keys', `${count(stats.keyCount)}, ${bytes(stats.storedBytes)}`],
    ['Holders', count(stats.holderCount)],
    ['Services', `${count(stats.serviceCount)}, endpoints ${count(stats.endpointCount)}`],
    ['Legacy programs', guests.length === 0 ? 'none' : guests.join(', ')],
    ['Lookups', count(stats.lookupCount)],
    ['Received, sent', `${bytes(stats.receivedBytes)}, ${bytes(stats.sentBytes)}`],
    ['Started', time(stats.startedAtMs)],
  ] as const;
  return (
    <dl class="facts">
      {rows.map(([name, figure]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{figure}</dd>
        </div>
      ))}
    </dl>
  );
}
