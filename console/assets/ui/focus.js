// Owns where the focus goes when what has it goes: to the heading of another page that has
// come, or to the neighbour of a button that is no longer there.
import { useEffect, useRef } from "preact/hooks";

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1'])";
/** In these the neighbour is meant; of a whole section its beginning. */
const GROUP = "[role=group], [role=toolbar], fieldset, nav, form, table";
const AROUND = `${GROUP}, dialog, section, main`;

/**
 * Leads to the main heading after another page has come, as a page that is loaded anew
 * begins at its top.
 * @param {{current: ?HTMLElement}} main @param {string} page what tells one page from another
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
      // Who has gone on meanwhile stays there.
      if (document.activeElement !== element) return;
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    };
    // A page is loaded and reads before it has a heading.
    const observer = new MutationObserver(lead);
    observer.observe(element, { childList: true, subtree: true });
    lead();
    return () => observer.disconnect();
  }, [page]);
}

const isUsable = (element) => element.isConnected && !element.matches(":disabled");

/** Keeps the focus near where it was when what had it goes. */
export function useNearFocus() {
  useEffect(() => {
    /** What has the focus, its place among the others, and what it lies in. */
    let held = null;
    const note = ({ target }) => {
      const all = [...document.querySelectorAll(FOCUSABLE)];
      held = { target, all, at: all.indexOf(target), around: aroundOf(target) };
    };
    const forget = ({ target, relatedTarget }) => {
      // Of what is removed browsers tell so, too; of that it is known a moment later.
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

/** The next or else the one before in the same group; else what it lay in. */
function nearest({ all, at, around }) {
  const rest = around.find((element) => element.isConnected);
  if (!rest?.matches(GROUP)) return rest ?? null;
  const isNear = (element) => isUsable(element) && rest.contains(element);
  return all.slice(at + 1).find(isNear) ?? all.slice(0, Math.max(at, 0)).reverse().find(isNear) ?? rest;
}
