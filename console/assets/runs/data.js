// Owns what the run list reads: pages of runs, numbers for a stretch of time, and
// suggestions.
import { get, isRefused } from "../api.js";
import { eachOf } from "../each.js";
import { now } from "../format.js";
import { countsOf, statusOf } from "../ui/status.js";
import { listParameters, MOST_DAYS, scopeParameters, searchedLabels, windowOf } from "./filters.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AT_ONCE = 6;
const POLLED = { retries: 0 };

/**
 * @typedef {{id: string, flowId: string, flowName: ?string, flowVersion: ?(string|number), deviceId: ?string,
 *   status: string, executionType: string, createdAt: string, startTime: ?string, endTime: ?string,
 *   durationMs: ?number, stepSummary: ?{total: number, passed: number, failed: number},
 *   trigger: ?string, errorMessage: ?string, labels: Object<string, string>, stalled: boolean, pinned: boolean}} Run
 */

/** A row of the list. @returns {Run} */
export function runOf(row) {
  return {
    id: row.id, flowId: row.flowId, flowName: row.flow?.name ?? null, flowVersion: row.flowVersion,
    deviceId: row.deviceId, status: statusOf(row.status), executionType: row.executionType,
    createdAt: row.createdAt, startTime: row.startTime, endTime: row.endTime, durationMs: row.durationMs,
    stepSummary: row.stepSummary, trigger: row.trigger, errorMessage: row.errorMessage, labels: row.labels,
    stalled: row.stalled ?? false, pinned: row.pinned ?? false,
  };
}

/**
 * One page of the list.
 * @param {import("./filters.js").Filters} filters
 * @param {AbortSignal} signal
 * @returns {Promise<{runs: Run[], total: number, exact: boolean}>} `exact`: whether the total is
 *   that of all runs, and not of as many as were counted
 */
export async function fetchRuns(filters, signal) {
  const { executions, pagination } = await get("api/history/executions", { query: listParameters(filters), signal, ...POLLED });
  return { runs: executions.map(runOf), total: pagination.total, exact: pagination.totalIsExact !== false };
}

/** A run's metadata, as the details have them; 404 where there is none. */
export async function fetchMetadata(runId, signal, options = POLLED) {
  const { data } = await get(`flow-executions/${encodeURIComponent(runId)}`, { query: { limit: 1, reveal: "false" }, signal, ...options });
  return data.metadata;
}

/** Rows that have left the page while they were open, as they are now. @param {Run[]} runs */
export async function refreshRuns(runs, signal) {
  const found = [];
  await eachOf(runs, AT_ONCE, async (run) => {
    try {
      found.push({ ...run, ...pick(await fetchMetadata(run.id, signal)) });
    } catch (error) {
      // Of a run that is deleted by now nothing is to be told; of a server that is busy it is.
      if (!isRefused(error)) throw error;
    }
  });
  return found;
}

function pick({ status, startTime, endTime, durationMs, stepSummary, trigger, errorMessage, flowVersion, stalled = false, pinned = false }) {
  return { status: statusOf(status), startTime, endTime, durationMs, stepSummary, trigger, errorMessage, flowVersion, stalled, pinned };
}

/**
 * The numbers of the filters' time, and a series to draw. A stretch that is too short to
 * draw, or has no beginning, is drawn within a longer or shorter one.
 * @returns {Promise<{counts: Object<string, number>, total: number, exact: boolean, series: Object[], interval: "hour"|"day",
 *   from: number, to: number, inner: ?{from: number, to: number}, caption: string}>}
 */
export async function fetchNumbers(filters, signal) {
  const asked = windowOf(filters);
  const drawn = drawnWindow(asked);
  const scope = scopeParameters(filters);
  const ask = (query) => get("api/history/execution-stats", { query: { ...scope, ...query }, signal, ...POLLED });
  const wanted = { startDate: asked.from, endDate: asked.to, days: asked.from ? null : MOST_DAYS };
  const drawnQuery = { startDate: new Date(drawn.from).toISOString(), endDate: asked.to, interval: drawn.interval };
  const [numbers, series] = await Promise.all([ask(wanted), ask(drawnQuery)]);
  return {
    counts: countsOf(numbers.stats.statusBreakdown), total: numbers.stats.totalExecutions,
    exact: numbers.stats.totalIsExact !== false, ...drawn,
    series: series.stats.series.map((period) => ({
      start: Date.parse(period.start), total: period.totalExecutions, counts: countsOf(period.statusBreakdown),
    })),
  };
}

function drawnWindow({ from, to }) {
  const end = to ? Date.parse(to) : now();
  const begin = from ? Date.parse(from) : null;
  const length = begin === null ? 30 * DAY : end - begin;
  const short = length < 6 * HOUR;
  const shown = short ? DAY : Math.min(length, MOST_DAYS * DAY);
  const interval = shown <= 8 * DAY ? "hour" : "day";
  // Whole periods, so that the first bar is not a part.
  const step = interval === "hour" ? HOUR : DAY;
  const start = Math.floor((end - shown) / step) * step;
  const inner = short ? { from: begin, to: end } : null;
  // Where what is drawn is not the time that was asked for.
  const caption = begin === null ? (to ? "30 days up to then" : "Last 30 days") : short ? "24 hours; the time chosen is shaded" : "";
  return { interval, from: start, to: end, inner, caption };
}

const suggested = { flows: new Map(), devices: new Set(), labels: new Set(), asked: 0 };
/** Labels are often of one run alone; who types finds the right one sooner than who scrolls. */
const MOST_LABELS = 2000;

/** Notes the flows, devices and labels of runs that were seen. @param {Run[]} runs */
export function noteSeen(runs) {
  for (const run of runs) {
    if (run.flowId) suggested.flows.set(run.flowId, run.flowName ?? suggested.flows.get(run.flowId));
    if (run.deviceId) suggested.devices.add(run.deviceId);
    if (suggested.labels.size < MOST_LABELS) for (const label of searchedLabels(run.labels)) suggested.labels.add(label);
  }
}


/** What was seen, as options. @param {?string[]} only the flows that the caller is limited to */
export function suggestions(only) {
  const name = (id) => ({ value: id, label: suggested.flows.get(id) ?? id });
  const flows = (only ?? [...suggested.flows.keys()]).map(name).sort((a, b) => a.label.localeCompare(b.label));
  const options = (values) => [...values].sort().map((value) => ({ value }));
  return { flows, devices: options(suggested.devices), labels: options(suggested.labels) };
}

/** The API has no list of flows: the latest 500 runs tell most of them. Asked once a minute at most. */
export async function learnSuggestions(flowId) {
  if (now() - suggested.asked < 60_000) return;
  suggested.asked = now();
  const answer = await get("api/history/executions", { query: { lite: true, extended: true, limit: 500, flowId } });
  noteSeen(answer.executions.map(runOf));
}
