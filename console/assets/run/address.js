// Owns this page's part of the address: the view, the selected step, the expanded rows of the
// timeline, and the period that it shows.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { href, navigate, parseHash, runPath } from "../router.js";

// Browsers reject frequent changes of the address, for example while an arrow key is held down.
const REST_MS = 150;

export const VIEWS = ["timeline", "table", "context", "raw"];

/**
 * @param {string} runId @param {Object<string, string>} query
 * @returns {{view: string, step: ?string, zoom: ?{from: number, to: number}, opened: Set<string>,
 *   closed: Set<string>, change: (next: Object) => void, viewHref: (view: string) => string}}
 *   `change` takes members of the query; it does not add a history entry
 */
export function useAddress(runId, query) {
  const [pending, setPending] = useState(null);
  const late = useRef({});
  const merged = pending ? { ...query, ...pending } : query;
  const flush = useCallback(() => {
    clearTimeout(late.current.timer);
    const { changes } = late.current;
    late.current = {};
    if (!changes) return;
    const { path, params, query: present } = parseHash(location.hash);
    if (params.runId === runId) navigate(path, { ...present, ...changes }, { replace: true });
    setPending(null);
  }, [runId]);
  useEffect(() => flush, [flush]);
  const change = useCallback(
    (next) => {
      late.current.changes = { ...late.current.changes, ...next };
      setPending(late.current.changes);
      clearTimeout(late.current.timer);
      late.current.timer = setTimeout(flush, REST_MS);
    },
    [flush],
  );
  const names = (merged.open ?? "").split(",").filter(Boolean);
  return {
    view: VIEWS.includes(merged.view) ? merged.view : "timeline",
    step: merged.step || null,
    zoom: parseZoom(merged.zoom),
    // `!` before a name collapses what is expanded by default; ids cannot contain it.
    opened: new Set(names.filter((name) => !name.startsWith("!"))),
    closed: new Set(names.filter((name) => name.startsWith("!")).map((name) => name.slice(1))),
    openText: merged.open ?? "",
    change,
    viewHref: (view) => href(runPath(runId), { ...merged, view: view === "timeline" ? "" : view }),
  };
}

function parseZoom(text) {
  const [from, to] = (text ?? "").split("-").map(Number);
  return to > from ? { from, to } : null;
}

/** @param {?{from: number, to: number}} view */
export function zoomText(view) {
  return view ? `${Math.max(0, Math.floor(view.from))}-${Math.ceil(view.to)}` : "";
}

/** The expanded rows as text. @param {Set<string>} opened @param {Set<string>} closed */
export function openText(opened, closed) {
  return [...opened, ...[...closed].map((name) => `!${name}`)].join(",");
}
