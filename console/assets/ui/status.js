// Owns the states: their names, their order and their look. A state is never shown by colour alone:
// each has an icon and a word.
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** In the order in which they are shown. */
export const STATUSES = ["COMPLETED", "FAILED", "RUNNING", "PENDING", "CANCELLED"];

const LABELS = {
  COMPLETED: "Completed",
  FAILED: "Failed",
  RUNNING: "Running",
  PENDING: "Pending",
  CANCELLED: "Cancelled",
  SKIPPED: "Skipped",
};
// The API has three words for the same state.
const SAME = { PASSED: "COMPLETED", SUCCESS: "COMPLETED" };

/** The record format's word for a state of the API. @param {?string} status */
export function statusOf(status) {
  return SAME[status] ?? status ?? "UNKNOWN";
}

/** The number of runs in each state. @param {Object<string, number>} breakdown from the API's statistics */
export function countsOf(breakdown) {
  const counts = {};
  for (const [status, count] of Object.entries(breakdown)) counts[statusOf(status)] = count;
  return counts;
}

/** @param {string} status @returns {string} the word for people */
export function statusLabel(status) {
  return LABELS[statusOf(status)] ?? "Unknown";
}

/** Whether a run or step may still change. @param {string} status */
export function isOpen(status) {
  return status === "RUNNING" || status === "PENDING";
}

const known = (status) => (LABELS[status] ? status.toLowerCase() : "unknown");

/** The icon without a word, in the state's colour. @param {{status: string}} props */
export function StatusIcon({ status }) {
  const name = known(statusOf(status));
  return html`
    <span class=${`status-icon status-${name}`}>
      <${Icon} name=${name} />
    </span>
  `;
}

/**
 * The flags of a run.
 * @param {{run: {stalled?: boolean, pinned?: boolean}}} props
 */
export function Marks({ run }) {
  return html`
    ${run.stalled && html`
      <span class="tag tag-warn" title="The engine has sent no heartbeat for longer than your team allows">
        stalled
      </span>
    `}
    ${run.pinned && html`<span class="tag" title="This run does not expire">pinned</span>`}
  `;
}

/** Icon and word. @param {{status: string}} props */
export function StatusBadge({ status }) {
  return html`
    <span class="status">
      <${StatusIcon} status=${status} />
      <span class="status-word">${statusLabel(status)}</span>
    </span>
  `;
}
