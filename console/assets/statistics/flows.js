// Owns the table of flows, with the most failures or the slowest flows first.
import { formatCount, formatDuration, plural } from "../format.js";
import { href } from "../router.js";
import { html } from "../ui/html.js";
import { visible } from "../ui/visible.js";
import { FailedCell, RateCell } from "./cells.js";
import { MAX_FLOWS } from "./data.js";
import { SortedTable } from "./sorted-table.js";

/**
 * @param {{flows: Object, total: number, sort: string, onSort: (id: string) => void, runsOf: (flow: string,
 *   status?: string) => Object, statisticsOf: (flow: string) => Object}} props
 *   `flows` is the poll of fetchFlows
 */
export function FlowTable({ flows, total, sort, onSort, runsOf, statisticsOf }) {
  const columns = [
    {
      id: "flow",
      label: "Flow",
      by: (flow) => flow.name.toLowerCase(),
      up: true,
      cell: (flow) => html`<${Name} flow=${flow} runsOf=${runsOf} statisticsOf=${statisticsOf} />`,
    },
    { id: "runs", label: "Runs", by: (flow) => flow.total, cell: (flow) => formatCount(flow.total) },
    {
      id: "failed",
      label: "Failed",
      by: (flow) => flow.failed,
      cell: (flow) => html`
        <${FailedCell}
          count=${flow.failed}
          href=${href("/runs", runsOf(flow.id, "FAILED"))}
          of=${`runs of ${visible(flow.name)}`}
        />
      `,
    },
    {
      id: "rate",
      label: "Success rate",
      by: (flow) => flow.rate ?? 2,
      up: true,
      cell: (flow) => html`<${RateCell} rate=${flow.rate} />`,
    },
    { id: "p50", label: "p50", by: (flow) => flow.p50 ?? -1, cell: (flow) => formatDuration(flow.p50) },
    { id: "p95", label: "p95", by: (flow) => flow.p95 ?? -1, cell: (flow) => formatDuration(flow.p95) },
  ];
  return html`
    <${SortedTable}
      id="flows"
      title="Flows"
      columns=${columns}
      sort=${sort}
      standard="failed"
      onSort=${onSort}
      poll=${flows}
      rowsOf=${(data) => data.flows}
      keyOf=${(flow) => flow.id}
      captionOf=${(data) => caption(data, total)}
      empty="No runs in this time"
    />
  `;
}

/** The runs in which the flows were found: the API has no list of flows. */
function caption({ flows, sampled, found, complete }, total) {
  const some = found > flows.length ? `${MAX_FLOWS} of ${formatCount(found)} flows` : plural(found, "flow");
  if (complete) return some;
  return `${some} of the newest ${formatCount(sampled)} of ${plural(total, "run")}`;
}

function Name({ flow, runsOf, statisticsOf }) {
  return html`
    <a class="flow-name" href=${href("/runs", runsOf(flow.id))} title=${`Runs of ${visible(flow.name)}`}>
      <bdi>${visible(flow.name)}</bdi>
    </a>
    ${flow.name !== flow.id && html`<bdi class="flow-key muted" title=${visible(flow.id)}>${visible(flow.id)}</bdi>`}
    <a
      class="flow-more small"
      href=${href("/statistics", statisticsOf(flow.id))}
      aria-label=${`Statistics of ${visible(flow.name)}`}
    >
      Statistics
    </a>
  `;
}
