// Owns the head of the page: the run's identity, its state, and the reason of a failure.
import { flowTitle, formatCount, now, parseTime, plural } from "../format.js";
import { href, runPath } from "../router.js";
import { html } from "../ui/html.js";
import { CopyButton } from "../ui/controls.js";
import { Icon } from "../ui/icons.js";
import { isOpen, Marks, StatusIcon, statusLabel } from "../ui/status.js";
import { Duration, RelativeTime } from "../ui/time.js";
import { searchedLabels } from "../runs/filters.js";
import { Actions } from "./actions.js";
import { ErrorText } from "./error-text.js";
import { plainNumber } from "./exact.js";
import { Exact, Fact } from "./inspector.js";
import { visible } from "./json-model.js";

const DAY = 86_400_000;

/**
 * @param {{run: Object, session: import("../session.js").Session, live: any, reveal: boolean, onReveal: () => void,
 *   onChanged: () => void, onPinned: (pinned: boolean) => void, cause: ?import("./cause.js").Cause,
 *   onCause: ?(() => void), warnings: Set<string>}} props
 *   `run`: the metadata
 */
export function RunHeader({ run, session, live, reveal, onReveal, onChanged, onPinned, cause, onCause, warnings }) {
  const name = flowTitle(run.flowName, run.flowDefinitionId);
  const flowRuns = href("/runs", { flow: run.flowDefinitionId });
  return html`
    <header class="run-head">
      <nav class="run-crumbs" aria-label="Breadcrumbs">
        <a href=${href("/runs")}>Runs</a>
        <span aria-hidden="true">/</span>
        ${run.flowDefinitionId && html`
          <a href=${flowRuns}>
            <bdi>${run.flowDefinitionId}</bdi>
          </a>
        `}
        ${run.parentFlowExecutionId && html`
          <span aria-hidden="true">/</span>
          <a href=${parentHref(run)}>Parent run</a>
        `}
        <span class="run-crumb-id">
          <span aria-hidden="true">/</span>${" "}
          <bdi class="mono run-id">${run.flowExecutionId}</bdi>
          <${CopyButton} text=${run.flowExecutionId} label="Copy the run's id" />
        </span>
      </nav>
      <div class="run-title">
        <span class=${`run-state run-state-${run.status.toLowerCase()}`}>
          <${StatusIcon} status=${run.status} />
          ${statusLabel(run.status)}
        </span>
        <h1>
          <bdi>${visible(name)}</bdi>
        </h1>
        ${run.flowVersion !== null && html`
          <span class="tag" title="Version of the flow">
            <bdi>${/^\d/.test(run.flowVersion) ? "v" : ""}${String(run.flowVersion)}</bdi>
          </span>
        `}
        ${run.executionType === "SUBFLOW" && html`<span class="tag">sub-flow</span>`}
        <${Marks} run=${run} />
        ${live}
        <${Actions}
          run=${run}
          session=${session}
          reveal=${reveal}
          onReveal=${onReveal}
          onChanged=${onChanged}
          onPinned=${onPinned}
        />
      </div>
      <${Facts} run=${run} />
      ${run.status === "CANCELLED" && html`<${Cancelled} run=${run} />`}
      ${(run.errorMessage || cause) && html`
        <${ErrorText}
          text=${run.errorMessage || cause.step.errorMessage || "No error message is recorded."}
          title=${run.status === "FAILED" ? "This run failed" : "Reported error"}
          lines=${3}
        >
          ${cause && html`<${FirstFailed} cause=${cause} onCause=${onCause} />`}
        <//>
      `}
      ${plainNumber(run.droppedSteps) > 0 && html`<${Dropped} count=${plainNumber(run.droppedSteps)} />`}
      ${warnings.size > 0 && html`<${Warnings} warnings=${[...warnings]} />`}
    </header>
  `;
}

/** The step that failed first, with a button to show it unless it is selected. */
function FirstFailed({ cause, onCause }) {
  const lane = cause.lane();
  return html`
    <span class="run-cause">
      First failed step: <bdi>${cause.name}</bdi>
      ${lane && html` in <bdi>${visible(lane)}</bdi>`}
    </span>
    ${onCause && html`<button type="button" class="link" onClick=${onCause}>Show step</button>`}
  `;
}

const parentHref = (run) => href(runPath(run.parentFlowExecutionId), { step: run.parentStepInstanceId });

/** A label; a link to all runs with it if runs can be found by it. */
function Label({ name, value, isSearched }) {
  const text = html`
    <bdi class="muted">${name}</bdi>${" "}
    <bdi>${value}</bdi>
  `;
  if (!isSearched) return html`<span class="run-label">${text}</span>`;
  return html`
    <a class="run-label" href=${href("/runs", { label: `${name}=${value}` })} title="Runs with this label">${text}</a>
  `;
}

