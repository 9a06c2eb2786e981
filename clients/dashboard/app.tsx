/** The whole page: the head, the ring as picture or table, and the panels beside it. */
import { useCallback, useState } from 'preact/hooks';
import type { TraceJson } from '../../services/dashboard/messages.js';
import { peerAt, type Model } from './model.js';
import { Head } from './panels/head.js';
import { LookupPanel } from './panels/lookup.js';
import { News } from './panels/news.js';
import { PeerPanel } from './panels/peer.js';
import { ServicesPanel } from './panels/services.js';
import { Ring } from './ring/ring.js';
import { RingTable } from './ring/table.js';

const FACES = ['Picture', 'Table'] as const;

export function App({ model }: { readonly model: Model }) {
  const [selected, setSelected] = useState<number>();
  const [trace, setTrace] = useState<TraceJson>();
  const [face, setFace] = useState<(typeof FACES)[number]>('Picture');
  const onSelect = useCallback((ringId: number | undefined) => setSelected(ringId), []);
  const onTrace = useCallback((found: TraceJson | undefined) => setTrace(found), []);
  const shown = peerAt(model, selected);
  const fromName = shown?.peer.address ?? 'this node';
  return (
    <>
      <Head {...model} />
      <main class={model.connection === 'lost' ? 'is-old' : ''}>
        <section class="panel ring" aria-labelledby="ring-title">
          <div class="row">
            <h2 id="ring-title" class="grow">
              Ring
            </h2>
            <div class="faces" role="group" aria-label="Shown as">
              {FACES.map((name) => (
                <button
                  key={name}
                  type="button"
                  aria-pressed={face === name}
                  onClick={() => setFace(name)}
                >
                  {name}
                </button>
              ))}
            </div>
          </div>
          {face === 'Picture' ? (
            <Ring model={model} selected={selected} onSelect={onSelect} trace={trace} />
          ) : (
            <RingTable model={model} selected={selected} onSelect={onSelect} />
          )}
        </section>
        <div class="panels">
          <LookupPanel from={shown?.peer.ringId} fromName={fromName} onTrace={onTrace} />
          <PeerPanel shown={shown} onSelect={onSelect} />
          <ServicesPanel />
          <News news={model.news} />
        </div>
      </main>
    </>
  );
}
