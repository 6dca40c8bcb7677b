// Owns the timeline: a tree of rows next to bars on a common time axis. Only the rows on the screen
// are in the DOM; the zoom selects a period instead of widening the page.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatCount, formatDuration, plural } from "../format.js";
import { classes, html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { isOpen, statusLabel } from "../ui/status.js";
import { Axis, Grid, useZoom } from "./axis.js";
import { Bars } from "./bars.js";
import { NewSteps, useFollow, useStillRows } from "./follow.js";
import { Glyph, GlyphButton } from "./glyphs.js";
import { Overview } from "./overview.js";
import { clampView, offsetLabel } from "./scale.js";
import { useRowKeys } from "./row-keys.js";
import { RowName } from "./row-name.js";
import { useVirtual } from "./virtual.js";

const AXIS = 30;
/** Up to this number of rows, there is no overview. */
const SMALL = 10;
const MANY = 20;

/**
 * @param {{rows: import("./rows.js").Row[], domain: {start: number, length: number}, present: number,
 *   zoom: ?Object, selected: ?string, loading: ?string, live: boolean, complete: boolean, label: string,
 *   allOpen: boolean, cause: ?import("./cause.js").Cause, onCause: ?(() => void), onZoom: (view: ?Object) => void,
 *   onSelect: (key: ?string, byPointer?: boolean) => void, onToggle: (key: string, open: boolean) => void,
 *   onAll: (open: boolean) => void}} props
 */
export function Timeline({
  rows,
  domain,
  present,
  zoom,
  selected,
  loading,
  live,
  complete,
  label,
  allOpen,
  cause,
  onCause,
  onZoom,
  onSelect,
  onToggle,
  onAll,
}) {
  const rowHeight = useRowHeight();
  const { view, setView } = useView(zoom, domain.length, live, onZoom);
  const list = useVirtual(rows.length, rowHeight, { top: AXIS });
  const scroller = useRef(null);
  const width = useChartWidth(scroller);
  const zooming = useZoom(scroller, { view, length: domain.length, setView });
  const keys = useRowKeys({ rows, selected, onSelect, onToggle, reveal: list.reveal, zooming });
  useStillRows(scroller, rows, rowHeight, complete ? null : selected);
  useRevealSelected(rows, selected, list.reveal);
  const follow = useFollow(scroller, rows, { live, complete, selected });
  const shared = { view, start: domain.start, present, onReveal: setView, length: domain.length };
  return html`
    <div class="tl">
      <${Tools}
        rows=${rows}
        loading=${loading}
        zooming=${zooming}
        zoomed=${Boolean(zoom)}
        view=${view}
        allOpen=${allOpen}
        onAll=${onAll}
        selected=${selected}
        onSelect=${onSelect}
        cause=${cause}
        onCause=${onCause}
      />
      ${(zoom || rows.length > SMALL) && html`
        <${Overview}
          rows=${rows}
          domain=${domain}
          present=${present}
          view=${view}
          onView=${setView}
          cause=${cause}
          onCause=${onCause}
        />
      `}
      <div class="tl-scroll" ref=${scroller}>
        <${Axis}
          view=${view}
          start=${domain.start}
          width=${width}
          height=${AXIS}
          length=${domain.length}
          onView=${setView}
        />
        <div
          class="tl-rows"
          ref=${list.ref}
          style=${list.outer}
          role="tree"
          tabindex="0"
          aria-label=${label}
          aria-activedescendant=${keys.at >= list.first && keys.at < list.last ? keys.activeId : null}
          onKeyDown=${keys.onKeyDown}
          onFocus=${keys.onFocus}
        >
          <${Grid} view=${view} start=${domain.start} width=${width} />
          <div style=${list.inner} role="presentation">
            ${rows.slice(list.first, list.last).map((row) => html`
              <${Row}
                key=${row.key}
                row=${row}
                height=${rowHeight}
                shared=${shared}
                selected=${row.key === selected}
                active=${keys.active === row.key}
                onSelect=${onSelect}
                onToggle=${onToggle}
                onActive=${keys.setActive}
              />
            `)}
          </div>
        </div>
      </div>
      <${NewSteps} ...${follow} />
    </div>
  `;
}

/** The shown period. If it ends at the present, it follows a live run. */
function useView(zoom, length, live, onZoom) {
  const atEnd = useRef(false);
  const size = zoom ? zoom.to - zoom.from : length;
  const isMoving = live && atEnd.current && size < length;
  const view = !zoom
    ? { from: 0, to: length }
    : isMoving
      ? { from: length - size, to: length }
      : clampView(zoom, length);
  const setView = (next) => {
    const isPart = next && next.to - next.from < length;
    atEnd.current = Boolean(isPart) && next.to >= length - 1;
    onZoom(isPart ? next : null);
  };
  return { view, setView };
}

function Row({ row, height, shared, selected, active, onSelect, onToggle, onActive }) {
  const style = { height: `${height}px` };
  if (row.kind === "note") {
    return html`
      <div
        role="treeitem"
        id=${rowId(row.key)}
        aria-level=${row.depth}
        aria-setsize=${row.siblings.count}
        aria-posinset=${row.place}
        class=${classes("tl-row tl-note", `tl-note-${row.tone}`, active && "tl-active")}
        style=${style}
      >
        <${RowName} row=${row} />
      </div>
    `;
  }
  const press = (event) => {
    if (event.target.closest("a, button")) return;
    onActive(row.key);
    if (event.target.closest(".twisty") || row.kind === "lane") onToggle(row.key, !row.open);
    else onSelect(row.key, true);
  };
  return html`
    <div
      role="treeitem"
      id=${rowId(row.key)}
      aria-level=${row.depth}
      aria-setsize=${row.siblings.count}
      aria-posinset=${row.place}
      data-key=${row.key}
      aria-expanded=${row.parts ? String(row.open) : null}
      aria-selected=${String(selected)}
      class=${classes(
        "tl-row",
        `tl-${row.kind}`,
        selected && "tl-selected",
        active && "tl-active",
        row.status === "FAILED" && "tl-failed",
      )}
      style=${style}
      onClick=${press}
      onDblClick=${(event) =>
        row.parts &&
        row.kind === "step" &&
        !event.target.closest(".twisty") &&
        onToggle(row.key, !row.open)}
    >
      <${RowName} row=${row} />
      <span class="hidden">${describe(row, shared)}</span>
      <${Bars} row=${row} ...${shared} />
    </div>
  `;
}

/** The DOM id of a row. It must not contain spaces, and record ids do not. */
export const rowId = (key) => `row-${key}`;

// The information of a bar, as text for screen readers.
function describe(row, { start, present }) {
  const end = row.end ?? (isOpen(row.status) ? present : null);
  const took = row.step?.durationMs ?? (row.begin !== null && end !== null ? end - row.begin : null);
  const tries = row.step?.retryCount > 0 ? `, ${plural(row.step.retryCount + 1, "attempt")}` : "";
  const when =
    row.begin === null
      ? "no time recorded"
      : `starts at ${offsetLabel(row.begin - start)}, took ${formatDuration(took)}`;
  return `, ${row.kind === "lane" ? "branch, " : ""}${statusLabel(row.status)}, ${when}${tries}`;
}

function Tools({ rows, loading, zooming, zoomed, view, allOpen, onAll, selected, onSelect, cause, onCause }) {
  const any = rows.some((row) => row.parts);
  const open = allOpen || rows.every((row) => !row.parts || row.open);
  return html`
    <div class="tl-tools" role="toolbar" aria-label="Timeline">
      ${any && html`
        <button type="button" class="button button-quiet" onClick=${() => onAll(!open)}>
          <${Glyph} name=${open ? "fold" : "unfold"} />
          ${open ? "Collapse all" : "Expand all"}
        </button>
      `}
      <${Failures} rows=${rows} selected=${selected} onSelect=${onSelect} cause=${cause} onCause=${onCause} />
      <span class="tl-progress" role="status">${loading}</span>
      <span class="tl-span">${zoomed && `${offsetLabel(view.from)} – ${offsetLabel(view.to)}`}</span>
      <${GlyphButton} glyph="minus" label="Zoom out (−)" disabled=${!zoomed} onClick=${zooming.out} />
      <button
        type="button"
        class="button button-quiet"
        title="Show the whole run (0)"
        disabled=${!zoomed}
        onClick=${zooming.fit}
      >
        <${Glyph} name="fit" />Fit
      </button>
      <${GlyphButton} glyph="plus" label="Zoom in (+)" onClick=${zooming.in} />
    </div>
  `;
}

/**
 * A button to the step that failed first, then to the next failed step, for runs that are too long
 * for one screen.
 */
function Failures({ rows, selected, onSelect, cause, onCause }) {
  const failed = useMemo(() => failedLeaves(rows), [rows]);
  if (rows.length < MANY || failed.length === 0) return null;
  const at = failed.findIndex((row) => row.key === selected);
  // If no failed step is selected, the first is, which may be in a collapsed part.
  const isFirst = at < 0 && Boolean(onCause);
  const next = () => (isFirst ? onCause() : onSelect(failed[(at + 1) % failed.length].key));
  const title = isFirst ? `Go to the step that failed first: ${cause.name}` : "Go to the next failed step";
  return html`
    <button type="button" class="button button-quiet tl-failures" title=${title} onClick=${next}>
      <${Icon} name="failed" />
      ${formatCount(failed.length)} failed
    </button>
  `;
}

/** The failed steps, without those whose failed child is visible. */
function failedLeaves(rows) {
  const leaves = [];
  // Whether a failed step was found at each depth below, read from the end.
  const below = [];
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const { kind, status, depth } = rows[index];
    const holds = below.slice(depth + 1).some(Boolean);
    const isFailed = kind === "step" && status === "FAILED";
    if (isFailed && !holds) leaves.push(rows[index]);
    below.length = depth + 1;
    below[depth] ||= isFailed || holds;
  }
  return leaves.reverse();
}

function useRowHeight() {
  const narrow = "(max-width: 720px)";
  const [height, setHeight] = useState(matchMedia(narrow).matches ? 52 : 32);
  useEffect(() => {
    const media = matchMedia(narrow);
    const follow = () => setHeight(media.matches ? 52 : 32);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, []);
  return height;
}

function useChartWidth(scroller) {
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const axis = scroller.current.querySelector(".tl-ticks");
    const observer = new ResizeObserver(() => setWidth(axis.clientWidth));
    observer.observe(axis);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** Scrolls once to the step of the address, when its row exists. */
function useRevealSelected(rows, selected, reveal) {
  const shown = useRef(null);
  useEffect(() => {
    if (!selected) shown.current = null;
    if (!selected || shown.current === selected) return;
    const index = rows.findIndex((row) => row.key === selected);
    if (index < 0) return;
    shown.current = selected;
    reveal(index, true);
  }, [rows, selected]);
}
