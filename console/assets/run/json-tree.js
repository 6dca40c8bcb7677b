// Owns the JSON tree: expanding and collapsing, the search, the keyboard, and copying of paths and
// values. Only the rows on the screen are in the DOM.
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatCount } from "../format.js";
import { classes, html } from "../ui/html.js";
import { CopyButton, copyText } from "../ui/controls.js";
import { toast } from "../ui/toast.js";
import { Icon } from "../ui/icons.js";
import { GlyphButton } from "./glyphs.js";
import {
  above,
  isNode,
  MAX_HITS,
  MAX_ROWS,
  openAll,
  openAtFirst,
  pathOf,
  rowsBefore,
  rowsOf,
  search,
  textOf,
} from "./json-model.js";
import { JsonName, JsonValue } from "./json-value.js";
import { useVirtual } from "./virtual.js";

const ROW = 24;

/**
 * @param {{roots: import("./json-model.js").Root[], label: string, id: string, unsearched?: string,
 *   rootless?: boolean, bare?: boolean}} props
 *   `id`: identifies the content; a new id resets the tree, the same id keeps expanded values while values change;
 *   `unsearched`: what is not loaded and so not searched; `rootless`: the name of the only root is shown elsewhere;
 *   `bare`: without search and paths
 */
export function JsonTree({ roots, label, id, unsearched = "", rootless = false, bare = false }) {
  const box = useRef(null);
  const domId = useId();
  const columns = useColumns(box);
  const [open, setOpen] = useState(() => openAtFirst(roots));
  const [active, setActive] = useState("#0");
  const [from, setFrom] = useState(0);
  const all = useMemo(() => rowsOf(roots, open, columns, from), [roots, open, columns, from]);
  const rows = rootless && isNode(roots[0].value) && all[0]?.depth === 0 ? all.slice(1) : all;
  const list = useVirtual(rows.length, ROW);
  const find = useSearch(roots, open, setOpen, setActive);
  const found = rows.findIndex((row) => row.id === active);
  // Without the root, its first row is initially active.
  const at = found < 0 && rootless && rows.length > 0 ? 0 : found;
  useEffect(() => {
    setOpen(openAtFirst(roots));
    setActive("#0");
    setFrom(0);
  }, [id]);
  const hitAt = find.target ? targetIndex(rows, find.target) : -1;
  const shown = useRef(null);
  const sought = useRef(null);
  useEffect(() => {
    const { target } = find;
    // Only once for each hit, so that later scrolling or collapsing is not undone.
    if (!target || shown.current === target) return;
    if (hitAt >= 0) {
      shown.current = target;
      list.reveal(hitAt, true);
    } else if (sought.current !== target) {
      sought.current = target;
      setFrom(rowsBefore(roots, open, columns, target));
    }
  }, [find.target, hitAt]);
  const toggle = (row, to = !row.open) => {
    const next = new Set(open);
    if (to) next.add(row.id);
    else next.delete(row.id);
    setOpen(next);
  };
  const onKeyDown = useTreeKeys({
    rows,
    at,
    setActive,
    toggle,
    reveal: list.reveal,
    toBegin: from > 0 && (() => setFrom(0)),
  });
  const row = rows[at];
  const isCut = all.length >= MAX_ROWS;
  return html`
    <div class=${bare ? "json json-bare" : "json"}>
      ${!bare && html`
        <${JsonTools}
          find=${find}
          label=${label}
          unsearched=${unsearched}
          onAll=${() => setOpen(openAll(roots))}
          onNone=${() => setOpen(new Set())}
        />
      `}
      <div class="json-box" ref=${box}>
        ${from > 0 && html`
          <p class="json-cut">
            Rows ${formatCount(from + 1)} to ${formatCount(from + all.length)} are
            shown. <button type="button" class="link" onClick=${() => setFrom(0)}>Go to the beginning</button>
          </p>
        `}
        <div
          role="tree"
          tabindex="0"
          aria-label=${label}
          class="json-rows"
          ref=${list.ref}
          style=${list.outer}
          aria-activedescendant=${at >= list.first && at < list.last ? `${domId}-${at}` : null}
          onKeyDown=${onKeyDown}
        >
          <div style=${list.inner} role="presentation">
            ${rows.slice(list.first, list.last).map((each, index) => html`
              <${JsonLine}
                key=${each.id}
                row=${each}
                domId=${`${domId}-${list.first + index}`}
                active=${list.first + index === at}
                query=${find.query}
                hit=${list.first + index === hitAt}
                target=${find.target?.id === each.id ? find.target : null}
                lift=${rootless ? 1 : 0}
                onPress=${() => {
                  setActive(each.id);
                  if (each.kind === "node" || each.foldable) toggle(each);
                }}
              />
            `)}
          </div>
        </div>
        ${isCut && from === 0 && html`
          <p class="json-cut">The first ${formatCount(MAX_ROWS)} rows are shown. Collapse parts or search.</p>
        `}
      </div>
      ${!bare && html`<${JsonPlace} row=${row} roots=${roots} />`}
    </div>
  `;
}

