// Owns what the run list reads: pages of runs, with the error and the trigger that the
// list itself does not tell, numbers for a stretch of time, and suggestions.
import { get, isRefused } from "../api.js";
import { eachOf } from "../each.js";
import { now } from "../format.js";
import { countsOf, statusOf } from "../ui/status.js";
import { listParameters, MOST_DAYS, PAGE_SIZE, scopeParameters, windowOf } from "./filters.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AT_ONCE = 6;
const POLLED = { retries: 0 };

/**
 * @typedef {{id: string, flowId: string, flowName: ?string, flowVersion: ?(string|number), deviceId: ?string,
 *   status: string, executionType: string, createdAt: string, startTime: ?string, endTime: ?string,
 *   durationMs: ?number, stepSummary: ?{total: number, passed: number, failed: number},
 *   trigger: ?string, errorMessage: ?string}} Run
 */

/** A row of the list. @returns {Run} */
function runOf(row) {
  return {
    id: row.id, flowId: row.flowId, flowName: row.flow?.name ?? null, flowVersion: row.flowVersion ?? null,
    deviceId: row.deviceId, status: statusOf(row.status), executionType: row.executionType,
    createdAt: row.createdAt, startTime: row.startTime, endTime: row.endTime, durationMs: row.durationMs,
    stepSummary: row.stepSummary, trigger: row.trigger ?? null, errorMessage: row.errorMessage ?? null,
    complete: "errorMessage" in row,
  };
}

/**
 * One page of the list.
 * @param {import("./filters.js").Filters} filters
 * @param {string} teamId
 * @param {AbortSignal} signal
 * @param {(page: {runs: Run[], total: number}) => void} show hears of the page also where
 *   what the list does not tell cannot be had now
 * @returns {Promise<{runs: Run[], total: number}>}
 */
export async function fetchRuns(filters, teamId, signal, show) {
  const answer = await get("api/history/executions", { query: listParameters(filters), signal, ...POLLED });
  const page = { runs: answer.executions.map(runOf), total: answer.pagination.total };
  try {
    await complete(page.runs, filters, teamId, signal);
  } catch (error) {
    show(page);
    throw error;
  }
  return page;
}

// What was found out about a run, by its id and state: an ended run stays as it is.
const known = new Map();
const keyOf = (run) => `${run.id} ${run.status}`;

/** Adds trigger and error. A list that has them needs nothing of this. */
async function complete(runs, filters, teamId, signal) {
  const missing = runs.filter((run) => !run.complete && !known.has(keyOf(run)));
  try {
    if (missing.length > 0 && !filters.type && !filters.device) await unlessRefused(askTeamList(filters, teamId, signal));
    const failed = missing.filter((run) => run.status === "FAILED" && !known.has(keyOf(run)));
    await eachOf(failed, AT_ONCE, async (run) => {
      // What is refused, as of a run that is deleted by now, is not asked for in each round.
      if (!(await unlessRefused(askOne(run, signal)))) remember(run, {});
    });
  } finally {
    for (const run of runs) Object.assign(run, known.get(keyOf(run)));
  }
}

/**
 * The list is worth showing without what is refused; of a server that is busy the poll has
 * to hear. @param {Promise} asked @returns {Promise<boolean>} whether it was answered
 */
async function unlessRefused(asked) {
  try {
    await asked;
    return true;
  } catch (error) {
    if (!isRefused(error)) throw error;
    return false;
  }
}

/** The same page of another list, which has both. */
async function askTeamList(filters, teamId, signal) {
  const { startDate, endDate, status, flowId } = listParameters(filters);
  const query = {
    workflowId: flowId, status: status === "PASSED" ? "SUCCESS" : status,
    from: startDate, to: endDate, page: filters.page - 1, size: PAGE_SIZE,
  };
  const path = flowId ? "api/executions" : `api/executions/team/${encodeURIComponent(teamId)}`;
  const { content } = await get(path, { query, signal, ...POLLED });
  for (const row of content) {
    remember({ id: row.id, status: statusOf(row.status) }, { trigger: row.triggerType, errorMessage: row.errorMessage });
  }
}

async function askOne(run, signal) {
  const { trigger, errorMessage, flowVersion } = await fetchMetadata(run.id, signal);
  remember(run, { trigger, errorMessage, flowVersion });
}

function remember(run, found) {
  if (known.size > 5000) known.clear();
  known.set(keyOf(run), { ...known.get(keyOf(run)), ...found });
}

/** A run's metadata, as the details have them; 404 where there is none. */
export async function fetchMetadata(runId, signal, options = POLLED) {
  const { data } = await get(`flow-executions/${encodeURIComponent(runId)}`, { query: { limit: 1, reveal: "false" }, signal, ...options });
  return data.metadata;
}

/** Rows that have left the page while they were open, as they are now. @param {Run[]} runs */
export async function refreshRuns(runs, signal) {
  const found = [];
  await eachOf(runs, AT_ONCE, (run) => unlessRefused(
    fetchMetadata(run.id, signal).then((metadata) => found.push({ ...run, ...pick(metadata) }))));
  return found;
}

function pick({ status, startTime, endTime, durationMs, stepSummary, trigger, errorMessage, flowVersion }) {
  return { status: statusOf(status), startTime, endTime, durationMs, stepSummary, trigger, errorMessage, flowVersion };
}

/**
 * The numbers of the filters' time, and a series to draw. A stretch that is too short to
 * draw, or has no beginning, is drawn within a longer or shorter one.
 * @returns {Promise<{counts: Object<string, number>, total: number, series: Object[], interval: "hour"|"day",
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
    counts: countsOf(numbers.stats.statusBreakdown), total: numbers.stats.totalExecutions, ...drawn,
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
  const caption = begin === null ? "Last 30 days" : short ? "24 hours around" : "";
  return { interval, from: start, to: end, inner, caption };
}

const suggested = { flows: new Map(), devices: new Set(), asked: 0 };

/** Notes the flows and devices of runs that were seen. @param {Run[]} runs */
export function noteSeen(runs) {
  for (const run of runs) {
    suggested.flows.set(run.flowId, run.flowName ?? suggested.flows.get(run.flowId));
    if (run.deviceId) suggested.devices.add(run.deviceId);
  }
}

/** What was seen, as options. @param {?string[]} only the flows that the caller is limited to */
export function suggestions(only) {
  const name = (id) => ({ value: id, label: suggested.flows.get(id) ?? id });
  const flows = (only ?? [...suggested.flows.keys()]).map(name).sort((a, b) => a.label.localeCompare(b.label));
  return { flows, devices: [...suggested.devices].sort().map((value) => ({ value })) };
}

/** The API has no list of flows: the latest 500 runs tell most of them. Asked once a minute at most. */
export async function learnSuggestions(flowId) {
  if (now() - suggested.asked < 60_000) return;
  suggested.asked = now();
  const answer = await get("api/history/executions", { query: { lite: true, limit: 500, flowId } });
  noteSeen(answer.executions.map(runOf));
}
