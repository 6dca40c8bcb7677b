// Owns the audit section of Settings: who did what, with filters in the address.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.js";
import { limits } from "../config.js";
import { formatExact, fromLocalInput, now, plural, timeTitle, toLocalInput, ZONE } from "../format.js";
import { navigate } from "../router.js";
import { classes, html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button, Field, Select } from "../ui/controls.js";
import { EmptyState, ErrorState, Loading } from "../ui/states.js";
import { visible } from "../ui/visible.js";
import { actionOptions, actionText } from "./audit-words.js";
import { Details, Target } from "./audit-details.js";
import { FormError } from "./forms.js";
import { usePages } from "./pages.js";

const PAGE = 100;
/** The number of consecutive pages without matching events before the user must ask for more. */
const EMPTY_PAGES = 5;
const DAY = 86_400_000;
const rangesOf = () => [
  { value: "24h", label: "Last 24 hours", ms: DAY },
  { value: "7d", label: "Last 7 days", ms: 7 * DAY },
  { value: "30d", label: "Last 30 days", ms: 30 * DAY },
  { value: "", label: `All ${plural(limits().auditDays, "day")}` },
  { value: "at", label: "Custom time …" },
];

/** The filters in the address; `range=at` is the time between two given times. */
function filtersOf({ action = "", principal = "", target = "", range = "", from = "", to = "" }) {
  return { action, principal, target, range: rangesOf().some(({ value }) => value === range) ? range : "", from, to };
}

function parametersOf({ action, principal, target, range, from, to }) {
  const ms = rangesOf().find(({ value }) => value === range)?.ms;
  const bounds = range === "at" ? { from, to } : { from: ms ? new Date(now() - ms).toISOString() : "" };
  return { action, principal, target, ...bounds };
}

/** The server filters each page, so a page can be empty without being the last. */
async function load(query, nextToken, signal) {
  const items = [];
  let next = nextToken;
  for (let page = 0; page < EMPTY_PAGES; page += 1) {
    const answer = await get("api/audit", { query: { ...query, limit: PAGE, nextToken: next }, signal });
    items.push(...answer.events);
    next = answer.nextToken ?? null;
    if (!next || items.length >= PAGE / 2) break;
  }
  return { items, nextToken: next };
}

/** @param {{query: Object<string, string>}} props */
export default function Audit({ query }) {
  const filters = filtersOf(query);
  const list = usePages(
    (nextToken, signal) => load(fixed(filters, nextToken === null), nextToken, signal),
    JSON.stringify(filters),
  );
  const change = (next) => navigate("/settings/audit", { ...filters, ...next });
  return html`
    <header class="section-head">
      <div>
        <h2>Audit</h2>
        <p class="muted">
          Who did what in your team, newest first. Events are kept for ${plural(limits().auditDays, "day")}.
        </p>
      </div>
      <${Button} disabled=${list.loading} onClick=${list.reload}>Refresh<//>
    </header>
    <${Filters} filters=${filters} change=${change} />
    <${List} list=${list} filters=${filters} change=${change} />
  `;
}

// A page token belongs to its query, so a relative time is calculated for the first page and kept
// for the next pages.
let counted = {};
function fixed(filters, first) {
  if (first) counted = parametersOf(filters);
  return counted;
}

function Filters({ filters, change }) {
  const [form, setForm] = useState(filters);
  useEffect(() => setForm(filters), [JSON.stringify(filters)]);
  const set = (part) => setForm({ ...form, ...part });
  const submit = (event) => {
    event.preventDefault();
    change({ ...form, principal: form.principal.trim(), target: form.target.trim() });
  };
  const actions = [{ value: "", label: "All actions" }, ...actionOptions()];
  const text = (name, label, hint) => html`
    <${Field} id=${`audit-${name}`} label=${label}>
      <input
        id=${`audit-${name}`}
        class="input mono"
        value=${form[name]}
        placeholder=${hint}
        autocomplete="off"
        spellcheck=${false}
        onInput=${(event) => set({ [name]: event.currentTarget.value })}
        onChange=${submit}
      />
    <//>
  `;
  const moment = (name, label) => html`
    <${Field} id=${`audit-${name}`} label=${label} hint=${`In ${ZONE}.`}>
      <input
        id=${`audit-${name}`}
        class="input"
        type="datetime-local"
        value=${toLocalInput(form[name])}
        aria-describedby=${`audit-${name}-note`}
        onChange=${(event) => change({ ...form, [name]: endOf(name, event.currentTarget.value) })}
      />
    <//>
  `;
  const any = Object.values(filters).some(Boolean);
  return html`
    <form class="audit-filters" role="search" aria-label="Filter the audit" onSubmit=${submit}>
      <${Field} id="audit-range" label="Time">
        <${Select}
          id="audit-range"
          label="Time"
          value=${form.range}
          options=${rangesOf()}
          onChange=${(range) => change({ ...form, range, from: "", to: "" })}
        />
      <//>
      ${filters.range === "at" && html`${moment("from", "From")}${moment("to", "To")}`}
      <${Field} id="audit-action" label="Action">
        <${Select}
          id="audit-action"
          label="Action"
          value=${form.action}
          options=${actions}
          onChange=${(action) => change({ ...form, action })}
        />
      <//>
      ${text("principal", "Who", "token:… or user:…")}
      ${text("target", "Target", "id of a run, flow or token")}
      <${Button} type="submit" class="hidden" tabindex="-1">Filter<//>
      ${any && html`<button type="button" class="link" onClick=${() => change(filtersOf({}))}>Clear all</button>`}
    </form>
  `;
}

