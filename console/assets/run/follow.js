// Owns following a live run like a log: a viewer at the end of its steps stays there when new steps
// arrive, and a viewer further up sees how many have arrived.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { formatCount } from "../format.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";

/** The distance from the end that counts as the end, in pixels. */
const NEAR = 24;

const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR;
const toEnd = (box) => {
  box.scrollTop = box.scrollHeight;
};

/**
 * @param {{current: ?HTMLElement}} scroller the element that scrolls the rows
 * @param {import("./rows.js").Row[]} rows
 * @param {{live: boolean, complete: boolean, selected: ?string}} run
 *   `live`: whether rows can still arrive; `complete`: whether all existing steps have been read; `selected`
 *   initially stays in view
 * @returns {{count: number, go: () => void}} the number of steps that arrived below since the end was last visible
 */
export function useFollow(scroller, rows, { live, complete, selected }) {
  const following = useRef(live && !selected);
  const wasLive = useRef(live);
  const seen = useRef(null);
  const [, setMoved] = useState(0);
  const last = rows.at(-1)?.key ?? null;
  const seenAt = rows.findLastIndex((row) => row.key === seen.current);
  useEffect(() => {
    const box = scroller.current;
    const onScroll = () => {
      const was = following.current;
      following.current = isAtEnd(box);
      if (was !== following.current) setMoved((count) => count + 1);
    };
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => box.removeEventListener("scroll", onScroll);
  }, []);
  useLayoutEffect(() => {
    // The last steps arrive together with the run's end.
    if (following.current && wasLive.current && last !== seen.current) toEnd(scroller.current);
    following.current = isAtEnd(scroller.current);
    if (following.current || !complete || !wasLive.current) seen.current = last;
    wasLive.current = live;
  });
  const go = () => {
    following.current = true;
    seen.current = last;
    toEnd(scroller.current);
    setMoved((count) => count + 1);
  };
  const below = following.current || !complete || seenAt < 0 ? [] : rows.slice(seenAt + 1);
  return { count: below.filter((row) => row.kind === "step").length, go };
}

/** @param {{count: number, go: () => void}} props */
export function NewSteps({ count, go }) {
  return html`
    <div class="tl-new" role="status">
      ${count > 0 && html`
        <button type="button" class="button button-primary" onClick=${go}>
          <${Icon} name="down" />
          ${count === 1 ? "1 new step" : `${formatCount(count)} new steps`}
        </button>
      `}
    </div>
  `;
}

/**
 * Keeps the visible rows in place while new rows arrive above them.
 * @param {{current: ?HTMLElement}} scroller @param {import("./rows.js").Row[]} rows
 * @param {number} rowHeight
 * @param {?string} selected this row stays in place if it is visible, otherwise the first visible row
 */
export function useStillRows(scroller, rows, rowHeight, selected) {
  const held = useRef(null);
  useLayoutEffect(() => {
    const box = scroller.current;
    const before = held.current;
    if (before && before.rows !== rows) {
      const at = rows.findIndex((row) => row.key === before.key);
      if (at >= 0 && at !== before.at && (box.scrollTop > 0 || before.key === selected)) {
        box.scrollTop += (at - before.at) * rowHeight;
      }
    }
    const hold = () => {
      const first = Math.ceil(box.scrollTop / rowHeight);
      const most = Math.floor(box.clientHeight / rowHeight);
      const own = rows.findIndex((row) => row.key === selected);
      const at = own >= first && own < first + most ? own : Math.min(first, rows.length - 1);
      held.current = rows[at] ? { rows, key: rows[at].key, at } : null;
    };
    hold();
    box.addEventListener("scroll", hold, { passive: true });
    return () => box.removeEventListener("scroll", hold);
  }, [rows, rowHeight, selected]);
}
