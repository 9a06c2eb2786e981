/** Questions to the node, and what may come of them. */
import { useEffect, useState } from 'preact/hooks';
import type { RefusalJson } from '../../services/dashboard/messages.js';

export type Answer<Result> =
  | { readonly kind: 'none' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'answered'; readonly result: Result }
  | { readonly kind: 'refused'; readonly refusal: RefusalJson };

type Parameters = Readonly<Record<string, string>>;

/** Rejects never: that the node can't be reached is a refusal too. */
export async function ask<Result>(path: string, parameters: Parameters): Promise<Answer<Result>> {
  try {
    const query = new URLSearchParams(parameters).toString();
    const response = await fetch(query === '' ? path : `${path}?${query}`);
    const json: unknown = await response.json();
    if (!response.ok) return { kind: 'refused', refusal: json as RefusalJson };
    return { kind: 'answered', result: json as Result };
  } catch {
    const text = 'the node does not answer';
    return { kind: 'refused', refusal: { reason: 'UNREACHABLE', text } };
  }
}

/** Asks when it is called; an answer to an earlier question is dropped. */
export function useQuestion<Result>(
  path: string,
): readonly [Answer<Result>, (parameters: Parameters) => void] {
  const [asked, setAsked] = useState<Parameters>();
  const [answer, setAnswer] = useState<Answer<Result>>({ kind: 'none' });
  useEffect(() => {
    if (asked === undefined) return undefined;
    let isDropped = false;
    setAnswer({ kind: 'waiting' });
    void ask<Result>(path, asked).then((found) => {
      if (!isDropped) setAnswer(found);
    });
    return () => {
      isDropped = true;
    };
  }, [path, asked]);
  return [answer, setAsked];
}