/** The end includes its whole minute, because both bounds are inclusive. */
function endOf(name, text) {
  const time = fromLocalInput(text);
  if (!time) return "";
  return name === "to" ? new Date(Date.parse(time) + 59_999).toISOString() : time;
}

function List({ list, filters, change }) {
  if (!list.items) {
    return list.error
      ? html`<${ErrorState} error=${list.error} onRetry=${list.reload} />`
      : html`<${Loading} rows=${10} label="Loading the audit" />`;
  }
  if (list.items.length === 0 && !list.more) {
    return html`
      <${EmptyState} icon="search" title="No events">
        <p>
          ${Object.values(filters).some(Boolean)
            ? "No event matches these filters."
            : `Nothing was done in the last ${plural(limits().auditDays, "day")}.`}
        </p>
      <//>
    `;
  }
  return html`
    <div class="card scroll" tabindex="0" role="region" aria-label="Audit, table">
      <table class="grid audit">
        <caption class="hidden">Audit, newest first</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">Details</span>
            </th>
            <th scope="col">Time</th>
            <th scope="col">Action</th>
            <th scope="col">Target</th>
            <th scope="col">Who</th>
            <th scope="col">Outcome</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        ${list.items.map((event) => html`<${Event} key=${event.id} event=${event} change=${change} />`)}
      </table>
    </div>
    <${FormError} error=${list.error} />
    ${list.more && html`
      <p class="more">
        <${Button} disabled=${list.loading} onClick=${list.loadMore}>
          ${list.loading ? "Loading …" : "Load older events"}
        <//>
        ${list.items.length === 0 && html`
          <span class="muted">No matching events so far. Load older events to continue the search.</span>
        `}
      </p>
    `}
  `;
}

function Event({ event, change }) {
  const [open, setOpen] = useState(false);
  const id = `event-${event.id}`;
  const text = actionText(event.action);
  return html`
    <tbody class=${classes("event", open && "event-open")}>
      <tr>
        <td>
          <button
            type="button"
            class="expand"
            aria-expanded=${String(open)}
            aria-controls=${open ? id : null}
            aria-label=${`Details of ${text}, ${formatExact(event.time)}`}
            onClick=${() => setOpen(!open)}
          >
            <${Icon} name="right" />
          </button>
        </td>
        <th scope="row">
          <time datetime=${event.time} title=${timeTitle(event.time)}>
            ${formatExact(event.time).replace(/\.\d+$/, "")}
          </time>
        </th>
        <td>
          <span title=${event.action}>${text}</span>
        </td>
        <td>
          <${Target} event=${event} change=${change} />
        </td>
        <td>
          <button
            type="button"
            class="plain-link mono"
            title="Show only events of this caller"
            onClick=${() => change({ principal: event.principal })}
          >
            <bdi>${visible(event.principal)}</bdi>
          </button>
        </td>
        <td>
          <span class=${`tag outcome-${event.outcome.toLowerCase()}`}>${event.outcome.toLowerCase()}</span>
        </td>
        <td class="muted mono">${visible(event.sourceIp) || "—"}</td>
      </tr>
      ${open && html`
        <tr id=${id} class="event-details">
          <td></td>
          <td colspan="6">
            <${Details} event=${event} />
          </td>
        </tr>
      `}
    </tbody>
  `;
}
