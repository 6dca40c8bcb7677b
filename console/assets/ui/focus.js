// Owns the focus when its element disappears: it moves to the heading of a new page, or to the
// neighbour of a removed button.
import { useEffect, useRef } from "preact/hooks";

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1'])";
/** In these groups the focus moves to a neighbour; in other sections to their beginning. */
const GROUP = "[role=group], [role=toolbar], fieldset, nav, form, table";
const AROUND = `${GROUP}, dialog, section, main`;

/**
 * Moves the focus to the main heading when another page opens, like the start of a newly loaded
 * page.
 * @param {{current: ?HTMLElement}} main @param {string} page identifies the page
 */
export function useHeadingFocus(main, page) {
  const shown = useRef(page);
  useEffect(() => {
    if (shown.current === page) return undefined;
    shown.current = page;
    const element = main.current;
    element.focus({ preventScroll: true });
    const lead = () => {
      const heading = element.querySelector("h1");
      if (!heading) return;
      observer.disconnect();
      // The user may already have moved the focus.
      if (document.activeElement !== element) return;
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    };
    // A page loads its module and data before it has a heading.
    const observer = new MutationObserver(lead);
    observer.observe(element, { childList: true, subtree: true });
    lead();
    return () => observer.disconnect();
  }, [page]);
}

const isUsable = (element) => element.isConnected && !element.matches(":disabled");

/** Keeps the focus near its last place when its element is removed. */
export function useNearFocus() {
  useEffect(() => {
    /** The focused element, its position among the others, and its ancestors. */
    let held = null;
    const note = ({ target }) => {
      const all = [...document.querySelectorAll(FOCUSABLE)];
      held = { target, all, at: all.indexOf(target), around: aroundOf(target) };
    };
    const forget = ({ target, relatedTarget }) => {
      // Browsers also send this event for removed elements; the next frame shows which case it is.
      requestAnimationFrame(() => {
        if (!relatedTarget && held?.target === target && target.isConnected) held = null;
      });
    };
    const keep = () => {
      if (!held || held.target.isConnected || document.activeElement !== document.body) return;
      const next = nearest(held);
      held = null;
      if (next && !next.matches(FOCUSABLE)) next.tabIndex = -1;
      next?.focus({ preventScroll: true });
    };
    const observer = new MutationObserver(keep);
    observer.observe(document.body, { childList: true, subtree: true });
    document.addEventListener("focusin", note);
    document.addEventListener("focusout", forget);
    return () => {
      observer.disconnect();
      document.removeEventListener("focusin", note);
      document.removeEventListener("focusout", forget);
    };
  }, []);
}

function aroundOf(element) {
  const found = [];
  for (let at = element.closest(AROUND); at; at = at.parentElement?.closest(AROUND)) found.push(at);
  return found;
}

/** The next or previous element in the same group, or the group itself. */
function nearest({ all, at, around }) {
  const rest = around.find((element) => element.isConnected);
  if (!rest?.matches(GROUP)) return rest ?? null;
  const isNear = (element) => isUsable(element) && rest.contains(element);
  return all.slice(at + 1).find(isNear) ?? all.slice(0, Math.max(at, 0)).reverse().find(isNear) ?? rest;
}
