/** What changed, in words; read out as it comes. */
import type { Model } from '../model.js';

export function News({ news }: Pick<Model, 'news'>) {
  return (
    <section class="panel" aria-labelledby="news-title">
      <h2 id="news-title">What changed</h2>
      {news.length === 0 && <p class="quiet">Nothing since this page was opened.</p>}
      <div class="news" role="log" aria-live="polite" aria-labelledby="news-title">
        <ol class="plain">
          {news.map(({ number, text }) => (
            <li key={number}>{text}</li>
          ))}
        </ol>
      </div>
    </section>
  );
}
