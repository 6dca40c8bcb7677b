// Owns what the Statistics page reads: the numbers of a stretch of time and of the one
// before it, over time as well, the flows with their numbers, and the steps of a flow. The
// API has no list of flows, so they are asked for one by one, with a bound on how many
// requests that may be.
import { get } from "../api.js";
import { eachOf } from "../each.js";
import { now } from "../format.js";
import { noteSeen, runOf, suggestions } from "../runs/data.js";
import { MOST_DAYS, scopeParameters } from "../runs/filters.js";
import { countsOf } from "../ui/status.js";
import { before, boundsOf, DAY, drawnOf, STEP } from "./period.js";

const AT_ONCE = 4;
const SAMPLE_PAGES = 2;
const PAGE = 500;
/** So many flows have a row, those with the most runs of the sample. */
export const MOST_FLOWS = 20;
const POLLED = { retries: 0 };

/**
 * @typedef {{total: number, exact: boolean, counts: Object<string, number>, failed: number, ended: number, rate: ?number,
 *   averageMs: ?number, p50: ?number, p95: ?number, p99: ?number}} Numbers
 *   `rate` is completed of those that completed or failed, 0 to 1
 */

/** @returns {Numbers} */
function numbersOf(stats) {
  const counts = countsOf(stats.statusBreakdown);
  return {
    total: stats.totalExecutions, exact: stats.totalIsExact !== false, ...ratesOf(counts),
    averageMs: stats.durationPercentiles ? stats.averageExecutionTimeMs : null, ...percentilesOf(stats),
  };
}

function percentilesOf({ durationPercentiles: percentiles }) {
  return { p50: percentiles?.p50Ms ?? null, p95: percentiles?.p95Ms ?? null, p99: percentiles?.p99Ms ?? null };
}

function ratesOf(counts) {
  const passed = counts.COMPLETED ?? 0;
  const failed = counts.FAILED ?? 0;
  const ended = passed + failed;
  return { counts, failed, ended, rate: ended ? passed / ended : null };
}

const iso = (ms) => new Date(ms).toISOString();

async function askStats(filters, { from, to }, signal, more = {}) {
  const query = { ...scopeParameters(filters), startDate: iso(from), endDate: iso(to), ...more };
  const { stats } = await get("api/history/execution-stats", { query, signal, ...POLLED });
  return stats;
}

/**
 * The numbers of the filters' time, of the time before, and the periods to draw.
 * @param {import("../runs/filters.js").Filters} filters
 * @param {AbortSignal} signal
 * @returns {Promise<{bounds: {from: number, to: number}, drawn: Object, periods: Object[], numbers: Numbers,
 *   previous: ?Numbers, readAt: number}>}
 */
export async function fetchOverview(filters, signal) {
  const asked = boundsOf(filters);
  const bounds = asked.from === null ? { ...asked, from: await beginning(filters, asked, signal) } : asked;
  const drawn = drawnOf(bounds);
  const compared = asked.from !== null;
  const [series, own, previous] = await Promise.all([
    askStats(filters, drawn, signal, { interval: drawn.interval }),
    drawn.inner ? askStats(filters, bounds, signal) : null,
    compared ? askStats(filters, before(bounds), signal) : null,
  ]);
  const periods = series.series.map((period) => ({
    start: Date.parse(period.start), end: Date.parse(period.start) + STEP[drawn.interval] - 1,
    total: period.totalExecutions, ...ratesOf(countsOf(period.statusBreakdown)), ...percentilesOf(period),
  }));
  return { bounds, drawn, periods, numbers: numbersOf(own ?? series), previous: previous && numbersOf(previous), readAt: now() };
}

/** The first day that has runs, so that all time is not drawn from ten years ago. */
async function beginning(filters, { to }, signal) {
  const query = { ...scopeParameters(filters), endDate: iso(to), days: MOST_DAYS, interval: "day" };
  const { stats } = await get("api/history/execution-stats", { query, signal, ...POLLED });
  const first = stats.series.find((period) => period.totalExecutions > 0);
  return first ? Date.parse(first.start) : to - DAY;
}

/**
 * The steps of the flow in its newest runs, in the whole time or a part of it.
 * @returns {Promise<{steps: Object[], runs: number, complete: boolean}>} a step has what
 *   api.md tells of `step-stats`, and `name` is always there
 */
export async function fetchSteps(filters, { bounds }, signal) {
  const query = { ...scopeParameters(filters), startDate: iso(bounds.from), endDate: iso(bounds.to) };
  const { stats } = await get("api/history/step-stats", { query, signal, ...POLLED });
  const steps = stats.steps.map((step) => {
    const ended = step.passed + step.failed;
    const { p50Ms: p50 = null, p95Ms: p95 = null } = step.durationPercentiles ?? {};
    const name = step.name ?? step.stepId ?? step.action ?? "Step without a name";
    return { ...step, name, p50, p95, rate: ended ? step.passed / ended : null };
  });
  return { steps, runs: stats.runs, complete: stats.totalIsExact !== false };
}

/**
 * The flows that the newest runs belong to, each with its numbers in the whole time.
 * @returns {Promise<{flows: ({id: string, name: string} & Numbers)[], sampled: number, found: number, complete: boolean}>}
 *   `sampled` runs were looked at, which belong to `found` flows
 */
export async function fetchFlows(filters, { bounds }, session, signal) {
  const sample = session.caller.flows
    ? { ids: session.caller.flows, sampled: 0, complete: true }
    : await sampleFlows(filters, bounds, signal);
  const flows = sample.ids.slice(0, MOST_FLOWS).map((id) => ({ id }));
  await eachOf(flows, AT_ONCE, async (flow) => {
    Object.assign(flow, numbersOf(await askStats({ ...filters, flow: flow.id }, bounds, signal)));
  });
  const names = new Map(suggestions(null).flows.map(({ value, label }) => [value, label]));
  for (const flow of flows) flow.name = names.get(flow.id) ?? flow.id;
  return { flows, sampled: sample.sampled, found: sample.ids.length, complete: sample.complete };
}

async function sampleFlows(filters, bounds, signal) {
  const query = { ...scopeParameters(filters), startDate: iso(bounds.from), endDate: iso(bounds.to), lite: true, extended: true, limit: PAGE };
  const counts = new Map();
  let sampled = 0;
  let more = true;
  for (let page = 0; page < SAMPLE_PAGES && more; page += 1) {
    const { executions, pagination } = await get("api/history/executions", { query: { ...query, offset: page * PAGE }, signal, ...POLLED });
    noteSeen(executions.map(runOf));
    for (const { flowId } of executions) counts.set(flowId, (counts.get(flowId) ?? 0) + 1);
    sampled += executions.length;
    more = pagination.hasMore;
  }
  const ids = [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one));
  return { ids, sampled, complete: !more };
}
