// Owns the states: their names, their order, and how they look. A state is never told by
// colour alone: each has an icon and a word.
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** In the order in which they are shown, the calm ones first. */
export const STATUSES = ["COMPLETED", "FAILED", "RUNNING", "PENDING", "CANCELLED"];

const LABELS = {
  COMPLETED: "Completed", FAILED: "Failed", RUNNING: "Running",
  PENDING: "Pending", CANCELLED: "Cancelled", SKIPPED: "Skipped",
};
// The surfaces of the API have three words for the same state.
const SAME = { PASSED: "COMPLETED", SUCCESS: "COMPLETED" };

/** The record format's word for a state of any surface. @param {?string} status */
export function statusOf(status) {
  return SAME[status] ?? status ?? "UNKNOWN";
}

/** How many runs are in each state. @param {Object<string, number>} breakdown of the API's statistics */
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

/** The icon alone, in the state's colour. @param {{status: string}} props */
export function StatusIcon({ status }) {
  const name = known(statusOf(status));
  return html`<span class=${`status-icon status-${name}`}><${Icon} name=${name} /></span>`;
}

/**
 * What else is to be known of a run at a glance.
 * @param {{run: {stalled?: boolean, pinned?: boolean}}} props
 */
export function Marks({ run }) {
  return html`${run.stalled && html`<span class="tag tag-warn" title="It has given no sign of life for longer than your team lets it">stalled</span>`}
    ${run.pinned && html`<span class="tag" title="It is kept from expiring">pinned</span>`}`;
}

/** Icon and word. @param {{status: string}} props */
export function StatusBadge({ status }) {
  return html`<span class="status"><${StatusIcon} status=${status} /><span class="status-word">${statusLabel(status)}</span></span>`;
}
