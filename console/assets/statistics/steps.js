// Owns the table of a flow's steps: their failures and their durations in the flow's newest runs.
import { formatCount, formatDuration, plural } from "../format.js";
import { href, runPath } from "../router.js";
import { html } from "../ui/html.js";
import { RelativeTime } from "../ui/time.js";
import { visible, visibleLines } from "../ui/visible.js";
import { FailedCell, RateCell } from "./cells.js";
import { StepFailures, stepKey } from "./failures.js";
import { SortedTable } from "./sorted-table.js";

const columnsOf = (failuresHref) => [
  {
    id: "step",
    label: "Step",
    by: (step) => step.name.toLowerCase(),
    up: true,
    cell: (step) => html`<${Name} step=${step} />`,
  },
  {
    id: "begun",
    label: "Started",
    by: (step) => step.totalExecutions,
    cell: (step) => formatCount(step.totalExecutions),
  },
  {
    id: "first",
    label: "Failed first",
    hint: "The number of runs in which this step failed first. A fork fails after a step in one of its branches.",
    by: (step) => step.failedFirst + step.failed / 1e9,
    cell: (step) => formatCount(step.failedFirst),
  },
  {
    id: "failed",
    label: "Failed",
    by: (step) => step.failed,
    cell: (step) => html`
      <${FailedCell}
        count=${step.failed}
        href=${failuresHref(step)}
        of=${`times: ${visible(step.name)}; show these runs`}
      />
    `,
  },
  {
    id: "rate",
    label: "Success rate",
    by: (step) => step.rate ?? 2,
    up: true,
    cell: (step) => html`<${RateCell} rate=${step.rate} />`,
  },
  { id: "p50", label: "p50", by: (step) => step.p50 ?? -1, cell: (step) => formatDuration(step.p50) },
  { id: "p95", label: "p95", by: (step) => step.p95 ?? -1, cell: (step) => formatDuration(step.p95) },
  {
    id: "time",
    label: "Total time",
    by: (step) => step.totalTimeMs,
    cell: (step) => formatDuration(step.totalTimeMs),
  },
];

const failureHref = ({ lastFailure }) => href(runPath(lastFailure?.executionId ?? ""));

/**
 * @param {{steps: Object, sort: string, onSort: (id: string) => void, failuresOf: ?string,
 *   failuresHref: (step: Object) => string, flowFailures: Object, onClose: () => void}} props
 *   `steps` is the poll of fetchSteps; `failuresOf`: the stepKey of the step whose failures are shown
 */
export function StepTable({ steps, sort, onSort, failuresOf, failuresHref, flowFailures, onClose }) {
  const opened = failuresOf && steps.data?.steps.find((step) => stepKey(step) === failuresOf);
  return html`
    <${SortedTable}
      id="steps"
      title="Steps"
      columns=${columnsOf(failuresHref)}
      sort=${sort}
      standard="first"
      onSort=${onSort}
      poll=${steps}
      rowsOf=${(data) => data.steps}
      keyOf=${(step) => `${step.stepId} ${step.name} ${step.action}`}
      captionOf=${caption}
      empty="No steps in this time"
    />
    ${opened && html`
      <${StepFailures} step=${opened} caption=${caption(steps.data)} flowFailures=${flowFailures} onClose=${onClose} />
    `}
  `;
}

function caption({ runs, complete }) {
  return complete ? `of ${plural(runs, "run")}` : `of the newest ${plural(runs, "run")}`;
}

function Name({ step }) {
  const failure = step.lastFailure;
  return html`
    <bdi class="flow-name" title=${visible(step.name)}>${visible(step.name)}</bdi>
    ${step.action && html`<bdi class="flow-key muted" title=${visible(step.action)}>${visible(step.action)}</bdi>`}
    ${failure && html`
      <a
        class="step-failure small"
        href=${failureHref(step)}
        title=${visibleLines(failure.errorMessage) || "No message"}
      >
        <${RelativeTime} at=${failure.startTime} />${" "}
        <bdi>${visible(failure.errorMessage) || "failed"}</bdi>
      </a>
    `}
  `;
}
