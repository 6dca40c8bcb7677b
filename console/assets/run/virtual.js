// Owns long lists of rows with the same height: only the rows on the screen are in the DOM. It
// follows the scrolling of the page and of elements around the list.
import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";

const MARGIN = 10;

/**
 * @param {number} count rows @param {number} rowHeight
 * @param {{top?: number}} [options] `top`: the height of a sticky header
 * @returns {{ref: any, first: number, last: number, outer: Object, inner: Object, reveal: (index: number,
 *   centre?: boolean) => void}} render the rows from
 *   `first` up to but not including `last` in an element with the style `inner`, inside an element with the style
 *   `outer` and the `ref`
 */
export function useVirtual(count, rowHeight, { top = 0 } = {}) {
  const ref = useRef(null);
  const [range, setRange] = useState({ first: 0, last: Math.min(count, 40) });
  const measure = useCallback(() => {
    const list = ref.current;
    if (!list) return;
    const box = list.getBoundingClientRect();
    const window = visiblePart(list);
    const first = Math.max(0, Math.floor((window.top - box.top) / rowHeight) - MARGIN);
    const last = Math.max(first, Math.min(count, Math.ceil((window.bottom - box.top) / rowHeight) + MARGIN));
    setRange((old) => (old.first === first && old.last === last ? old : { first, last }));
  }, [count, rowHeight]);
  useLayoutEffect(() => {
    measure();
    // Scroll events do not bubble, so they are captured.
    document.addEventListener("scroll", measure, { capture: true, passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(document.documentElement);
    if (ref.current) observer.observe(scrollerOf(ref.current));
    return () => {
      document.removeEventListener("scroll", measure, { capture: true });
      observer.disconnect();
    };
  }, [measure]);
  const reveal = useCallback(
    (index, centre = false) => scrollToRow(ref.current, index, rowHeight, top, centre),
    [rowHeight, top],
  );
  const first = Math.min(range.first, Math.max(0, count - 1));
  return {
    ref,
    first,
    last: Math.min(count, range.last),
    reveal,
    outer: { height: `${count * rowHeight}px` },
    inner: { transform: `translateY(${first * rowHeight}px)` },
  };
}

function scrollerOf(element) {
  for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
    const { overflowY } = getComputedStyle(at);
    if (overflowY === "auto" || overflowY === "scroll") return at;
  }
  return document.documentElement;
}

/** The part of the screen that can show the list. */
function visiblePart(list) {
  const scroller = scrollerOf(list);
  if (scroller === document.documentElement) return { top: 0, bottom: innerHeight };
  const box = scroller.getBoundingClientRect();
  return { top: Math.max(0, box.top), bottom: Math.min(innerHeight, Math.max(box.bottom, 0)) };
}

/** Scrolls only as far as needed, so that visible rows do not move. */
function scrollToRow(list, index, rowHeight, hidden, centre) {
  if (!list || index < 0) return;
  const scroller = scrollerOf(list);
  const isPage = scroller === document.documentElement;
  const frame = isPage ? { top: 0, bottom: innerHeight } : scroller.getBoundingClientRect();
  const rowTop = list.getBoundingClientRect().top + index * rowHeight;
  const above = frame.top + hidden - rowTop;
  const below = rowTop + rowHeight - frame.bottom;
  if (above <= 0 && below <= 0) return;
  const middle = rowTop - (frame.top + frame.bottom - rowHeight) / 2;
  scroller.scrollTop += centre ? middle : above > 0 ? -above : below;
}
