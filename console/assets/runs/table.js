// Owns the rows of the run list: a table, which narrow screens show as cards of two lines.
import { flowTitle } from "../format.js";
import { html, classes } from "../ui/html.js";
import { asksForTab, href, openBeside, runPath } from "../router.js";
import { CopyButton } from "../ui/controls.js";
import { isOpen, Marks, StatusBadge } from "../ui/status.js";
import { Duration, RelativeTime } from "../ui/time.js";
import { searchedLabels } from "./filters.js";

const COLUMNS = [
  ["status", "Status"], ["flow", "Flow"], ["error", "Error or labels"], ["started", "Started"],
  ["duration", "Duration"], ["steps", "Steps"], ["source", "Trigger"], ["run", "Run"],
];

/**
 * @param {{rows: import("./data.js").Run[], arrived: Set<string>, busy: boolean, tableRef: any}} props
 */
export function RunTable({ rows, arrived, busy, tableRef }) {
  return html`<table class=${classes("runs", busy && "runs-busy")} ref=${tableRef} role="table" aria-label="Runs, newest first" aria-busy=${String(busy)}>
    <thead role="rowgroup"><tr role="row">${COLUMNS.map(([name, label]) => html`<th key=${name} role="columnheader" scope="col" class=${`col-${name}`}>${label}</th>`)}</tr></thead>
    <tbody role="rowgroup">${rows.map((run) => html`<${RunRow} key=${run.id} run=${run} isNew=${arrived.has(run.id)} />`)}</tbody>
  </table>`;
}

/** A click anywhere in the row opens it, unless it is on something or marks a text. */
function open(event, target) {
  if (event.target.closest("a, button") || !getSelection().isCollapsed) return;
  if (asksForTab(event)) openBeside(target);
  else if (event.button === 0) location.hash = target;
}

function RunRow({ run, isNew }) {
  const target = href(runPath(run.id));
  const name = flowTitle(run.flowName, run.flowId);
  const error = firstLine(run.errorMessage);
  return html`<tr role="row" class=${classes("run", `run-${run.status.toLowerCase()}`, isNew && "run-new")} data-run=${run.id}
      onClick=${(event) => open(event, target)} onAuxClick=${(event) => open(event, target)}>
    <td role="cell" class="col-status"><${StatusBadge} status=${run.status} /></td>
    <td role="cell" class="col-flow"><a class="run-link" href=${target}><bdi title=${name}>${name}</bdi></a>
      ${run.flowName && html`<bdi class="flow-id" title=${run.flowId}>${run.flowId}</bdi>`}
      ${run.flowVersion !== null && html`<span class="flow-version">${String(run.flowVersion).replace(/^v?/, "v")}</span>`}
      ${run.executionType === "SUBFLOW" && html`<span class="tag">sub-flow</span>`}</td>
    <td role="cell" class="col-error"><${Marks} run=${run} />${error ? html`<bdi title=${run.errorMessage}>${error}</bdi>` : html`<${Labels} run=${run} />`}</td>
    <td role="cell" class="col-started"><${RelativeTime} at=${run.startTime ?? run.createdAt} /></td>
    <td role="cell" class="col-duration"><${Duration} ms=${run.durationMs} since=${run.startTime} open=${run.status === "RUNNING"} /></td>
    <td role="cell" class="col-steps"><${Steps} summary=${run.stepSummary} open=${isOpen(run.status)} /></td>
    <td role="cell" class="col-source"><${Source} run=${run} /></td>
    <td role="cell" class="col-run"><code title=${run.id}><bdi>${shortId(run.id)}</bdi></code><${CopyButton} text=${run.id} label="Copy the run's id" /></td>
  </tr>`;
}

/** What the run is about; each leads to all that have it. */
function Labels({ run }) {
  return html`<span class="row-labels">${searchedLabels(run.labels).map((label) => html`
    <a key=${label} class="row-label" href=${href("/runs", { label })} title=${`Runs with the label ${label}`}><bdi>${label}</bdi></a>`)}</span>`;
}

function Steps({ summary }) {
  if (!summary) return html`<span class="none">—</span>`;
  const { total, passed, failed } = summary;
  const words = `${passed} of ${total} steps passed${failed ? `, ${failed} failed` : ""}`;
  return html`<span title=${words}><span class="hidden">${words}</span><span aria-hidden="true">${passed}/${total}${failed > 0 && html` <b class="steps-failed">✕${failed}</b>`}</span></span>`;
}

function Source({ run }) {
  if (!run.trigger && !run.deviceId) return html`<span class="none">—</span>`;
  return html`${run.trigger && html`<span class="trigger" title=${run.trigger}>${words(run.trigger)}</span>`}
    ${run.deviceId && html`<bdi class="device" title=${`Device ${run.deviceId}`}>${run.deviceId}</bdi>`}`;
}

/** WEBHOOK_CALL -> Webhook call; an engine's own words are left alone. */
function words(trigger) {
  if (!/^[A-Z][A-Z_]*$/.test(trigger)) return trigger;
  if (trigger === "API") return trigger;
  return trigger[0] + trigger.slice(1).toLowerCase().replaceAll("_", " ");
}

function firstLine(text) {
  return text?.split(/\r?\n/).find((line) => line.trim())?.trim() ?? "";
}

/** UUIDs by their first group; of other long ids the end tells more than the middle. */
function shortId(id) {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(id)) return id.slice(0, 8);
  return id.length > 11 ? `${id.slice(0, 4)}…${id.slice(-5)}` : id;
}

/** Moves the focus from row to row. @param {HTMLElement} table @param {1|-1} step */
export function moveFocus(table, step) {
  const links = [...(table?.querySelectorAll(".run-link") ?? [])];
  if (links.length === 0) return;
  const here = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const next = here < 0 ? 0 : Math.min(links.length - 1, Math.max(0, here + step));
  links[next].focus({ preventScroll: true });
  links[next].closest("tr").scrollIntoView({ block: "nearest" });
}
