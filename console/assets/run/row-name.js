// Owns the left half of a row: its depth, its toggle, its type and its name.
import { href, runPath } from "../router.js";
import { formatCount, plural } from "../format.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { StatusIcon } from "../ui/status.js";
import { Glyph } from "./glyphs.js";

/** @param {{row: import("./rows.js").Row}} props */
export function RowName({ row }) {
  const indent = { paddingInlineStart: `${8 + Math.min(row.depth - 1, 14) * 16}px` };
  if (row.kind === "note") {
    return html`
      <div class="tl-name" style=${indent}>
        <span class="twisty"></span>
        <span class="tl-note-text">${row.text}</span>
        ${row.runId && html`<a href=${href(runPath(row.runId))}>Open run</a>`}
        ${row.retry && html`<button type="button" class="link" onClick=${row.retry}>Try again</button>`}
      </div>
    `;
  }
  const title =
    row.kind === "lane" ? `Branch ${row.name}\n${row.branch.id}` : `${row.name}\n${row.step.stepType ?? ""}`;
  return html`
    <div class="tl-name" style=${indent} title=${title}>
      <span class=${row.parts ? "twisty twisty-on" : "twisty"} aria-hidden="true">
        ${row.parts && html`<${Icon} name=${row.open ? "down" : "right"} />`}
      </span>
      <${StatusIcon} status=${row.status} />
      ${row.kind === "lane" && html`
        <span class="tl-lane-mark">
          <${Glyph} name="fork" />
        </span>
      `}
      <bdi class="tl-label">${row.name}</bdi>
      ${row.kind === "lane"
        ? html`<span class="tl-type">${plural(row.branch.steps.length, "step")}</span>`
        : html`<${Kind} row=${row} />`}
    </div>
  `;
}

function Kind({ row }) {
  const { step, parts } = row;
  return html`
    ${parts === "fork" && html`
      <span class="tl-kind">
        <${Glyph} name="fork" />
      </span>
    `}
    ${step.retryCount > 0 && html`
      <span
        class="tl-retry"
        title=${`${formatCount(step.retryCount + 1)} attempts. The record has only their total time.`}
      >
        <${Glyph} name="retry" />
        ${formatCount(step.retryCount + 1)}
      </span>
    `}
    <bdi class="tl-type">${step.stepType === "PARALLEL_FORK_MANAGER" ? "fork" : step.stepType}</bdi>
    ${step.subflowExecutionId && html`
      <a
        class="tl-open"
        tabindex="-1"
        href=${href(runPath(step.subflowExecutionId))}
        title="Open this sub-flow's run"
        aria-label="Open this sub-flow's run"
      >
        <${Icon} name="external" />
      </a>
    `}
  `;
}
