// Owns times on the screen that can be in the future. RelativeTime in ui/time.js is for past times.
import { formatTime, now, parseTime, timeTitle } from "../format.js";
import { html } from "../ui/html.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * "in 3 days" for up to two weeks, otherwise the date; both zones in the tooltip.
 * @param {{at: string}} props
 */
export function FutureTime({ at }) {
  const left = (parseTime(at) ?? 0) - now();
  const text =
    left < 0 || left > 14 * DAY
      ? formatTime(at)
      : left < HOUR
        ? "in less than 1 h"
        : left < 2 * DAY
          ? `in ${Math.round(left / HOUR)} h`
          : `in ${Math.floor(left / DAY)} days`;
  return html`
    <time datetime=${at} title=${timeTitle(at)} class=${left < 7 * DAY ? "soon" : ""}>${text}</time>
  `;
}