function Facts({ run }) {
  const started = run.startTime ?? run.createdAt;
  const labels = Object.entries(run.labels ?? {});
  const searched = new Set(searchedLabels(run.labels));
  return html`
    <dl class="run-facts">
      <${Fact} name=${run.startTime ? "Started" : "Created"}>
        <${Exact} at=${started} />
        ${now() - parseTime(started) < DAY && html`
          ${" "}
          <span class="muted">
            <${RelativeTime} at=${started} />
          </span>
        `}
      <//>
      <${Fact} name="Duration">
        <strong>
          <${Duration} ms=${run.durationMs} since=${started} open=${run.status === "RUNNING"} />
        </strong>
      <//>
      ${run.endTime && html`
        <${Fact} name="Ended">
          <${Exact} at=${run.endTime} />
        <//>
      `}
      <${Fact} name="Trigger">
        ${run.trigger && html`<bdi>${run.trigger}</bdi>`}
      <//>
      <${Fact} name="Steps">
        <${Steps} summary=${run.stepSummary} />
      <//>
      ${run.usage?.length > 0 && html`
        <${Fact} name="Tokens">
          <${Usage} usage=${run.usage} />
        <//>
      `}
      ${run.deviceId && html`
        <${Fact} name="Device">
          <a href=${href("/runs", { device: run.deviceId })}>
            <bdi>${run.deviceId}</bdi>
          </a>
        <//>
      `}
      ${isOpen(run.status) && run.heartbeatAt && html`
        <${Fact} name="Last heartbeat">
          <${RelativeTime} at=${run.heartbeatAt} />
        <//>
      `}
      ${isOpen(run.status) && run.timeoutAt && html`
        <${Fact} name="Times out">
          <${Exact} at=${run.timeoutAt} />
        <//>
      `}
      ${labels.length > 0 && html`
        <${Fact} name="Labels">
          <span class="run-labels">
            ${labels.map(([key, value]) => html`
              <${Label} key=${key} name=${key} value=${value} isSearched=${searched.has(`${key}=${value}`)} />
            `)}
          </span>
        <//>
      `}
    </dl>
  `;
}

function Steps({ summary }) {
  if (!summary) return html`<span class="none">—</span>`;
  const { total, passed, failed } = summary;
  const count = (number) => (Number.isFinite(Number(number ?? NaN)) ? formatCount(Number(number)) : "?");
  return html`
    ${count(passed)} of ${count(total)}${" "}
    passed${Number(failed) > 0 && html`, <strong class="run-bad">${count(failed)} failed</strong>`}
  `;
}

/** The most models that are shown separately. */
const MOST_MODELS = 20;

/** The tokens of all models together, and of each model. */
function Usage({ usage }) {
  const sum = (name) => usage.reduce((total, model) => total + (plainNumber(model[name]) ?? 0), 0);
  const all = { inputTokens: sum("inputTokens"), outputTokens: sum("outputTokens") };
  const more = usage.length - MOST_MODELS;
  return html`
    ${tokensText(all)}
    <span class="run-labels run-models">
      ${usage.slice(0, MOST_MODELS).map((model, at) => html`
        <span key=${at} class="run-label">
          <bdi class="muted">${model.model === null ? "unknown model" : visible(model.model)}</bdi>${" "}
          ${tokensText(model)}
        </span>
      `)}
      ${more > 0 && html`<span class="muted">and ${plural(more, "more model", "more models")}</span>`}
    </span>
  `;
}

function tokensText({ inputTokens, outputTokens }) {
  const count = (tokens) => (plainNumber(tokens) === null ? "?" : formatCount(plainNumber(tokens)));
  return `${count(inputTokens)} in, ${count(outputTokens)} out`;
}

function Dropped({ count }) {
  return html`
    <p class="notice run-dropped">
      <${Icon} name="warning" />${" "}
      ${plural(count, "step")} of this run ${count === 1 ? "is" : "are"} missing, because it had too many to store.
    </p>
  `;
}

function Cancelled({ run }) {
  return html`
    <p class="run-cancelled">
      <${Icon} name="cancelled" />
      <span>
        Cancelled${run.cancelledBy && html` by <bdi class="mono">${run.cancelledBy}</bdi>`}
        ${run.endTime && html`, <${RelativeTime} at=${run.endTime} />`}.${" "}
        ${run.cancelReason
          ? html`<bdi>“${run.cancelReason}”</bdi>`
          : !run.errorMessage &&
            html`<span class="muted">No reason was given.</span>`}
      </span>
    </p>
  `;
}

function Warnings({ warnings }) {
  return html`
    <details class="notice run-warnings" open=${warnings.length === 1}>
      <summary>
        <${Icon} name="warning" />${" "}
        ${warnings.length === 1 ? "A payload could not be read" : `${warnings.length} payloads could not be read`}
      </summary>
      <ul>
        ${warnings.map((warning) => html`
          <li key=${warning}>
            <bdi>${warning}</bdi>
          </li>
        `)}
      </ul>
    </details>
  `;
}
