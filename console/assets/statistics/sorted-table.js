// Owns tables that can be sorted by their columns. The address has the order.
import { classes, html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { EmptyState, ErrorState, Loading } from "../ui/states.js";

/**
 * @template T
 * @typedef {{id: string, label: string, hint?: string, by: (row: T) => number|string, up?: boolean,
 *   cell: (row: T) => any}} Column
 *   `up`: the lowest value first; `cell` returns the content of a cell
 */

/**
 * @template T
 * @param {{id: string, title: string, columns: Column<T>[], sort: string, standard: string,
 *   onSort: (id: string) => void, poll: {data: any, error: ?Error, reload: () => void}, rowsOf: (data: any) => T[],
 *   keyOf: (row: T) => string, captionOf: (data: any) => any, empty: string}} props
 *   `sort` is the order in the address, `standard` the default order; the first column is the heading of the rows
 */
export function SortedTable({ id, title, columns, sort, standard, onSort, poll, rowsOf, keyOf, captionOf, empty }) {
  const column = columns.find((each) => each.id === sort) ?? columns.find((each) => each.id === standard);
  if (!poll.data) {
    return poll.error
      ? html`<${ErrorState} error=${poll.error} onRetry=${poll.reload} />`
      : html`<${Loading} rows=${6} label=${`Loading ${title.toLowerCase()}`} />`;
  }
  const rows = sorted(rowsOf(poll.data), column);
  return html`
    <section class="card flows" aria-labelledby=${`${id}-title`}>
      <header class="plot-head">
        <h2 id=${`${id}-title`}>${title}</h2>
        <span class="muted">${captionOf(poll.data)}</span>
      </header>
      ${rows.length === 0
        ? html`
          <${EmptyState} title=${empty}>
            <p>Choose a longer time or other filters.</p>
          <//>
        `
        : html`
          <div class="scroll" tabindex="0" role="region" aria-label=${`${title}, table`}>
            <table class="grid flow-grid">
              <thead>
                <tr>
                  ${columns.map((each, index) => html`
                    <${Heading}
                      key=${each.id}
                      column=${each}
                      first=${index === 0}
                      current=${each === column}
                      onSort=${onSort}
                    />
                  `)}
                </tr>
              </thead>
              <tbody>
                ${rows.map((row) => html`
                  <tr key=${keyOf(row)}>
                    <th scope="row">${columns[0].cell(row)}</th>
                    ${columns.slice(1).map((each) => html`<td key=${each.id} class="num">${each.cell(row)}</td>`)}
                  </tr>
                `)}
              </tbody>
            </table>
          </div>
        `}
    </section>
  `;
}

function sorted(rows, column) {
  const way = column.up ? 1 : -1;
  const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  // Among equal rows, the slowest first.
  return [...rows].sort((a, b) => way * compare(column.by(a), column.by(b)) || compare(b.p95 ?? -1, a.p95 ?? -1));
}

function Heading({ column, first, current, onSort }) {
  return html`
    <th scope="col" class=${first ? "" : "num"} aria-sort=${current ? (column.up ? "ascending" : "descending") : null}>
      <button type="button" class="sort" title=${column.hint} onClick=${() => onSort(column.id)}>
        ${column.label}
        <${Icon} name="down" class=${classes("sort-mark", current && "sort-on", column.up && "turned")} />
      </button>
    </th>
  `;
}
