/** The ring as a table: the same for those who read better than they see. */
import { dialectOf, type Model, type ShownPeer } from '../model.js';
import { count } from '../words.js';

const ROWS_MAX = 500;

export type TableProps = {
  readonly model: Model;
  readonly selected: number | undefined;
  readonly onSelect: (ringId: number) => void;
};

export function RingTable({ model: { peers }, selected, onSelect }: TableProps) {
  const rows = peers.slice(0, ROWS_MAX);
  return (
    <div class="scroll">
      <table class="ring-table">
        <caption>
          {rows.length < peers.length
            ? `The first ${count(rows.length)} of ${count(peers.length)} peers, in ring order`
            : `${count(peers.length)} peers, in ring order`}
        </caption>
        <thead>
          <tr>
            <th scope="col">Peer</th>
            <th scope="col">Ring ID</th>
            <th scope="col">Kind</th>
            <th scope="col">Answers</th>
            <th scope="col">Successor</th>
            <th scope="col">Predecessor</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((shown) => (
            <Row
              key={shown.peer.ringId}
              shown={shown}
              isSelected={shown.peer.ringId === selected}
              onSelect={onSelect}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type RowProps = {
  readonly shown: ShownPeer;
  readonly isSelected: boolean;
  readonly onSelect: (ringId: number) => void;
};

function Row({ shown: { peer, view, isAnswering }, isSelected, onSelect }: RowProps) {
  return (
    <tr class={isAnswering ? '' : 'is-silent'}>
      <th scope="row">
        <button
          type="button"
          class="link"
          aria-pressed={isSelected}
          onClick={() => onSelect(peer.ringId)}
        >
          {peer.address}
        </button>
      </th>
      <td class="figure">{peer.ringId}</td>
      <td>{dialectOf(peer) ?? 'peer'}</td>
      <td>{isAnswering ? 'yes' : 'no'}</td>
      <td>{view?.successors[0]?.address ?? 'none'}</td>
      <td>{view?.predecessor?.address ?? 'none'}</td>
    </tr>
  );
}
