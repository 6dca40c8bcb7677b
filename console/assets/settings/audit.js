// Owns the part of Settings with the audit: who did what, with filters that stand in the
// address.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.js";
import { formatExact, fromLocalInput, now, timeTitle, toLocalInput, ZONE } from "../format.js";
import { navigate } from "../router.js";
import { classes, html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button, Field, Select } from "../ui/controls.js";
import { EmptyState, ErrorState, Loading } from "../ui/states.js";
import { ACTIONS, actionText } from "./audit-words.js";
import { Details, Target } from "./audit-details.js";
import { FormError } from "./forms.js";
import { usePages } from "./pages.js";

const PAGE = 100;
/** Pages in a row that may have nothing for the filters, before one is asked whether to go on. */
const EMPTY_PAGES = 5;
const DAY = 86_400_000;
const RANGES = [
  { value: "24h", label: "Last 24 hours", ms: DAY }, { value: "7d", label: "Last 7 days", ms: 7 * DAY }, { value: "30d", label: "Last 30 days", ms: 30 * DAY },
  { value: "", label: "All 90 days" }, { value: "at", label: "From and to …" },
];

/** What the address says; `range=at` is a time between two moments. */
function filtersOf({ action = "", principal = "", target = "", range = "", from = "", to = "" }) {
  return { action, principal, target, range: RANGES.some(({ value }) => value === range) ? range : "", from, to };
}

function parametersOf({ action, principal, target, range, from, to }) {
  const ms = RANGES.find(({ value }) => value === range)?.ms;
  const bounds = range === "at" ? { from, to } : { from: ms ? new Date(now() - ms).toISOString() : "" };
  return { action, principal, target, ...bounds };
}

/** A filter drops events within a page, so that pages can be empty and not the last. */
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
  const list = usePages((nextToken, signal) => load(fixed(filters, nextToken === null), nextToken, signal), JSON.stringify(filters));
  const change = (next) => navigate("/settings/audit", { ...filters, ...next });
  return html`<header class="section-head"><div><h2>Audit</h2><p class="muted">Who did what in the team, newest first, for 90 days.</p></div>
      <${Button} disabled=${list.loading} onClick=${list.reload}>Refresh<//></header>
    <${Filters} filters=${filters} change=${change} /><${List} list=${list} filters=${filters} change=${change} />`;
}

// A page token belongs to its query: a relative time is counted with the first page, and
// kept for those that follow.
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
  const actions = [{ value: "", label: "All actions" }, ...Object.entries(ACTIONS).map(([value, label]) => ({ value, label }))];
  const text = (name, label, hint) => html`<${Field} id=${`audit-${name}`} label=${label}><input id=${`audit-${name}`} class="input mono" value=${form[name]} placeholder=${hint} autocomplete="off" spellcheck=${false}
    onInput=${(event) => set({ [name]: event.currentTarget.value })} onChange=${submit} /><//>`;
  const moment = (name, label) => html`<${Field} id=${`audit-${name}`} label=${label} hint=${`In ${ZONE}.`}><input id=${`audit-${name}`} class="input" type="datetime-local" value=${toLocalInput(form[name])}
    aria-describedby=${`audit-${name}-note`} onChange=${(event) => change({ ...form, [name]: endOf(name, event.currentTarget.value) })} /><//>`;
  const any = Object.values(filters).some(Boolean);
  return html`<form class="audit-filters" role="search" aria-label="Filter the audit" onSubmit=${submit}>
    <${Field} id="audit-range" label="Time"><${Select} id="audit-range" label="Time" value=${form.range} options=${RANGES} onChange=${(range) => change({ ...form, range, from: "", to: "" })} /><//>
    ${filters.range === "at" && html`${moment("from", "From")}${moment("to", "To")}`}
    <${Field} id="audit-action" label="Action"><${Select} id="audit-action" label="Action" value=${form.action} options=${actions} onChange=${(action) => change({ ...form, action })} /><//>
    ${text("principal", "Who", "token:… or user:…")}${text("target", "What it concerns", "id of a run, flow or token")}
    <${Button} type="submit" class="hidden" tabindex="-1">Filter<//>
    ${any && html`<button type="button" class="link" onClick=${() => change(filtersOf({}))}>Clear all</button>`}</form>`;
}

/** An end is the whole of its minute, as both bounds are inclusive. */
function endOf(name, text) {
  const time = fromLocalInput(text);
  if (!time) return "";
  return name === "to" ? new Date(Date.parse(time) + 59_999).toISOString() : time;
}

function List({ list, filters, change }) {
  if (!list.items) return list.error ? html`<${ErrorState} error=${list.error} onRetry=${list.reload} />` : html`<${Loading} rows=${10} label="Loading the audit" />`;
  if (list.items.length === 0 && !list.more) {
    return html`<${EmptyState} icon="search" title="No events"><p>${Object.values(filters).some(Boolean) ? "Nothing in the audit fits these filters." : "Nothing was done in the last 90 days."}</p><//>`;
  }
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Audit, table"><table class="grid audit"><caption class="hidden">Audit, newest first</caption>
    <thead><tr><th scope="col"><span class="hidden">Details</span></th><th scope="col">Time</th><th scope="col">Action</th><th scope="col">What it concerns</th><th scope="col">Who</th><th scope="col">Outcome</th><th scope="col">From</th></tr></thead>
    ${list.items.map((event) => html`<${Event} key=${event.id} event=${event} change=${change} />`)}</table></div>
    <${FormError} error=${list.error} />
    ${list.more && html`<p class="more"><${Button} disabled=${list.loading} onClick=${list.loadMore}>${list.loading ? "Loading …" : "Load older events"}<//>
      ${list.items.length === 0 && html`<span class="muted">Nothing so far; there are older events to look through.</span>`}</p>`}`;
}

function Event({ event, change }) {
  const [open, setOpen] = useState(false);
  const id = `event-${event.id}`;
  const text = actionText(event.action);
  return html`<tbody class=${classes("event", open && "event-open")}><tr>
      <td><button type="button" class="expand" aria-expanded=${String(open)} aria-controls=${open ? id : null} aria-label=${`Details of ${text}, ${formatExact(event.time)}`} onClick=${() => setOpen(!open)}><${Icon} name="right" /></button></td>
      <th scope="row"><time datetime=${event.time} title=${timeTitle(event.time)}>${formatExact(event.time).replace(/\.\d+$/, "")}</time></th>
      <td><span title=${event.action}>${text}</span></td><td><${Target} event=${event} change=${change} /></td>
      <td><button type="button" class="plain-link mono" title="Only what this caller did" onClick=${() => change({ principal: event.principal })}><bdi>${event.principal}</bdi></button></td>
      <td><span class=${`tag outcome-${event.outcome.toLowerCase()}`}>${event.outcome.toLowerCase()}</span></td>
      <td class="muted mono">${event.sourceIp ?? "—"}</td></tr>
    ${open && html`<tr id=${id} class="event-details"><td></td><td colspan="6"><${Details} event=${event} /></td></tr>`}</tbody>`;
}
