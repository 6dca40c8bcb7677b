// Owns returning to the list: Back and Forward restore its rows and its scroll position, and then
// update it. A link to the list starts at the top.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** The number of entries of the tab's history that are remembered. */
const MAX_ENTRIES = 20;

/**
 * The state of the list for each history entry.
 * @type {Map<string, {hash: string, top: number, shown: Object}>}
 */
const kept = new Map();

/** The id of the current history entry; a new entry gets one. */
function entryOf() {
  const mark = history.state?.entry ?? `${Date.now()}-${Math.random()}`;
  if (history.state?.entry !== mark) history.replaceState({ ...history.state, entry: mark }, "");
  return mark;
}

const found = () => {
  const before = kept.get(history.state?.entry);
  return before?.hash === location.hash ? before : null;
};

/**
 * The state of the list when this history entry was left, or null. Read once, when the page opens.
 * @returns {?Object} the value that was passed to `useReturn`
 */
export function useReturned() {
  const before = useRef(undefined);
  if (before.current === undefined) before.current = found();
  return before.current?.shown ?? null;
}

/**
 * Remembers the state of the list, and restores its scroll position.
 * @param {Object} shown the state to restore
 */
export function useReturn(shown) {
  const latest = useRef(shown);
  latest.current = shown;
  useLayoutEffect(() => {
    const before = found();
    if (before) scrollTo({ top: before.top, behavior: "instant" });
  }, []);
  useEffect(() => {
    // The address changes before the page is removed, and with the page its height.
    let at = { mark: entryOf(), hash: location.hash };
    let top = scrollY;
    const note = () => {
      if (location.hash === at.hash) top = scrollY;
    };
    const keep = () => {
      kept.delete(at.mark);
      kept.set(at.mark, { hash: at.hash, top, shown: latest.current });
      if (kept.size > MAX_ENTRIES) kept.delete(kept.keys().next().value);
    };
    const moved = () => {
      if (location.hash === at.hash) return;
      keep();
      if (/^#\/runs(\?|$)/.test(location.hash)) at = { mark: entryOf(), hash: location.hash };
    };
    addEventListener("scroll", note, { passive: true });
    addEventListener("hashchange", moved, true);
    return () => {
      removeEventListener("scroll", note);
      removeEventListener("hashchange", moved, true);
    };
  }, []);
}