function JsonLine({ row, domId, active, query, hit, target, lift, onPress }) {
  const depth = Math.max(0, row.depth - lift);
  const style = { height: `${ROW}px`, paddingInlineStart: `${6 + Math.min(depth, 30) * 14}px` };
  const opens = row.count > 0 || row.foldable;
  const press = (event) => !event.target.closest("button") && getSelection().isCollapsed && onPress();
  return html`
    <div
      role="treeitem"
      id=${domId}
      aria-level=${depth + 1}
      aria-expanded=${opens ? String(row.open) : null}
      aria-selected=${String(active)}
      class=${classes(
        "json-row",
        active && "json-active",
        hit && "json-hit",
        opens && "json-opens",
        row.depth === 0 && "json-root",
      )}
      style=${style}
      onClick=${press}
    >
      <span class="twisty" aria-hidden="true">
        ${opens && html`<${Icon} name=${row.open ? "down" : "right"} />`}
      </span>
      <${JsonName} row=${row} query=${query} />
      <${JsonValue} row=${row} query=${query} at=${target?.at >= 0 ? target.at : null} />
    </div>
  `;
}

function JsonTools({ find, label, unsearched, onAll, onNone }) {
  const keys = (event) => {
    if (event.key === "Enter") find.go(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape" && find.query) find.setQuery("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const { hits, at } = find;
  const found =
    !find.query || !find.isCurrent
      ? ""
      : hits.length === 0
        ? unsearched
          ? `No hits, ${unsearched} not searched`
          : "No hits"
        : `${at + 1} of ${formatCount(hits.length)}${hits.length >= MAX_HITS ? "+" : ""}`;
  return html`
    <div class="json-tools">
      <span class="json-search">
        <${Icon} name="search" />
        <input
          class="input"
          type="search"
          aria-label=${`Search in ${label.toLowerCase()}`}
          placeholder="Search names and values"
          value=${find.query}
          autocomplete="off"
          spellcheck=${false}
          onInput=${(event) => find.setQuery(event.currentTarget.value)}
          onKeyDown=${keys}
        />
      </span>
      <span class="json-found" role="status">${found}</span>
      <${GlyphButton} glyph="unfold" label="Expand all" onClick=${onAll} />
      <${GlyphButton} glyph="fold" label="Collapse all" onClick=${onNone} />
      ${find.query && html`
        <button
          type="button"
          class="button button-quiet"
          disabled=${!hits.length || !find.isCurrent}
          onClick=${() => find.go(-1)}
        >
          Previous
        </button>
        <button
          type="button"
          class="button button-quiet"
          disabled=${!hits.length || !find.isCurrent}
          onClick=${() => find.go(1)}
        >
          Next
        </button>
      `}
    </div>
  `;
}

/** The path of the active row, with copy buttons. */
function JsonPlace({ row, roots }) {
  if (!row) return html`<div class="json-place"></div>`;
  const root = roots[Number(row.id.slice(1).split(/[/@]/)[0])];
  const path = pathOf(row);
  return html`
    <div class="json-place">
      <bdi class="json-path mono" title=${path}>
        ${roots.length > 1 && html`<span class="muted">${root?.name} </span>`}
        ${path}
      </bdi>
      <${CopyButton} text=${path} label="Copy the path">Path<//>
      <button
        type="button"
        class="copy"
        title="Copy the value"
        onClick=${async () =>
          toast(
            (await copyText(textOf(row.value)))
              ? "Value copied"
              : "The browser does not allow copying. Select the text and copy it.",
          )}
      >
        <${Icon} name="copy" />
        <span>Value</span>
      </button>
    </div>
  `;
}

function useSearch(roots, open, setOpen, setActive) {
  const [query, setQuery] = useState("");
  const [settled, setSettled] = useState("");
  const [at, setAt] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(query.trim()), 120);
    return () => clearTimeout(timer);
  }, [query]);
  const hits = useMemo(() => (settled ? search(roots, settled) : []), [roots, settled]);
  const isCurrent = settled === query.trim();
  const [target, setTarget] = useState(null);
  const show = (index) => {
    const hit = hits[index];
    setAt(index);
    setTarget(hit ? { ...hit } : null);
    if (!hit) return;
    setActive(hit.id);
    setOpen((old) => new Set([...old, ...above(hit.id), ...(hit.at > 80 ? [hit.id] : [])]));
  };
  // Updated values must not move the reading position.
  useEffect(() => show(0), [settled]);
  const go = (step) => isCurrent && hits.length > 0 && show((at + step + hits.length) % hits.length);
  return {
    query,
    setQuery,
    isCurrent,
    hits,
    at: Math.min(at, Math.max(0, hits.length - 1)),
    go,
    target: query ? target : null,
  };
}

