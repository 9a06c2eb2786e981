/** A key: the way to its owner, hop by hop, and what the table has under it. */
import { useEffect, useState } from 'preact/hooks';
import type { KeyJson, TraceJson } from '../../../services/dashboard/messages.js';
import { useQuestion } from '../questions.js';
import { HOP_MS } from '../ring/ring.js';
import { bytes, counted, milliseconds, time } from '../words.js';
import { Refusal } from './refusal.js';

export type LookupPanelProps = {
  /** The ring ID of who looks up; the page's node when it is undefined. */
  readonly from: number | undefined;
  readonly fromName: string;
  readonly onTrace: (trace: TraceJson | undefined) => void;
};

export function LookupPanel({ from, fromName, onTrace }: LookupPanelProps) {
  const [key, setKey] = useState('');
  const [trace, askTrace] = useQuestion<TraceJson>('/api/trace');
  const [found, askKey] = useQuestion<KeyJson>('/api/key');
  useEffect(() => {
    if (trace.kind !== 'none') onTrace(trace.kind === 'answered' ? trace.result : undefined);
  }, [trace, onTrace]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    askTrace(from === undefined ? { key } : { key, from: String(from) });
    askKey({ key });
  };
  return (
    <section class="panel" aria-labelledby="lookup-title">
      <h2 id="lookup-title">Key</h2>
      <form onSubmit={submit}>
        <label for="key">Look up a key from {fromName}</label>
        <div class="row">
          <input
            id="key"
            type="text"
            autocomplete="off"
            spellcheck={false}
            maxLength={512}
            required
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
          <button type="submit">Look up</button>
        </div>
      </form>
      <Refusal answer={trace} />
      {trace.kind === 'answered' && <Way trace={trace.result} />}
      {trace.kind === 'answered' && <Refusal answer={found} />}
      {found.kind === 'answered' && <Stored found={found.result} />}
    </section>
  );
}

function Way({ trace: { origin, hops, owner, position } }: { readonly trace: TraceJson }) {
  return (
    <div role="status">
      <p>
        Position {position}, owned by <strong>{owner.address}</strong>;{' '}
        {hops.length === 0 ? `${origin.address} is the owner itself.` : counted(hops.length, 'hop')}
      </p>
      <ol class="hops">
        {hops.map(({ peer, latencyMs }, index) => (
          <li key={index} style={{ animationDelay: `${index * HOP_MS}ms` }}>
            {peer.address} <span class="figure quiet">{milliseconds(latencyMs)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Stored({ found: { value, holders, hasMoreHolders } }: { readonly found: KeyJson }) {
  return (
    <dl class="facts stored">
      <dt>Value</dt>
      <dd>
        {value === undefined
          ? 'none'
          : `${bytes(value.sizeBytes)}; ${value.copiesAnswered} of ${value.copiesAsked} copies answered`}
        {value?.expiresAtMs === undefined ? '' : `; until ${time(value.expiresAtMs)}`}
      </dd>
      <dt>Holders</dt>
      <dd>
        {holders.length === 0 && 'none'}
        <ul class="plain">
          {holders.map(({ address, expiresAtMs }) => (
            <li key={address}>
              {address} <span class="quiet">until {time(expiresAtMs)}</span>
            </li>
          ))}
        </ul>
        {hasMoreHolders && <span class="quiet">and more</span>}
      </dd>
    </dl>
  );
}
