// Owns a moment on the screen that may lie ahead: RelativeTime of ui/time.js looks back.
import { formatTime, now, parseTime, timeTitle } from "../format.js";
import { html } from "../ui/html.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** "in 3 days" up to two weeks ahead, else the date; both zones on hover. @param {{at: string}} props */
export function Ahead({ at }) {
  const left = (parseTime(at) ?? 0) - now();
  const text = left < 0 || left > 14 * DAY ? formatTime(at) : left < HOUR ? "within the hour" : left < 2 * DAY ? `in ${Math.round(left / HOUR)} h` : `in ${Math.floor(left / DAY)} days`;
  return html`<time datetime=${at} title=${timeTitle(at)} class=${left < 7 * DAY ? "soon" : ""}>${text}</time>`;
}