/** The index of a hit's row, in an unfolded text its line; -1 if there is none. */
function targetIndex(rows, { id, at }) {
  const first = rows.findIndex((row) => row.id === id);
  if (at < 0 || !rows[first]?.open || !rows[first].foldable) return first;
  let line = first;
  while (rows[line + 1]?.kind === "text" && rows[line + 1].index <= at) line += 1;
  // The rest of the text may exceed the maximum number of rows.
  const isCut = line === rows.length - 1 && rows.length >= MAX_ROWS - 1;
  return isCut && !(rows[line].index + rows[line].line?.length > at) ? -1 : line;
}

function useTreeKeys({ rows, at, setActive, toggle, reveal, toBegin }) {
  const go = (index) => {
    const next = Math.min(rows.length - 1, Math.max(0, index));
    if (!rows[next]) return;
    setActive(rows[next].id);
    reveal(next);
  };
  return (event) => {
    const row = rows[at];
    if (event.ctrlKey || event.metaKey || event.altKey || !row) return;
    const opens = row.count > 0 || row.foldable;
    const parent = () => {
      for (let index = at - 1; index >= 0; index -= 1) if (rows[index].depth < row.depth) return index;
      return at;
    };
    const actions = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      Home: () => (toBegin ? toBegin() : go(0)),
      End: () => go(rows.length - 1),
      PageDown: () => go(at + 12),
      PageUp: () => go(at - 12),
      ArrowRight: () => opens && (row.open ? go(at + 1) : toggle(row, true)),
      ArrowLeft: () => (opens && row.open ? toggle(row, false) : go(parent())),
      Enter: () => opens && toggle(row),
      " ": () => opens && toggle(row),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  };
}

/** The number of characters of the code font that fit in a line of a long text. */
function useColumns(box) {
  const [columns, setColumns] = useState(60);
  useLayoutEffect(() => {
    const measure = () => {
      const style = getComputedStyle(box.current);
      const paint = document.createElement("canvas").getContext("2d");
      paint.font = `${style.getPropertyValue("font-size")} ${style.fontFamily}`;
      const wide = paint.measureText("mmmmmmmmmm").width / 10 || 8;
      setColumns(Math.max(20, Math.floor((box.current.clientWidth - 90) / wide)));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return columns;
}
