// Owns times and durations on the screen. They share one timer, which pauses while the page is
// hidden.
import { useEffect, useState } from "preact/hooks";
import { formatCount, formatDuration, formatRelative, formatTicking, now, parseTime, timeTitle } from "../format.js";
import { html } from "./html.js";

const listeners = new Set();
let timer = null;

function tick() {
  if (document.hidden) return;
  for (const listener of listeners) listener();
}

/**
 * The current time, updated at an interval.
 * @param {number} [everyMs] 0: never updated
 * @returns {number}
 */
export function useNow(everyMs = 1000) {
  const [value, setValue] = useState(now);
  useEffect(() => {
    if (!everyMs) return undefined;
    const listener = () => setValue((old) => (now() - old >= everyMs - 100 ? now() : old));
    listeners.add(listener);
    timer ??= setInterval(tick, 1000);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = null;
    };
  }, [everyMs]);
  return value;
}

/** How long ago a time was; both zones in the tooltip. @param {{at: ?string}} props */
export function RelativeTime({ at }) {
  const time = parseTime(at);
  const present = useNow(time !== null && now() - time < 90_000 ? 1000 : 15_000);
  if (time === null) return html`<span class="none">—</span>`;
  return html`
    <time datetime=${at} title=${timeTitle(at)}>${formatRelative(at, Math.max(present, time))}</time>
  `;
}

/**
 * A duration; an open one is updated every second.
 * @param {{ms: ?number, since?: ?string, open?: boolean}} props
 */
export function Duration({ ms, since, open = false }) {
  const start = open ? parseTime(since) : null;
  const present = useNow(start === null ? 0 : 1000);
  if (start !== null) return html`<span class="ticking">${formatTicking(Math.max(0, present - start))}</span>`;
  if (ms === null || ms === undefined) return html`<span class="none">—</span>`;
  return html`<span title=${`${formatCount(ms)} ms`}>${formatDuration(ms)}</span>`;
}
