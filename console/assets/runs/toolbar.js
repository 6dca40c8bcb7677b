// Owns the toolbar of the run list: the filters, the states with their numbers (which are filters
// too), the older open runs, and the chips of active filters.
import { useId, useState } from "preact/hooks";
import { formatCount, fromLocalInput, percentText, toLocalInput, ZONE } from "../format.js";
import { href } from "../router.js";
import { classes, html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button, Chip, Field, Select } from "../ui/controls.js";
import { Combobox } from "../ui/combobox.js";
import { Popover } from "../ui/menu.js";
import { STATUSES, StatusIcon, statusLabel } from "../ui/status.js";
import { learnSuggestions, recentRunsNote, suggestions } from "./data.js";
import { activeFilters, changed, isLabel, NO_FILTERS, RANGES, TYPES } from "./filters.js";

/**
 * The filters; on narrow screens behind a button that shows the number of active filters.
 * @param {{filters: import("./filters.js").Filters, counted?: Object, session: Object,
 *   change: (change: Object) => void}} props
 *   `counted`: the filters without the defaults
 */
export function FilterBar({ filters, counted = filters, session, change }) {
  const [, redraw] = useState(0);
  const [open, setOpen] = useState(false);
  const id = useId();
  const only = session.caller.flows;
  const learn = () =>
    learnSuggestions(only ? filters.flow : null).then(
      () => redraw((n) => n + 1),
      () => {},
    );
  const { flows, devices, labels } = suggestions(only);
  const note = only ? "Your token is limited to these flows." : recentRunsNote();
  const isCounted = filters.from || filters.to || counted.range === filters.range;
  const onItsOwn = isCounted ? null : RANGES.find((range) => range.value === filters.range);
  const active = activeFilters({ ...counted, status: "" }, String).length;
  return html`
    <button
      type="button"
      class="button button-plain filters-toggle"
      aria-expanded=${String(open)}
      aria-controls=${id}
      onClick=${() => setOpen(!open)}
    >
      Filters${onItsOwn && html`<span class="muted">${onItsOwn.label}</span>`}
      ${active > 0 && html`
        ${" "}
        <b class="filters-count">
          <span class="hidden">active: </span>
          ${active}
        </b>
      `}
      <${Icon} name="down" class=${open ? "turned" : ""} />
    </button>
    <div id=${id} class=${classes("filters", open && "filters-open")} role="group" aria-label="Filters">
      <${TimeRange} filters=${filters} change=${change} />
      <${Combobox}
        label="Flow"
        placeholder="All flows"
        value=${filters.flow}
        options=${flows}
        note=${note}
        onOpen=${learn}
        onChange=${(flow) => change({ flow })}
      />
      <${Select} id="type" label="Type" value=${filters.type} options=${TYPES} onChange=${(type) => change({ type })} />
      <${Combobox}
        label="Device"
        placeholder="All devices"
        value=${filters.device}
        options=${devices}
        note=${recentRunsNote()}
        onOpen=${learn}
        onChange=${(device) => change({ device })}
      />
      <${Combobox}
        label="Label"
        placeholder="Any label"
        value=${filters.label}
        options=${labels}
        note="Type a name and a value, for example orderId=42."
        problem=${(text) => (isLabel(text) ? null : "Type a name, = and a value, for example orderId=42.")}
        onOpen=${learn}
        onChange=${(label) => change({ label })}
      />
    </div>
  `;
}

function TimeRange({ filters, change }) {
  const custom = Boolean(filters.from || filters.to);
  return html`
    <div class="segments" role="group" aria-label="Time">
      ${RANGES.map((range) => html`
        <button
          key=${range.value}
          type="button"
          class="segment"
          aria-pressed=${String(!custom && filters.range === range.value)}
          title=${range.label}
          onClick=${() => change({ range: range.value, from: "", to: "" })}
        >
          ${range.short}
        </button>
      `)}
      <${Popover}
        label="Custom time"
        button=${html`Custom<${Icon} name="down" />`}
        buttonClass=${classes("segment", custom && "segment-on")}
        panelClass="range-panel"
      >
        ${(close) => html`
          <${CustomRange}
            filters=${filters}
            onApply=${(times) => {
              change({ range: "", ...times });
              close();
            }}
          />
        `}
      <//>
    </div>
  `;
}

