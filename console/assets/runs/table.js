// Owns the rows of the run list: a table, shown as two-line cards on narrow screens.
import {
  flowTitle,
  formatCount,
  formatDuration,
  formatRelative,
  formatTicking,
  now,
  parseTime,
  plural,
} from "../format.js";
import { html, classes } from "../ui/html.js";
import { requestsNewTab, href, openInNewTab, runPath } from "../router.js";
import { CopyButton } from "../ui/controls.js";
import { isOpen, Marks, StatusBadge } from "../ui/status.js";
import { Duration, RelativeTime } from "../ui/time.js";
import { visible, visibleLines } from "../ui/visible.js";
import { searchedLabels } from "./filters.js";
import { shortId } from "./search.js";

const COLUMNS = [
  ["status", "Status"],
  ["flow", "Flow"],
  ["error", "Error or labels"],
  ["started", "Started"],
  ["duration", "Duration"],
  ["steps", "Steps"],
  ["source", "Trigger"],
  ["run", "Run"],
];

const longest = (rows, textOf) => rows.reduce((most, row) => Math.max(most, textOf(row).length), 0);

function durationText({ status, startTime, durationMs }) {
  return status === "RUNNING" && startTime ? formatTicking(now() - parseTime(startTime)) : formatDuration(durationMs);
}

/** Columns that are never truncated are as wide as their longest text; names and errors get the rest. */
function widthsOf(rows) {
  const widths = {
    started: longest(rows, (run) => formatRelative(run.startTime ?? run.createdAt)),
    duration: longest(rows, durationText),
    steps: longest(rows, (run) => stepTexts(run.stepSummary).join(" ")),
  };
  return Object.fromEntries(
    Object.entries(widths).map(([name, characters]) => [
      name,
      { width: `max(var(--least), ${(characters * 1.06).toFixed(1)}ch + 22px)` },
    ]),
  );
}

/**
 * @param {{rows: import("./data.js").Run[], arrived: Set<string>, busy: boolean, tableRef: any}} props
 */
export function RunTable({ rows, arrived, busy, tableRef }) {
  const widths = widthsOf(rows);
  return html`
    <table
      class=${classes("runs", busy && "runs-busy")}
      ref=${tableRef}
      role="table"
      aria-label="Runs, newest first"
      aria-busy=${String(busy)}
    >
      <thead role="rowgroup">
        <tr role="row">
          ${COLUMNS.map(([name, label]) => html`
            <th key=${name} role="columnheader" scope="col" class=${`col-${name}`} style=${widths[name]}>${label}</th>
          `)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map((run) => html`<${RunRow} key=${run.id} run=${run} isNew=${arrived.has(run.id)} />`)}
      </tbody>
    </table>
  `;
}

/** A click anywhere in the row opens it, except on a control or while selecting text. */
function open(event, target) {
  if (event.target.closest("a, button") || !getSelection().isCollapsed) return;
  if (requestsNewTab(event)) openInNewTab(target);
  else if (event.button === 0) location.hash = target;
}

function RunRow({ run, isNew }) {
  const target = href(runPath(run.id));
  const error = firstLine(run.errorMessage);
  return html`
    <tr
      role="row"
      class=${classes("run", `run-${run.status.toLowerCase()}`, isNew && "run-new")}
      data-run=${run.id}
      onClick=${(event) => open(event, target)}
      onAuxClick=${(event) => open(event, target)}
    >
      <td role="cell" class="col-status">
        <${StatusBadge} status=${run.status} />
      </td>
      <td role="cell" class="col-flow">
        <${Flow} run=${run} target=${target} />
      </td>
      <td role="cell" class="col-error">
        <${Marks} run=${run} />
        ${error
          ? html`<bdi title=${visibleLines(run.errorMessage)}>${visible(error)}</bdi>`
          : html`<${Labels} run=${run} />`}
      </td>
      <td role="cell" class="col-started">
        <${RelativeTime} at=${run.startTime ?? run.createdAt} />
      </td>
      <td role="cell" class="col-duration">
        <${Duration} ms=${run.durationMs} since=${run.startTime} open=${run.status === "RUNNING"} />
      </td>
      <td role="cell" class="col-steps">
        <${Steps} summary=${run.stepSummary} open=${isOpen(run.status)} />
      </td>
      <td role="cell" class="col-source">
        <${Source} run=${run} />
      </td>
      <td role="cell" class="col-run">
        <code title=${visible(run.id)}>
          <bdi>${visible(shortId(run.id))}</bdi>
        </code>
        <${CopyButton} text=${run.id} label="Copy the run's id" />
      </td>
    </tr>
  `;
}

