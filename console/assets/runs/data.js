// Owns the data of the run list: pages of runs, numbers for a period, and suggestions.
import { get, isRefused } from "../api.js";
import { limits } from "../config.js";
import { eachOf } from "../each.js";
import { formatCount, now } from "../format.js";
import { countsOf, statusOf } from "../ui/status.js";
import { listParameters, scopeParameters, searchedLabels, windowOf } from "./filters.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const CONCURRENCY = 6;
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
    id: row.id,
    flowId: row.flowId,
    flowName: row.flow?.name ?? null,
    flowVersion: row.flowVersion,
    deviceId: row.deviceId,
    status: statusOf(row.status),
    executionType: row.executionType,
    createdAt: row.createdAt,
    startTime: row.startTime,
    endTime: row.endTime,
    durationMs: row.durationMs,
    stepSummary: row.stepSummary,
    trigger: row.trigger,
    errorMessage: row.errorMessage,
    labels: row.labels,
    stalled: row.stalled ?? false,
    pinned: row.pinned ?? false,
  };
}

/**
 * One page of the list.
 * @param {import("./filters.js").Filters} filters @param {AbortSignal} signal
 * @returns {Promise<{runs: Run[], total: number, exact: boolean}>}
 *   `exact`: whether the total includes all runs, or is a lower bound
 */
export async function fetchRuns(filters, signal) {
  const { executions, pagination } = await get("api/history/executions", {
    query: listParameters(filters),
    signal,
    ...POLLED,
  });
  return { runs: executions.map(runOf), total: pagination.total, exact: pagination.totalIsExact !== false };
}

/** A run's metadata from its details; 404 if it does not exist. */
export async function fetchMetadata(runId, signal, options = POLLED) {
  const { data } = await get(`flow-executions/${encodeURIComponent(runId)}`, {
    query: { limit: 1, reveal: "false" },
    signal,
    ...options,
  });
  return data.metadata;
}

/** The current state of open rows that have left the page. @param {Run[]} runs */
export async function refreshRuns(runs, signal) {
  const found = [];
  await eachOf(runs, CONCURRENCY, async (run) => {
    try {
      found.push({ ...run, ...pick(await fetchMetadata(run.id, signal)) });
    } catch (error) {
      // A deleted run is ignored; a busy server is an error.
      if (!isRefused(error)) throw error;
    }
  });
  return found;
}

function pick({
  status,
  startTime,
  endTime,
  durationMs,
  stepSummary,
  trigger,
  errorMessage,
  flowVersion,
  stalled = false,
  pinned = false,
}) {
  return {
    status: statusOf(status),
    startTime,
    endTime,
    durationMs,
    stepSummary,
    trigger,
    errorMessage,
    flowVersion,
    stalled,
    pinned,
  };
}

/**
 * The number of open runs that started before the filtered time, by state.
 * @returns {Promise<?{before: string, counts: Object<string, number>, exact: boolean}>} null if the filters have no
 *   start;
 *   `before` is the last time that is included
 */
async function fetchOlderOpen(asked, ask) {
  if (!asked.from) return null;
  const before = new Date(Date.parse(asked.from) - 1).toISOString();
  const { stats } = await ask({ endDate: before, days: limits().statisticsDays });
  return { before, counts: countsOf(stats.statusBreakdown), exact: stats.totalIsExact !== false };
}

/**
 * The numbers of the filtered time, and a series to draw. A period that is too short to draw is
 * drawn within a longer one, and a period without a start as a shorter one.
 * @returns {Promise<{counts: Object<string, number>, total: number, exact: boolean, series: Object[],
 *   interval: "hour"|"day", from: number, to: number, inner: ?{from: number, to: number}, caption: string,
 *   older: ?Object}>}
 *   `older` is from fetchOlderOpen
 */
export async function fetchNumbers(filters, signal) {
  const asked = windowOf(filters);
  const drawn = drawnWindow(asked);
  const scope = scopeParameters(filters);
  const ask = (query) => get("api/history/execution-stats", { query: { ...scope, ...query }, signal, ...POLLED });
  const wanted = { startDate: asked.from, endDate: asked.to, days: asked.from ? null : limits().statisticsDays };
  const drawnQuery = { startDate: new Date(drawn.from).toISOString(), endDate: asked.to, interval: drawn.interval };
  const [numbers, series, older] = await Promise.all([ask(wanted), ask(drawnQuery), fetchOlderOpen(asked, ask)]);
  return {
    counts: countsOf(numbers.stats.statusBreakdown),
    total: numbers.stats.totalExecutions,
    exact: numbers.stats.totalIsExact !== false,
    ...drawn,
    older,
    series: series.stats.series.map((period) => ({
      start: Date.parse(period.start),
      total: period.totalExecutions,
      counts: countsOf(period.statusBreakdown),
    })),
  };
}

function drawnWindow({ from, to }) {
  const end = to ? Date.parse(to) : now();
  const begin = from ? Date.parse(from) : null;
  const length = begin === null ? 30 * DAY : end - begin;
  const short = length < 6 * HOUR;
  const shown = short ? DAY : Math.min(length, limits().statisticsDays * DAY);
  const interval = shown <= 8 * DAY ? "hour" : "day";
  // Whole periods, so that the first bar is complete.
  const step = interval === "hour" ? HOUR : DAY;
  const start = Math.floor((end - shown) / step) * step;
  const inner = short ? { from: begin, to: end } : null;
  // A caption if the drawn period is not the requested one.
  const caption =
    begin === null
      ? to
        ? "30 days before the end"
        : "Last 30 days"
      : short
        ? "24 hours; the chosen time is shaded"
        : "";
  return { interval, from: start, to: end, inner, caption };
}

const suggested = { flows: new Map(), devices: new Set(), labels: new Set(), asked: 0 };
/** Labels are often unique to one run, and typing finds a label faster than scrolling. */
const MAX_LABELS = 2000;

/** Remembers the flows, devices and labels of runs. @param {Run[]} runs */
export function noteSeen(runs) {
  for (const run of runs) {
    if (run.flowId) suggested.flows.set(run.flowId, run.flowName ?? suggested.flows.get(run.flowId));
    if (run.deviceId) suggested.devices.add(run.deviceId);
    if (suggested.labels.size < MAX_LABELS) {
      for (const label of searchedLabels(run.labels)) suggested.labels.add(label);
    }
  }
}

/** The remembered values as options. @param {?string[]} only the flows that the caller is limited to */
export function suggestions(only) {
  const name = (id) => ({ value: id, label: suggested.flows.get(id) ?? id });
  const flows = (only ?? [...suggested.flows.keys()]).map(name).sort((a, b) => a.label.localeCompare(b.label));
  const options = (values) => [...values].sort().map((value) => ({ value }));
  return { flows, devices: options(suggested.devices), labels: options(suggested.labels) };
}

/** The source of suggestions, as a note below them. */
export const recentRunsNote = () =>
  `From the latest ${formatCount(limits().pageSize)} runs. You can type any other id.`;

/** The API has no list of flows, so they are taken from the latest runs, at most once a minute. */
export async function learnSuggestions(flowId) {
  if (now() - suggested.asked < 60_000) return;
  suggested.asked = now();
  const answer = await get("api/history/executions", {
    query: { lite: true, extended: true, limit: limits().pageSize, flowId },
  });
  noteSeen(answer.executions.map(runOf));
}
