// Owns the table of steps: the rows of the timeline, with their values in columns.
import { useRef } from "preact/hooks";
import { formatCount, timeTitle } from "../format.js";
import { classes, html } from "../ui/html.js";
import { isOpen, statusLabel } from "../ui/status.js";
import { Duration } from "../ui/time.js";
import { NewSteps, useFollow, useStillRows } from "./follow.js";
import { RowName } from "./row-name.js";
import { useRowKeys } from "./row-keys.js";
import { offsetLabel } from "./scale.js";
import { useVirtual } from "./virtual.js";

const ROW = 32;
const HEAD = 30;
const COLUMNS = ["Name", "Status", "Type", "Started", "Duration", "Attempts", "Error"];

/**
 * @param {{rows: import("./rows.js").Row[], start: number, selected: ?string, loading: ?string, live: boolean,
 *   complete: boolean, onSelect: Function, onToggle: Function}} props
 */
export function StepTable({ rows, start, selected, loading, live, complete, onSelect, onToggle }) {
  const scroller = useRef(null);
  const list = useVirtual(rows.length, ROW, { top: HEAD });
  const keys = useRowKeys({ rows, selected, onSelect, onToggle, reveal: list.reveal });
  useStillRows(scroller, rows, ROW, complete ? null : selected);
  const follow = useFollow(scroller, rows, { live, complete, selected });
  const isSeen = keys.at >= list.first && keys.at < list.last;
  return html`
    <div class="tl">
      <div class="st-scroll" ref=${scroller} role="region" aria-label="Steps, as a table" tabindex="-1">
        <div
          class="st"
          role="treegrid"
          aria-label="Steps"
          aria-rowcount=${rows.length + 1}
          tabindex="0"
          aria-activedescendant=${isSeen ? keys.activeId : null}
          onKeyDown=${keys.onKeyDown}
          onFocus=${keys.onFocus}
        >
          <div role="row" class="st-row st-head" aria-rowindex="1">
            ${COLUMNS.map((name) => html`<span key=${name} role="columnheader">${name}</span>`)}
          </div>
          <div role="rowgroup" ref=${list.ref} style=${list.outer}>
            <div role="presentation" style=${list.inner}>
              ${rows.slice(list.first, list.last).map((row, index) => html`
                <${TableRow}
                  key=${row.key}
                  row=${row}
                  index=${list.first + index}
                  start=${start}
                  selected=${row.key === selected}
                  active=${isSeen && keys.active === row.key}
                  onSelect=${onSelect}
                  onToggle=${onToggle}
                  onActive=${keys.setActive}
                />
              `)}
            </div>
          </div>
        </div>
      </div>
      <${NewSteps} ...${follow} />
      ${loading && html`<p class="tl-progress st-foot" role="status">${loading}</p>`}
    </div>
  `;
}

function TableRow({ row, index, start, selected, active, onSelect, onToggle, onActive }) {
  const shared = { id: `row-${row.key}`, role: "row", "aria-rowindex": index + 2, "aria-level": row.depth };
  if (row.kind === "note") {
    return html`
      <div ...${shared} class=${classes("st-row tl-note", `tl-note-${row.tone}`)}>
        <span role="gridcell">
          <${RowName} row=${row} />
        </span>
      </div>
    `;
  }
  const press = (event) => {
    if (event.target.closest("a, button")) return;
    onActive(row.key);
    if (event.target.closest(".twisty") || row.kind === "lane") onToggle(row.key, !row.open);
    else onSelect(row.key, true);
  };
  const { step } = row;
  const error = step?.errorMessage?.split("\n").find((line) => line.trim());
  return html`
    <div
      ...${shared}
      data-key=${row.key}
      aria-expanded=${row.parts ? String(row.open) : null}
      aria-selected=${String(selected)}
      onClick=${press}
      class=${classes(
        "st-row",
        selected && "tl-selected",
        active && "tl-active",
        row.status === "FAILED" && "tl-failed",
      )}
    >
      <span role="gridcell">
        <${RowName} row=${row} />
      </span>
      <span role="gridcell">${statusLabel(row.status)}</span>
      <span role="gridcell">
        <bdi class="mono small">${step?.stepType ?? (row.kind === "lane" ? "branch" : "—")}</bdi>
      </span>
      <span role="gridcell" class="st-number" title=${step ? timeTitle(step.startTime) : null}>
        ${row.begin === null ? "—" : offsetLabel(row.begin - start)}
      </span>
      <span role="gridcell" class="st-number">
        <${Duration}
          ms=${step?.durationMs ?? (row.end === null || row.begin === null ? null : row.end - row.begin)}
          since=${row.begin === null ? null : new Date(row.begin).toISOString()}
          open=${isOpen(row.status)}
        />
      </span>
      <span role="gridcell" class="st-number">${step ? formatCount((step.retryCount ?? 0) + 1) : ""}</span>
      <span role="gridcell" class="st-error">
        ${error && html`<bdi title=${step.errorMessage.slice(0, 1000)}>${error.slice(0, 300)}</bdi>`}
      </span>
    </div>
  `;
}