function Flow({ run, target }) {
  const name = visible(flowTitle(run.flowName, run.flowId));
  return html`
    <div class="flow-cell">
      <a class="run-link" href=${target} title=${name}>
        <bdi>${name}</bdi>
      </a>
      ${run.flowName && html`<bdi class="flow-id" title=${visible(run.flowId)}>${visible(run.flowId)}</bdi>`}
      ${run.flowVersion !== null && html`
        <bdi class="flow-version" title="Version of the flow">${visible(run.flowVersion).replace(/^v?/, "v")}</bdi>
      `}
      ${run.executionType === "SUBFLOW" && html`<span class="tag">sub-flow</span>`}
    </div>
  `;
}

/** The run's labels; each is a link to all runs with it. */
function Labels({ run }) {
  return html`
    <span class="row-labels">
      ${searchedLabels(run.labels).map((label) => html`
        <a
          key=${label}
          class="row-label"
          href=${href("/runs", { label })}
          title=${`Runs with the label ${visible(label)}`}
        >
          <bdi>${visible(label)}</bdi>
        </a>
      `)}
    </span>
  `;
}

/** `40/46` and `✕6`, or only the first for a run without failures. */
function stepTexts(summary) {
  if (!summary) return ["—"];
  const { total, passed, failed } = summary;
  return [`${formatCount(passed)}/${formatCount(total)}`, ...(failed > 0 ? [`✕${formatCount(failed)}`] : [])];
}

function Steps({ summary }) {
  const [passed, failed] = stepTexts(summary);
  if (!summary) return html`<span class="none">${passed}</span>`;
  const passedText = `${formatCount(summary.passed)} of ${plural(summary.total, "step")} passed`;
  const words = failed ? `${passedText}, ${formatCount(summary.failed)} failed` : passedText;
  return html`
    <span title=${words}>
      <span class="hidden">${words}</span>
      <span aria-hidden="true">
        ${passed}
        ${failed && html` <b class="steps-failed">${failed}</b>`}
      </span>
    </span>
  `;
}

function Source({ run }) {
  if (!run.trigger && !run.deviceId) return html`<span class="none">—</span>`;
  return html`
    <div class="source-cell">
      ${run.trigger && html`<bdi class="trigger" title=${visible(run.trigger)}>${visible(words(run.trigger))}</bdi>`}
      ${run.deviceId && html`
        <bdi class="device" title=${`Device ${visible(run.deviceId)}`}>${visible(run.deviceId)}</bdi>
      `}
    </div>
  `;
}

/** WEBHOOK_CALL -> Webhook call; other texts of an engine stay unchanged. */
function words(trigger) {
  if (!/^[A-Z][A-Z_]*$/.test(trigger)) return trigger;
  if (trigger === "API") return trigger;
  return trigger[0] + trigger.slice(1).toLowerCase().replaceAll("_", " ");
}

function firstLine(text) {
  return (
    text
      ?.split(/\r?\n/)
      .find((line) => line.trim())
      ?.trim() ?? ""
  );
}

/** Moves the focus between rows. @param {HTMLElement} table @param {1|-1} step */
export function moveFocus(table, step) {
  const links = [...(table?.querySelectorAll(".run-link") ?? [])];
  if (links.length === 0) return;
  const here = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const next = here < 0 ? 0 : Math.min(links.length - 1, Math.max(0, here + step));
  links[next].focus({ preventScroll: true });
  links[next].closest("tr").scrollIntoView({ block: "nearest" });
}
