// Owns the target of an audit event, as a link if it has a page, and the event's details.
import { href, runPath } from "../router.js";
import { html } from "../ui/html.js";
import { CopyButton } from "../ui/controls.js";
import { visible, visibleLines } from "../ui/visible.js";
import { detailText, outcomeText } from "./audit-words.js";

const OF_RUN = new Set(["EXECUTION_CANCELLED", "EXECUTION_REVEALED", "EXECUTION_PINNED", "EXECUTION_UNPINNED"]);
const LINKS = {
  FLOW_EXECUTIONS_DELETED: (target) => href("/runs", { flow: target }),
  ROLES_CHANGED: () => href("/settings/roles"),
  MASKING_CHANGED: () => href("/settings/masking"),
  RETENTION_CHANGED: () => href("/settings/retention"),
  STALLED_CHANGED: () => href("/settings/stalled"),
};

/** @param {{event: Object, change: (filters: Object) => void}} props */
export function Target({ event: { action, target }, change }) {
  if (!target) return html`<span class="none">—</span>`;
  const link = OF_RUN.has(action) ? href(runPath(target)) : LINKS[action]?.(target);
  if (link) {
    return html`
      <a class="mono" href=${link}>
        <bdi>${visible(target)}</bdi>
      </a>
    `;
  }
  return html`
    <button
      type="button"
      class="plain-link mono"
      title="Show only events for this target"
      onClick=${() => change({ target })}
    >
      <bdi>${visible(target)}</bdi>
    </button>
  `;
}

/** @param {{event: Object}} props */
export function Details({ event }) {
  const rows = [
    ["Outcome", outcomeText(event.outcome)],
    ...Object.entries(event.details ?? {}).map(([name, value]) => [
      detailText(name),
      typeof value === "string" ? value : JSON.stringify(value, null, 2),
    ]),
  ];
  return html`
    <dl class="event-facts">
      ${rows.map(([name, value]) => html`
        <div key=${name}>
          <dt>${visible(name)}</dt>
          <dd>
            <bdi>${pretty(value)}</bdi>
          </dd>
        </div>
      `)}
      ${event.requestId && html`
        <div>
          <dt>Request</dt>
          <dd>
            <code>${event.requestId}</code>${" "}
            <${CopyButton} text=${event.requestId} label="Copy the request's id" />
          </dd>
        </div>
      `}
      <div>
        <dt>Event</dt>
        <dd>
          <code>${event.id}</code>
        </dd>
      </div>
    </dl>
  `;
}

/** Details are texts; some contain JSON. */
function pretty(text) {
  if (!/^[[{]/.test(text)) return visibleLines(text);
  try {
    return html`
      <pre tabindex="0" aria-label="JSON">${visibleLines(JSON.stringify(JSON.parse(text), null, 2))}</pre>
    `;
  } catch {
    return visibleLines(text); // Shortened by the server, with a note in the text.
  }
}
