// Owns the table of flows: what fails most and what is slowest, first. The order stands in
// the address.
import { formatCount, formatDuration, percentText, plural } from "../format.js";
import { href } from "../router.js";
import { classes, html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { EmptyState, ErrorState, Loading } from "../ui/states.js";
import { MOST_FLOWS } from "./data.js";

const COLUMNS = [
  { id: "flow", label: "Flow", by: (flow) => flow.name.toLowerCase(), up: true },
  { id: "runs", label: "Runs", by: (flow) => flow.total, text: (flow) => formatCount(flow.total) },
  { id: "failed", label: "Failed", by: (flow) => flow.failed, text: (flow) => formatCount(flow.failed) },
  { id: "rate", label: "Success rate", by: (flow) => flow.rate ?? 2, up: true, text: (flow) => percentText(flow.rate) },
  { id: "p50", label: "p50", by: (flow) => flow.p50 ?? -1, text: (flow) => formatDuration(flow.p50) },
  { id: "p95", label: "p95", by: (flow) => flow.p95 ?? -1, text: (flow) => formatDuration(flow.p95) },
];

function sorted(flows, column) {
  const way = column.up ? 1 : -1;
  const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  // The slowest first among those that fail alike.
  return [...flows].sort((a, b) => way * compare(column.by(a), column.by(b)) || compare(b.p95 ?? -1, a.p95 ?? -1));
}

/**
 * @param {{flows: Object, total: number, sort: string, onSort: (id: string) => void, runsOf: (flow: string, status?: string) => Object,
 *   statisticsOf: (flow: string) => Object}} props `flows` is the poll of fetchFlows
 */
export function FlowTable({ flows, total, sort, onSort, runsOf, statisticsOf }) {
  const column = COLUMNS.find(({ id }) => id === sort) ?? COLUMNS.find(({ id }) => id === "failed");
  if (!flows.data) {
    return flows.error ? html`<${ErrorState} error=${flows.error} onRetry=${flows.reload} />` : html`<${Loading} rows=${6} label="Loading flows" />`;
  }
  const list = sorted(flows.data.flows, column);
  return html`<section class="card flows" aria-labelledby="flows-title"><header class="plot-head"><h2 id="flows-title">Flows</h2>
      <span class="muted">${caption(flows.data, total)}</span></header>
    ${list.length === 0 ? html`<${EmptyState} title="No runs in this time"><p>Choose a longer time, or other filters.</p><//>` : html`
    <div class="scroll" tabindex="0" role="region" aria-label="Flows, table"><table class="grid flow-grid"><thead><tr>${COLUMNS.map((entry) => html`
      <${Heading} key=${entry.id} column=${entry} current=${entry === column} onSort=${onSort} />`)}</tr></thead>
      <tbody>${list.map((flow) => html`<${Row} key=${flow.id} flow=${flow} runsOf=${runsOf} statisticsOf=${statisticsOf} />`)}</tbody></table></div>`}</section>`;
}

/** Which runs the flows were found by: the API has no list of flows. */
function caption({ flows, sampled, found, complete }, total) {
  const some = found > flows.length ? `${MOST_FLOWS} of ${formatCount(found)} flows` : plural(found, "flow");
  if (complete) return some;
  return `${some} of the newest ${formatCount(sampled)} of ${plural(total, "run")}`;
}

function Heading({ column, current, onSort }) {
  return html`<th scope="col" class=${column.id === "flow" ? "" : "num"} aria-sort=${current ? (column.up ? "ascending" : "descending") : null}>
    <button type="button" class="sort" onClick=${() => onSort(column.id)}>${column.label}<${Icon} name="down" class=${classes("sort-mark", current && "sort-on", column.up && "turned")} /></button></th>`;
}

function Row({ flow, runsOf, statisticsOf }) {
  return html`<tr><th scope="row"><a class="flow-name" href=${href("/runs", runsOf(flow.id))} title="Runs of this flow"><bdi>${flow.name}</bdi></a>
      ${flow.name !== flow.id && html`<bdi class="flow-key muted">${flow.id}</bdi>`}
      <a class="flow-more small" href=${href("/statistics", statisticsOf(flow.id))} aria-label=${`Statistics of ${flow.name}`}>Statistics</a></th>
    ${COLUMNS.slice(1).map(({ id, text }) => html`<td key=${id} class=${classes("num", id === "failed" && flow.failed > 0 && "figure-bad")}>${id === "failed" && flow.failed > 0
      ? html`<a href=${href("/runs", runsOf(flow.id, "FAILED"))} aria-label=${`${text(flow)} failed runs of ${flow.name}`}>${text(flow)}</a>`
      : id === "rate" ? html`<span class="rate-cell">${flow.rate === null ? null : html`<span class="rate-bar" aria-hidden="true"><span style=${{ width: `${flow.rate * 100}%` }}></span></span>`}${text(flow)}</span>` : text(flow)}</td>`)}</tr>`;
}
