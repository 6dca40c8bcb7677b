// Owns the Statistics page: combines filters, key figures, charts and flows. The numbers are
// updated automatically; data that needs many requests is updated less often.
import { isRefused } from "../api.js";
import { formatClock, timeTitle } from "../format.js";
import { usePoll } from "../poll.js";
import { href, navigate } from "../router.js";
import { html } from "../ui/html.js";
import { Button } from "../ui/controls.js";
import { EmptyState, ErrorState, Loading, StaleBanner } from "../ui/states.js";
import { ofCaller } from "../runs/filters.js";
import { ActiveFilters, FilterBar } from "../runs/toolbar.js";
import { DurationChart, RateChart, RunsChart } from "../statistics/charts.js";
import { fetchFlows, fetchOverview, fetchSteps } from "../statistics/data.js";
import { Figures } from "../statistics/figures.js";
import { FlowTable } from "../statistics/flows.js";
import { stepKey } from "../statistics/failures.js";
import { StepTable } from "../statistics/steps.js";
import { clipped, statisticsFilters, statisticsQuery } from "../statistics/period.js";

const OVERVIEW_MS = 60_000;
const DETAILS_MS = 300_000;

/** @param {{query: Object<string, string>, session: import("../session.js").Session}} props */
export default function Page({ query, session }) {
  const filters = ofCaller(statisticsFilters(query), session);
  const key = JSON.stringify(filters);
  const overview = usePoll((signal) => fetchOverview(filters, signal), key, { intervalMs: OVERVIEW_MS });
  const change = (next) =>
    navigate("/statistics", { ...statisticsQuery(filters, next), sort: query.sort, steps: query.steps });
  const chosen = { ...filters, range: "" };
  const busy = overview.data !== null && overview.dataKey !== key;
  return html`
    <section class="page statistics" aria-labelledby="statistics-title">
      <header class="page-head">
        <h1 id="statistics-title">Statistics</h1>
        ${overview.data && html`<${AsOf} overview=${overview} />`}
      </header>
      <${FilterBar} filters=${filters} counted=${chosen} session=${session} change=${change} />
      <${ActiveFilters} filters=${chosen} only=${session.caller.flows} change=${change} />
      <${Content} overview=${overview} busy=${busy} filters=${filters} query=${query} session=${session} />
    </section>
  `;
}

function AsOf({ overview }) {
  const at = new Date(overview.data.readAt).toISOString();
  return html`
    <span class="as-of muted">
      As of <time datetime=${at} title=${timeTitle(at)}>${formatClock(at)}</time>
      <${Button} kind="quiet" onClick=${overview.reload} disabled=${overview.loading}>Refresh<//>
    </span>
  `;
}

function Content({ overview, busy, filters, query, session }) {
  const { data, error } = overview;
  if (error && (isRefused(error) || !data)) {
    return html`<${ErrorState} error=${error} retryAt=${overview.retryAt} onRetry=${overview.reload} />`;
  }
  if (!data) return html`<${Loading} rows=${12} label="Loading statistics" />`;
  return html`
    <div class=${busy ? "stale" : ""} aria-busy=${String(busy)}>
      ${error && html`<${StaleBanner} error=${error} retryAt=${overview.retryAt} onRetry=${overview.reload} />`}
      ${data.numbers.total === 0 && data.periods.every((period) => period.total === 0)
        ? html`
          <${EmptyState} icon="search" title="No runs in this time">
            <p>Choose a longer time or remove a filter.</p>
          <//>
        `
        : html`
          <${Report}
            overview=${data}
            overviewKey=${overview.dataKey}
            filters=${filters}
            query=${query}
            session=${session}
          />
        `}
    </div>
  `;
}

/** The filters that this page shares with the Runs page. */
const scopeOf = ({ flow, type, device, label, range, from, to }) => ({ flow, type, device, label, range, from, to });

function Report({ overview, overviewKey, filters, query, session }) {
  const scope = scopeOf(filters);
  // Data that needs many requests waits until the overview matches these filters.
  const isOwn = overviewKey === JSON.stringify(filters);
  const runsOf = (start, end, status = "") => ({ ...scope, range: "", ...clipped(start, end, overview.drawn), status });
  const ofFlow = (flow, status = "") => ({ ...scope, flow, status });
  const onRuns = (target) => navigate("/runs", target);
  const charts = { overview, runsOf, onRuns };
  const here = { ...statisticsQuery(filters, {}), sort: query.sort, steps: query.steps };
  const sortBy = (name) => (column) => navigate("/statistics", { ...here, [name]: column }, { replace: true });
  const failures = {
    failuresOf: query.failures,
    failuresHref: (step) => href("/statistics", { ...here, failures: stepKey(step) }),
    onClose: () => navigate("/statistics", here, { replace: true }),
    flowFailures: {
      href: href("/runs", { ...scope, status: "FAILED" }),
      count: overview.numbers.failed,
      exact: overview.numbers.exact,
    },
  };
  return html`
    <${Figures} overview=${overview} runsQuery=${(status) => ({ ...scope, status })} />
    <p class="compared muted small">
      ${overview.previous
        ? "Arrows compare with the previous period of the same length."
        : "There is no previous period to compare with."}
    </p>
    <div class="plots">
      <${RunsChart} ...${charts} />
      <${RateChart} ...${charts} />
      <${DurationChart} ...${charts} />
    </div>
    ${isOwn && filters.flow && html`
      <${Steps}
        key=${`steps ${overviewKey}`}
        overview=${overview}
        filters=${filters}
        sort=${query.steps}
        onSort=${sortBy("steps")}
        ...${failures}
      />
    `}
    ${isOwn && (!filters.flow || (session.caller.flows?.length ?? 0) > 1)
      ? html`
        <${Flows}
          key=${`flows ${overviewKey}`}
          overview=${overview}
          filters=${filters}
          session=${session}
          sort=${query.sort}
          onSort=${sortBy("sort")}
          runsOf=${ofFlow}
          statisticsOf=${(flow) => statisticsQuery(filters, { flow })}
        />
      `
      : null}
  `;
}

// Each restarts when the filters change, after the overview has loaded and defines the period.
function Steps({ overview, filters, ...rest }) {
  const steps = usePoll((signal) => fetchSteps(filters, overview, signal), "steps", { intervalMs: DETAILS_MS });
  return html`<${StepTable} ...${rest} steps=${steps} />`;
}

function Flows({ overview, filters, session, ...rest }) {
  const asked = session.caller.flows ? filters : { ...filters, flow: "" };
  const flows = usePoll((signal) => fetchFlows(asked, overview, session, signal), "flows", { intervalMs: DETAILS_MS });
  return html`<${FlowTable} ...${rest} flows=${flows} total=${overview.numbers.total} />`;
}