function CustomRange({ filters, onApply }) {
  const [from, setFrom] = useState(toLocalInput(filters.from));
  const [to, setTo] = useState(toLocalInput(filters.to));
  const backwards = from && to && from > to;
  const apply = (event) => {
    event.preventDefault();
    if (backwards) return;
    // The end includes its whole minute, because both bounds are inclusive.
    const end = fromLocalInput(to);
    onApply({ from: fromLocalInput(from) ?? "", to: end ? new Date(Date.parse(end) + 59_999).toISOString() : "" });
  };
  return html`
    <form class="stack" onSubmit=${apply}>
      <${Field} id="range-from" label="From">
        <input
          id="range-from"
          class="input"
          type="datetime-local"
          value=${from}
          onInput=${(event) => setFrom(event.currentTarget.value)}
        />
      <//>
      <${Field}
        id="range-to"
        label="To"
        error=${backwards ? "The end is before the start." : null}
        hint=${`Times are in ${ZONE}.`}
      >
        <input
          id="range-to"
          class="input"
          type="datetime-local"
          value=${to}
          onInput=${(event) => setTo(event.currentTarget.value)}
        />
      <//>
      <${Button} kind="primary" type="submit" disabled=${!from && !to}>Apply<//>
    </form>
  `;
}

/**
 * The states with their numbers in the filtered time: the legend of the histogram, and a filter.
 * @param {{numbers: Object, busy: boolean, filters: Object, change: (change: Object) => void}} props
 *   `numbers` is the poll of fetchNumbers; `busy`: its data belongs to other filters
 */
export function StatusBar({ numbers: { data, error }, busy, filters, change }) {
  const text = (status) => `${formatCount(status ? (data.counts[status] ?? 0) : data.total)}${data.exact ? "" : "+"}`;
  const count = (status) => html`<b class=${busy ? "stale" : ""}>${data ? text(status) : "–"}</b>`;
  return html`
    <div class="statuses" role="group" aria-label="Status" aria-busy=${String(busy)}>
      <button
        type="button"
        class="status-chip"
        aria-pressed=${String(!filters.status)}
        onClick=${() => change({ status: "" })}
      >
        All ${count("")}
      </button>
      ${STATUSES.map((status) => html`
        <button
          key=${status}
          type="button"
          class=${`status-chip status-chip-${status.toLowerCase()}`}
          aria-pressed=${String(filters.status === status)}
          onClick=${() => change({ status: filters.status === status ? "" : status })}
        >
          <${StatusIcon} status=${status} />
          ${statusLabel(status)} ${count(status)}
        </button>
      `)}
      ${error && html`
        <span class="numbers-off" role="status" title=${error.message}>
          <${Icon} name="warning" />Numbers not up to date
        </span>
      `}
      ${!busy && html`<${SuccessRate} numbers=${data} />`}
    </div>
  `;
}

/** The share of passed runs among passed and failed runs; cancelled runs are not counted. */
function SuccessRate({ numbers }) {
  const passed = numbers?.counts.COMPLETED ?? 0;
  const ended = passed + (numbers?.counts.FAILED ?? 0);
  if (!ended) return null;
  return html`
    <span class="rate" title="Completed runs among completed and failed runs">
      <b>${percentText(passed / ended)}</b> successful
    </span>
  `;
}

/**
 * The runs that are still open but started before the listed time, where they would be missed.
 * @param {{older: ?Object, filters: Object}} props `older` is from fetchNumbers
 */
export function OlderOpen({ older, filters }) {
  const states = ["RUNNING", "PENDING"].filter((status) => older?.counts[status] > 0);
  if (states.length === 0) return null;
  return html`
    <p class="older-open">
      <${Icon} name="pending" />
      <span>Still open from before this time:</span>
      ${states.map((status) => html`
        <a key=${status} href=${href("/runs", changed(filters, { status, range: "", from: "", to: older.before }))}>
          ${formatCount(older.counts[status])}${older.exact ? "" : "+"} ${statusLabel(status).toLowerCase()}
        </a>
      `)}
    </p>
  `;
}

/** @param {{filters: Object, only: ?string[], change: (change: Object) => void}} props */
export function ActiveFilters({ filters, only, change }) {
  const nameOf = (id) => suggestions(only).flows.find((flow) => flow.value === id)?.label ?? id;
  const active = activeFilters(filters, nameOf);
  if (active.length === 0) return null;
  return html`
    <div class="active" role="group" aria-label="Active filters">
      ${active.map((entry) => html`
        <${Chip}
          key=${entry.label}
          label=${entry.label}
          value=${entry.value}
          onRemove=${only && "flow" in entry.change ? null : () => change(entry.change)}
        />
      `)}
      <button
        type="button"
        class="link"
        onClick=${() => change(only ? { ...NO_FILTERS, flow: filters.flow } : NO_FILTERS)}
      >
        Clear all
      </button>
    </div>
  `;
}
