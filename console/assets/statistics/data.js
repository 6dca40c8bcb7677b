// Owns the data of the Statistics page: the numbers of a period and of the previous one, the series
// over time, the flows with their numbers, and the steps of a flow. The API has no list of flows,
// so each flow needs a separate request, and their number is limited.
import { get } from "../api.js";
import { limits } from "../config.js";
import { eachOf } from "../each.js";
import { now } from "../format.js";
import { noteSeen, runOf, suggestions } from "../runs/data.js";
import { scopeParameters } from "../runs/filters.js";
import { countsOf } from "../ui/status.js";
import { before, boundsOf, DAY, drawnOf, STEP } from "./period.js";

const CONCURRENCY = 4;
const SAMPLE_PAGES = 2;

/** The number of flows in the table: those with the most runs in the sample. */
export const MAX_FLOWS = 20;
const POLLED = { retries: 0 };

/**
 * @typedef {{total: number, exact: boolean, counts: Object<string, number>, failed: number, ended: number,
 *   rate: ?number, averageMs: ?number, p50: ?number, p95: ?number, p99: ?number}} Numbers
 *   `rate` is the share of completed runs among completed and failed runs, 0 to 1
 */

/** @returns {Numbers} */
function numbersOf(stats) {
  const counts = countsOf(stats.statusBreakdown);
  return {
    total: stats.totalExecutions,
    exact: stats.totalIsExact !== false,
    ...ratesOf(counts),
    averageMs: stats.durationPercentiles ? stats.averageExecutionTimeMs : null,
    ...percentilesOf(stats),
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
 * The numbers of the filtered period and of the previous one, and the periods to draw.
 * @param {import("../runs/filters.js").Filters} filters @param {AbortSignal} signal
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
    start: Date.parse(period.start),
    end: Date.parse(period.start) + STEP[drawn.interval] - 1,
    total: period.totalExecutions,
    ...ratesOf(countsOf(period.statusBreakdown)),
    ...percentilesOf(period),
  }));
  return {
    bounds,
    drawn,
    periods,
    numbers: numbersOf(own ?? series),
    previous: previous && numbersOf(previous),
    readAt: now(),
  };
}

/** The first day with runs, so that charts of all time do not start ten years ago. */
async function beginning(filters, { to }, signal) {
  const query = { ...scopeParameters(filters), endDate: iso(to), days: limits().statisticsDays, interval: "day" };
  const { stats } = await get("api/history/execution-stats", { query, signal, ...POLLED });
  const first = stats.series.find((period) => period.totalExecutions > 0);
  return first ? Date.parse(first.start) : to - DAY;
}

/**
 * The steps of the flow in its newest runs, in the whole period or a part of it.
 * @returns {Promise<{steps: Object[], runs: number, complete: boolean}>} a step has the members of
 *   `step-stats` in api.md, and always a `name`
 */
export async function fetchSteps(filters, { bounds }, signal) {
  const query = { ...scopeParameters(filters), startDate: iso(bounds.from), endDate: iso(bounds.to) };
  const { stats } = await get("api/history/step-stats", { query, signal, ...POLLED });
  const steps = stats.steps.map((step) => {
    const ended = step.passed + step.failed;
    const { p50Ms: p50 = null, p95Ms: p95 = null } = step.durationPercentiles ?? {};
    const name = step.name ?? step.stepId ?? step.action ?? "Unnamed step";
    return { ...step, name, p50, p95, rate: ended ? step.passed / ended : null };
  });
  return { steps, runs: stats.runs, complete: stats.totalIsExact !== false };
}

/**
 * The flows of the newest runs, each with its numbers for the whole period.
 * @returns {Promise<{flows: ({id: string, name: string} & Numbers)[], sampled: number, found: number,
 *   complete: boolean}>}
 *   `sampled` is the number of runs that were read, which belong to `found` flows
 */
export async function fetchFlows(filters, { bounds }, session, signal) {
  const sample = session.caller.flows
    ? { ids: session.caller.flows, sampled: 0, complete: true }
    : await sampleFlows(filters, bounds, signal);
  const flows = sample.ids.slice(0, MAX_FLOWS).map((id) => ({ id }));
  await eachOf(flows, CONCURRENCY, async (flow) => {
    Object.assign(flow, numbersOf(await askStats({ ...filters, flow: flow.id }, bounds, signal)));
  });
  const names = new Map(suggestions(null).flows.map(({ value, label }) => [value, label]));
  for (const flow of flows) flow.name = names.get(flow.id) ?? flow.id;
  return { flows, sampled: sample.sampled, found: sample.ids.length, complete: sample.complete };
}

async function sampleFlows(filters, bounds, signal) {
  const query = {
    ...scopeParameters(filters),
    startDate: iso(bounds.from),
    endDate: iso(bounds.to),
    lite: true,
    extended: true,
    limit: limits().pageSize,
  };
  const counts = new Map();
  let sampled = 0;
  let more = true;
  for (let page = 0; page < SAMPLE_PAGES && more; page += 1) {
    const { executions, pagination } = await get("api/history/executions", {
      query: { ...query, offset: page * limits().pageSize },
      signal,
      ...POLLED,
    });
    noteSeen(executions.map(runOf));
    // A record without a valid flow id belongs to no flow.
    for (const { flowId } of executions.filter((run) => run.flowId)) {
      counts.set(flowId, (counts.get(flowId) ?? 0) + 1);
    }
    sampled += executions.length;
    more = pagination.hasMore;
  }
  const ids = [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one));
  return { ids, sampled, complete: !more };
}
