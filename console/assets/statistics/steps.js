// Owns the table of a flow's steps: which of them fail most and which take the time, in the
// flow's newest runs.
import { formatCount, formatDuration, plural } from "../format.js";
import { href, runPath } from "../router.js";
import { html } from "../ui/html.js";
import { RelativeTime } from "../ui/time.js";
import { FailedCell, RateCell } from "./cells.js";
import { SortedTable } from "./sorted-table.js";

const COLUMNS = [
  { id: "step", label: "Step", by: (step) => step.name.toLowerCase(), up: true, cell: (step) => html`<${Name} step=${step} />` },
  { id: "begun", label: "Begun", by: (step) => step.totalExecutions, cell: (step) => formatCount(step.totalExecutions) },
  { id: "failed", label: "Failed", by: (step) => step.failed, cell: (step) => html`<${FailedCell} count=${step.failed} href=${failureHref(step)} of=${`times: ${step.name}; the last one`} />` },
  { id: "rate", label: "Success rate", by: (step) => step.rate ?? 2, up: true, cell: (step) => html`<${RateCell} rate=${step.rate} />` },
  { id: "p50", label: "p50", by: (step) => step.p50 ?? -1, cell: (step) => formatDuration(step.p50) },
  { id: "p95", label: "p95", by: (step) => step.p95 ?? -1, cell: (step) => formatDuration(step.p95) },
  { id: "time", label: "Time together", by: (step) => step.totalTimeMs, cell: (step) => formatDuration(step.totalTimeMs) },
];

const failureHref = ({ lastFailure }) => href(runPath(lastFailure?.executionId ?? ""));

/** @param {{steps: Object, sort: string, onSort: (id: string) => void}} props `steps` is the poll of fetchSteps */
export function StepTable({ steps, sort, onSort }) {
  return html`<${SortedTable} id="steps" title="Steps" columns=${COLUMNS} sort=${sort} standard="failed" onSort=${onSort} poll=${steps}
    rowsOf=${(data) => data.steps} keyOf=${(step) => `${step.stepId} ${step.name} ${step.action}`} captionOf=${caption} empty="No steps in this time" />`;
}

function caption({ runs, complete }) {
  return complete ? `of ${plural(runs, "run")}` : `of the newest ${plural(runs, "run")}`;
}

function Name({ step }) {
  const failure = step.lastFailure;
  return html`<bdi class="flow-name">${step.name}</bdi>${step.action && html`<bdi class="flow-key muted">${step.action}</bdi>`}
    ${failure && html`<a class="step-failure small" href=${failureHref(step)} title=${failure.errorMessage ?? "Without a message"}>
      <${RelativeTime} at=${failure.startTime} /> <bdi>${failure.errorMessage ?? "failed"}</bdi></a>`}`;
}
