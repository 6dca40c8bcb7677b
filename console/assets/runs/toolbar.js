// Owns what stands above the run list: search by id, the filters, the states with their
// numbers (which filter, too), and the chips of what is on.
import { useId, useRef, useState } from "preact/hooks";
import { formatCount, fromLocalInput, percentText, toLocalInput, ZONE } from "../format.js";
import { runPath, navigate } from "../router.js";
import { classes, html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button, Chip, Field, Select } from "../ui/controls.js";
import { Combobox } from "../ui/combobox.js";
import { Popover } from "../ui/menu.js";
import { STATUSES, StatusIcon, statusLabel } from "../ui/status.js";
import { fetchMetadata, learnSuggestions, suggestions } from "./data.js";
import { activeFilters, isLabel, NO_FILTERS, RANGES, TYPES } from "./filters.js";

/** Opens a run by its id; one that is not there is told in place. */
export function RunSearch() {
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const input = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    const id = input.current.value.trim();
    if (!id) return;
    setBusy(true);
    setProblem(null);
    try {
      await fetchMetadata(id, undefined, {});
      navigate(runPath(id));
    } catch (error) {
      setProblem(error.status === 404 || error.status === 400 ? "No run has this id." : error.message);
      setBusy(false);
    }
  };
  const leave = (event) => {
    if (event.key !== "Escape") return;
    event.currentTarget.value = "";
    setProblem(null);
    event.currentTarget.blur();
  };
  return html`<form class="search" role="search" onSubmit=${submit}>
    <${Icon} name="search" /><input ref=${input} id="run-search" class="input" type="search" aria-label="Open a run by its id" placeholder="Open run by id" autocomplete="off" spellcheck=${false}
      dir="auto" aria-invalid=${problem ? "true" : null} aria-describedby="run-search-note" onKeyDown=${leave} onInput=${() => setProblem(null)} />
    <kbd class="search-key" aria-hidden="true">${busy ? "…" : "/"}</kbd>
    <div id="run-search-note" class="search-note" role="alert">${problem}</div></form>`;
}

/**
 * The filters; on narrow screens behind a button that tells how many are on.
 * @param {{filters: import("./filters.js").Filters, counted?: Object, session: Object, change: (change: Object) => void}} props
 *   `counted`: the filters without those that are on by themselves
 */
export function FilterBar({ filters, counted = filters, session, change }) {
  const [, redraw] = useState(0);
  const [open, setOpen] = useState(false);
  const id = useId();
  const only = session.caller.flows;
  const learn = () => learnSuggestions(only ? filters.flow : null).then(() => redraw((n) => n + 1), () => {});
  const { flows, devices, labels } = suggestions(only);
  const note = only ? "The flows that your token is limited to." : "From the latest 500 runs. Any other id can be typed.";
  const isCounted = filters.from || filters.to || counted.range === filters.range;
  const onItsOwn = isCounted ? null : RANGES.find((range) => range.value === filters.range);
  const active = activeFilters({ ...counted, status: "" }, String).length;
  return html`<button type="button" class="button button-plain filters-toggle" aria-expanded=${String(open)} aria-controls=${id} onClick=${() => setOpen(!open)}>
      Filters${onItsOwn && html`<span class="muted">${onItsOwn.label}</span>`}${active > 0 && html` <b class="filters-count"><span class="hidden">active: </span>${active}</b>`}<${Icon} name="down" class=${open ? "turned" : ""} /></button>
    <div id=${id} class=${classes("filters", open && "filters-open")} role="group" aria-label="Filters"><${TimeRange} filters=${filters} change=${change} />
    <${Combobox} label="Flow" placeholder="All flows" value=${filters.flow} options=${flows} note=${note} onOpen=${learn} onChange=${(flow) => change({ flow })} />
    <${Select} id="type" label="Type" value=${filters.type} options=${TYPES} onChange=${(type) => change({ type })} />
    <${Combobox} label="Device" placeholder="All devices" value=${filters.device} options=${devices} note="From the latest 500 runs. Any other id can be typed." onOpen=${learn} onChange=${(device) => change({ device })} />
    <${Combobox} label="Label" placeholder="Any label" value=${filters.label} options=${labels} note="A name and its value, such as orderId=42." problem=${(text) => (isLabel(text) ? null : "A label is a name, = and a value, such as orderId=42.")}
      onOpen=${learn} onChange=${(label) => change({ label })} /></div>`;
}

