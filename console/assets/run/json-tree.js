// Owns the look and the keys of JSON: a tree that opens and closes, is searched, and whose
// places and values can be copied. Only the rows on the screen are in the page.
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatCount } from "../format.js";
import { classes, html } from "../ui/html.js";
import { CopyButton, copyText } from "../ui/controls.js";
import { toast } from "../ui/toast.js";
import { Icon } from "../ui/icons.js";
import { GlyphButton } from "./glyphs.js";
import { above, MOST_HITS, MOST_ROWS, openAll, openAtFirst, pathOf, rowsOf, search, textOf } from "./json-model.js";
import { JsonName, JsonValue } from "./json-value.js";
import { useVirtual } from "./virtual.js";

const ROW = 24;

/**
 * @param {{roots: import("./json-model.js").Root[], label: string, id: string}} props
 *   `id`: what is shown; another one begins anew, the same keeps what is open while values change
 */
export function JsonTree({ roots, label, id }) {
  const box = useRef(null);
  const domId = useId();
  const columns = useColumns(box);
  const [open, setOpen] = useState(() => openAtFirst(roots));
  const [active, setActive] = useState("#0");
  const rows = useMemo(() => rowsOf(roots, open, columns), [roots, open, columns]);
  const list = useVirtual(rows.length, ROW);
  const find = useSearch(roots, open, setOpen, setActive);
  const at = rows.findIndex((row) => row.id === active);
  useEffect(() => {
    setOpen(openAtFirst(roots));
    setActive("#0");
  }, [id]);
  useEffect(() => {
    if (find.target) list.reveal(targetIndex(rows, find.target), true);
  }, [find.target, open]);
  const toggle = (row, to = !row.open) => {
    const next = new Set(open);
    if (to) next.add(row.id);
    else next.delete(row.id);
    setOpen(next);
  };
  const onKeyDown = useTreeKeys({ rows, at, setActive, toggle, reveal: list.reveal });
  const row = rows[at];
  return html`<div class="json">
    <${JsonTools} find=${find} label=${label} onAll=${() => setOpen(openAll(roots))} onNone=${() => setOpen(new Set())} />
    <div class="json-box" ref=${box}><div role="tree" tabindex="0" aria-label=${label} class="json-rows" ref=${list.ref} style=${list.outer}
        aria-activedescendant=${at >= list.first && at < list.last ? `${domId}-${at}` : null} onKeyDown=${onKeyDown}>
      <div style=${list.inner} role="presentation">${rows.slice(list.first, list.last).map((each, index) => html`
        <${JsonLine} key=${each.id} row=${each} domId=${`${domId}-${list.first + index}`} active=${each.id === active} query=${find.query} hit=${find.target?.id === each.id}
          onPress=${() => { setActive(each.id); if (each.kind === "node" || each.foldable) toggle(each); }} />`)}</div></div>
      ${rows.length >= MOST_ROWS && html`<p class="json-cut">The first ${formatCount(MOST_ROWS)} rows are shown. Close parts, or search.</p>`}</div>
    <${JsonPlace} row=${row} roots=${roots} /></div>`;
}

function JsonLine({ row, domId, active, query, hit, onPress }) {
  const style = { height: `${ROW}px`, paddingInlineStart: `${6 + Math.min(row.depth, 30) * 14}px` };
  const opens = row.count > 0 || row.foldable;
  const press = (event) => !event.target.closest("button") && getSelection().isCollapsed && onPress();
  return html`<div role="treeitem" id=${domId} aria-level=${row.depth + 1} aria-expanded=${opens ? String(row.open) : null} aria-selected=${String(active)}
      class=${classes("json-row", active && "json-active", hit && "json-hit", opens && "json-opens", row.depth === 0 && "json-root")} style=${style} onClick=${press}>
    <span class="twisty" aria-hidden="true">${opens && html`<${Icon} name=${row.open ? "down" : "right"} />`}</span>
    <${JsonName} row=${row} query=${query} /><${JsonValue} row=${row} query=${query} /></div>`;
}

function JsonTools({ find, label, onAll, onNone }) {
  const keys = (event) => {
    if (event.key === "Enter") find.go(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape" && find.query) find.setQuery("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const { hits, at } = find;
  const found = !find.query || !find.isCurrent ? "" : hits.length === 0 ? "No hits" : `${at + 1} of ${formatCount(hits.length)}${hits.length >= MOST_HITS ? "+" : ""}`;
  return html`<div class="json-tools"><span class="json-search"><${Icon} name="search" />
      <input class="input" type="search" aria-label=${`Search in ${label.toLowerCase()}`} placeholder="Search names and values" value=${find.query}
        autocomplete="off" spellcheck=${false} onInput=${(event) => find.setQuery(event.currentTarget.value)} onKeyDown=${keys} /></span>
    <span class="json-found" role="status">${found}</span>
    <${GlyphButton} glyph="unfold" label="Expand all" onClick=${onAll} /><${GlyphButton} glyph="fold" label="Collapse all" onClick=${onNone} />
    ${find.query && html`<button type="button" class="button button-quiet" disabled=${!hits.length || !find.isCurrent} onClick=${() => find.go(-1)}>Previous</button>
      <button type="button" class="button button-quiet" disabled=${!hits.length || !find.isCurrent} onClick=${() => find.go(1)}>Next</button>`}</div>`;
}

/** Where the active row is, and ways to take it along. */
function JsonPlace({ row, roots }) {
  if (!row) return html`<div class="json-place"></div>`;
  const root = roots[Number(row.id.slice(1).split(/[/@]/)[0])];
  const path = pathOf(row);
  return html`<div class="json-place"><bdi class="json-path mono" title=${path}>${roots.length > 1 && html`<span class="muted">${root?.name} </span>`}${path}</bdi>
    <${CopyButton} text=${path} label="Copy the path">Path<//>
    <button type="button" class="copy" title="Copy the value" onClick=${async () => toast((await copyText(textOf(row.value))) ? "The value is in the clipboard." : "The browser does not allow copying.")}>
      <${Icon} name="copy" /><span>Value</span></button></div>`;
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
  // Values that come anew while one reads must not move the place.
  useEffect(() => show(0), [settled]);
  const go = (step) => isCurrent && hits.length > 0 && show((at + step + hits.length) % hits.length);
  return { query, setQuery, isCurrent, hits, at: Math.min(at, Math.max(0, hits.length - 1)), go, target: query ? target : null };
}

/** The row of a hit: in a text that is unfolded, the line. */
function targetIndex(rows, { id, at }) {
  const first = rows.findIndex((row) => row.id === id);
  if (at < 0 || !rows[first]?.open || !rows[first].foldable) return first;
  let line = first;
  while (rows[line + 1]?.kind === "text" && rows[line + 1].index <= at) line += 1;
  return line;
}

function useTreeKeys({ rows, at, setActive, toggle, reveal }) {
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
      ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(rows.length - 1),
      PageDown: () => go(at + 12), PageUp: () => go(at - 12),
      ArrowRight: () => opens && (row.open ? go(at + 1) : toggle(row, true)),
      ArrowLeft: () => (opens && row.open ? toggle(row, false) : go(parent())),
      Enter: () => opens && toggle(row), " ": () => opens && toggle(row),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  };
}

/** How many characters of the code font fit, for the lines of long texts. */
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
