// Owns the filters of the run list: their form in the address, their period, and their parameters
// of the API.
import { limits } from "../config.js";
import { formatTime, now } from "../format.js";
import { STATUSES, statusLabel } from "../ui/status.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const PAGE_SIZE = 50;

/** The predefined times; "" is all time. */
export const RANGES = [
  { value: "15m", short: "15 min", label: "Last 15 minutes", ms: 15 * MINUTE },
  { value: "1h", short: "1 h", label: "Last hour", ms: HOUR },
  { value: "24h", short: "24 h", label: "Last 24 hours", ms: DAY },
  { value: "7d", short: "7 d", label: "Last 7 days", ms: 7 * DAY },
  { value: "30d", short: "30 d", label: "Last 30 days", ms: 30 * DAY },
  { value: "", short: "All", label: "All time", ms: null },
];

export const TYPES = [
  { value: "", label: "All types" },
  { value: "PARENT", label: "Parent runs" },
  { value: "SUBFLOW", label: "Sub-flows" },
];

/**
 * @typedef {{flow: string, status: string, type: string, device: string, label: string, range: string,
 *   from: string, to: string, page: number, asof: string}} Filters
 *   `label` is a name and a value, `orderId=42`; `asof` fixes the start of the list for pages after the first,
 *   because new runs would otherwise shift rows from one page to the next
 * @typedef {{from: ?string, to: ?string}} Window
 */

/** @param {Object<string, string>} query @returns {Filters} */
export function parseFilters(query) {
  const time = (text) => (text && !Number.isNaN(Date.parse(text)) ? new Date(text).toISOString() : "");
  const page = Math.floor(Number(query.page));
  const from = time(query.from);
  const to = time(query.to);
  return {
    flow: query.flow ?? "",
    status: STATUSES.includes(query.status) ? query.status : "",
    type: TYPES.some((type) => type.value === query.type) ? query.type : "",
    device: query.device ?? "",
    label: isLabel(query.label) ? query.label : "",
    range: from || to || !RANGES.some((range) => range.value === query.range) ? "" : query.range,
    from,
    to,
    page: page > 1 ? page : 1,
    asof: page > 1 ? time(query.asof) : "",
  };
}

/**
 * The labels by which a run can be found, in the form of the filter: the first ones by name. A
 * label with "=" in its name is excluded, because the filter would read it as another label.
 * @param {?Object<string, string>} labels
 */
export function searchedLabels(labels) {
  const entries = Object.entries(labels ?? {}).filter(
    ([name, value]) => isLabel(`${name}=${value}`) && !name.includes("="),
  );
  // Sorted by code points, like on the server.
  entries.sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.slice(0, limits().searchedLabels).map(([name, value]) => `${name}=${value}`);
}

/** Whether runs can be found by a text as a label. @param {?string} text */
export function isLabel(text) {
  // The limit does not include the "=".
  return /^[^=]+=./su.test(text ?? "") && new TextEncoder().encode(text).length <= limits().labelBytes + 1;
}

/**
 * A token that is limited to flows must filter by one of them: the first, until another is chosen.
 * @param {Filters} filters @param {import("../session.js").Session} session
 */
export function ofCaller(filters, session) {
  const only = session.caller.flows;
  return only && !filters.flow ? { ...filters, flow: only[0] ?? "" } : filters;
}

/** The query for changed filters: the first page, in the order of the typedef. */
export function changed(filters, change) {
  const next = { ...filters, ...change };
  if (!("page" in change)) Object.assign(next, { page: 1, asof: "" });
  return { ...next, page: next.page > 1 ? next.page : "" };
}

/** Whether a filter is active. @param {Filters} filters */
export function isFiltered(filters) {
  return Object.keys(NO_FILTERS).some((name) => filters[name]);
}

/** The filtered period; relative times count from now, or from `asof`. @returns {Window} */
export function windowOf(filters) {
  if (filters.from || filters.to) {
    // ISO times sort chronologically. `asof` also limits a period that ends in the future.
    const [to] = [filters.to, filters.asof].filter(Boolean).sort();
    return { from: filters.from || null, to: to ?? null };
  }
  const ms = RANGES.find((range) => range.value === filters.range)?.ms ?? null;
  const end = filters.asof ? Date.parse(filters.asof) : now();
  // To the minute: the server has counters for whole hours, and reads runs for the rest.
  const from = ms === null ? null : new Date(Math.floor((end - ms) / MINUTE) * MINUTE).toISOString();
  return { from, to: filters.asof || null };
}

const API_STATUS = { COMPLETED: "PASSED" };

/** The common parameters of the list and the statistics. @param {Filters} filters */
export function scopeParameters(filters) {
  return { flowId: filters.flow, deviceId: filters.device, executionType: filters.type, label: filters.label };
}

/** @param {Filters} filters */
export function listParameters(filters) {
  const { from, to } = windowOf(filters);
  return {
    ...scopeParameters(filters),
    status: API_STATUS[filters.status] ?? filters.status,
    startDate: from,
    endDate: to,
    lite: true,
    extended: true,
    limit: PAGE_SIZE,
    offset: (filters.page - 1) * PAGE_SIZE,
  };
}

/** The active filters as text, each with the change that removes it. */
export function activeFilters(filters, nameOfFlow) {
  const range = RANGES.find((entry) => entry.value === filters.range && entry.value);
  const type = TYPES.find((entry) => entry.value === filters.type && entry.value);
  return [
    range && { label: "Time", value: range.label, change: { range: "" } },
    filters.from && { label: "From", value: formatTime(filters.from), change: { from: "" } },
    filters.to && { label: "To", value: formatTime(filters.to), change: { to: "" } },
    filters.status && { label: "Status", value: statusLabel(filters.status), change: { status: "" } },
    filters.flow && { label: "Flow", value: nameOfFlow(filters.flow), change: { flow: "" } },
    type && { label: "Type", value: type.label, change: { type: "" } },
    filters.device && { label: "Device", value: filters.device, change: { device: "" } },
    filters.label && { label: "Label", value: filters.label, change: { label: "" } },
  ].filter(Boolean);
}

export const NO_FILTERS = { flow: "", status: "", type: "", device: "", label: "", range: "", from: "", to: "" };