function TimeRange({ filters, change }) {
  const custom = Boolean(filters.from || filters.to);
  return html`<div class="segments" role="group" aria-label="Time">${RANGES.map((range) => html`
      <button key=${range.value} type="button" class="segment" aria-pressed=${String(!custom && filters.range === range.value)} title=${range.label}
        onClick=${() => change({ range: range.value, from: "", to: "" })}>${range.short}</button>`)}
    <${Popover} label="Custom time, from and to" button=${html`Custom<${Icon} name="down" />`} buttonClass=${classes("segment", custom && "segment-on")} panelClass="range-panel">
      ${(close) => html`<${CustomRange} filters=${filters} onApply=${(times) => { change({ range: "", ...times }); close(); }} />`}<//></div>`;
}

function CustomRange({ filters, onApply }) {
  const [from, setFrom] = useState(toLocalInput(filters.from));
  const [to, setTo] = useState(toLocalInput(filters.to));
  const backwards = from && to && from > to;
  const apply = (event) => {
    event.preventDefault();
    if (backwards) return;
    // The end is the whole of its minute, as both bounds are inclusive.
    const end = fromLocalInput(to);
    onApply({ from: fromLocalInput(from) ?? "", to: end ? new Date(Date.parse(end) + 59_999).toISOString() : "" });
  };
  return html`<form class="stack" onSubmit=${apply}>
    <${Field} id="range-from" label="From"><input id="range-from" class="input" type="datetime-local" value=${from} onInput=${(event) => setFrom(event.currentTarget.value)} /><//>
    <${Field} id="range-to" label="To" error=${backwards ? "The end is before the beginning." : null} hint=${`Times are in ${ZONE}.`}>
      <input id="range-to" class="input" type="datetime-local" value=${to} onInput=${(event) => setTo(event.currentTarget.value)} /><//>
    <${Button} kind="primary" type="submit" disabled=${!from && !to}>Apply<//></form>`;
}

/**
 * The states with their numbers in the time of the filters: legend of the histogram, and filter.
 * @param {{numbers: Object, busy: boolean, filters: Object, change: (change: Object) => void}} props
 *   `numbers` is the poll of fetchNumbers; `busy`: what it has is of other filters
 */
export function StatusBar({ numbers: { data, error }, busy, filters, change }) {
  const text = (status) => `${formatCount(status ? data.counts[status] ?? 0 : data.total)}${data.exact ? "" : "+"}`;
  const count = (status) => html`<b class=${busy ? "stale" : ""}>${data ? text(status) : "–"}</b>`;
  return html`<div class="statuses" role="group" aria-label="Status" aria-busy=${String(busy)}>
    <button type="button" class="status-chip" aria-pressed=${String(!filters.status)} onClick=${() => change({ status: "" })}>All ${count("")}</button>
    ${STATUSES.map((status) => html`<button key=${status} type="button" class=${`status-chip status-chip-${status.toLowerCase()}`} aria-pressed=${String(filters.status === status)}
      onClick=${() => change({ status: filters.status === status ? "" : status })}><${StatusIcon} status=${status} />${statusLabel(status)} ${count(status)}</button>`)}
    ${error && html`<span class="numbers-off" role="status" title=${error.message}><${Icon} name="warning" />Numbers not renewed</span>`}
    ${!busy && html`<${SuccessRate} numbers=${data} />`}</div>`;
}

/** Of the runs that passed or failed; cancelled ones say nothing about a flow. */
function SuccessRate({ numbers }) {
  const passed = numbers?.counts.COMPLETED ?? 0;
  const ended = passed + (numbers?.counts.FAILED ?? 0);
  if (!ended) return null;
  return html`<span class="rate" title="Completed, of those that completed or failed"><b>${percentText(passed / ended)}</b> successful</span>`;
}

/** @param {{filters: Object, only: ?string[], change: (change: Object) => void}} props */
export function ActiveFilters({ filters, only, change }) {
  const nameOf = (id) => suggestions(only).flows.find((flow) => flow.value === id)?.label ?? id;
  const active = activeFilters(filters, nameOf);
  if (active.length === 0) return null;
  return html`<div class="active" role="group" aria-label="Active filters">
    ${active.map((entry) => html`<${Chip} key=${entry.label} label=${entry.label} value=${entry.value}
      onRemove=${only && "flow" in entry.change ? null : () => change(entry.change)} />`)}
    <button type="button" class="link" onClick=${() => change(only ? { ...NO_FILTERS, flow: filters.flow } : NO_FILTERS)}>Clear all</button></div>`;
}
