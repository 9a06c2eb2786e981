/** What is always in sight: whose page this is, whether it is alive, and how well the ring is. */
import type { VerdictJson } from '../../../services/dashboard/messages.js';
import type { Model } from '../model.js';
import { counted, time } from '../words.js';

const STATE_WORDS: Readonly<Record<VerdictJson['state'], string>> = {
  unknown: 'The verdict is one that this page does not know.',
  forming: 'Too few members yet to bear failures.',
  ideal: 'Every pointer of every member is right.',
  repairing: 'Some pointers are old; the ring puts them right by itself.',
  broken: 'The invariant is violated; the ring may need help.',
};

export function Head({ node, verdict, connection }: Model) {
  return (
    <header class="head">
      <div class="head-name">
        <h1>Ringbinder</h1>
        <p class="quiet">
          {node === undefined ? 'no node yet' : `${node.ringName} seen from ${node.address}`}
        </p>
      </div>
      {connection === 'lost' && (
        <p class="lost" role="status">
          The node does not answer. This is what it said last; trying again…
        </p>
      )}
      <Verdict verdict={verdict} />
    </header>
  );
}

function Verdict({ verdict }: { readonly verdict: VerdictJson | undefined }) {
  if (verdict === undefined) return <p class="quiet">No verdict yet.</p>;
  const { state, memberCount, principalCount, isStable, violations, observedAtMs } = verdict;
  return (
    <section class="verdict" aria-label="Verdict">
      <p class={`state is-${state}`}>{state}</p>
      <div>
        <p>
          {STATE_WORDS[state]}
          {isStable ? '' : ' In flux: two looks in a row did not agree.'}
        </p>
        <p class="quiet">
          {counted(memberCount, 'member')}, {counted(principalCount, 'principal')}, at{' '}
          {time(observedAtMs)}
        </p>
        {violations.length > 0 && (
          <details open>
            <summary>{counted(violations.length, 'violation')}</summary>
            <ul>
              {violations.map(({ rule, text, peers }) => (
                <li key={`${rule} ${text}`}>
                  <code>{rule}</code> {text}{' '}
                  <span class="quiet">{peers.map(({ address }) => address).join(', ')}</span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </section>
  );
}
