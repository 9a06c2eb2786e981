/** That a question is under way, or why it has no answer. */
import type { Answer } from '../questions.js';

export function Refusal({ answer }: { readonly answer: Answer<unknown> }) {
  if (answer.kind === 'waiting') return <p class="quiet">Asking…</p>;
  if (answer.kind !== 'refused') return null;
  return (
    <p class="refusal" role="alert">
      <code>{answer.refusal.reason}</code> {answer.refusal.text}
    </p>
  );
}
