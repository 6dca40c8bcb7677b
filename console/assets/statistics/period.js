// Owns the time of the Statistics page: what its address says of it, which stretch is
// asked for, which periods are drawn, and what is compared with it.
import { now } from "../format.js";
import { changed, parseFilters, windowOf } from "../runs/filters.js";

const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const STEP = { hour: HOUR, day: DAY };

const DEFAULT_RANGE = "7d";
const ALL = "all";
const SHORTEST_DRAWN = 3 * HOUR;

/**
 * The page's filters. They are those of the Runs page, but for the time: without one it
 * is the last 7 days here, and all time is said by `range=all`. The state is the chart's.
 * @param {Object<string, string>} query
 * @returns {import("../runs/filters.js").Filters}
 */
export function statisticsFilters(query) {
  const filters = { ...parseFilters(query), status: "", page: 1, asof: "" };
  if (filters.from || filters.to || query.range === ALL) return filters;
  return { ...filters, range: filters.range || DEFAULT_RANGE };
}

/** The query of changed filters. */
export function statisticsQuery(filters, change) {
  const next = changed(filters, change);
  const all = !next.range && !next.from && !next.to;
  return { ...next, range: all ? ALL : next.range, status: "" };
}

/**
 * The bounds of the filters, in milliseconds; `from` is null for all time.
 * @returns {{from: ?number, to: number}}
 */
export function boundsOf(filters) {
  const { from, to } = windowOf(filters);
  const end = to ? Math.min(Date.parse(to), now()) : now();
  return { from: from ? Math.min(Date.parse(from), end) : null, to: end };
}

/**
 * What is drawn for a stretch of time: whole hours or days. One too short for bars is
 * drawn within the day that ends with it.
 * @param {{from: number, to: number}} bounds
 * @returns {{from: number, to: number, interval: "hour"|"day", inner: ?{from: number, to: number}}}
 */
export function drawnOf({ from, to }) {
  const short = to - from < SHORTEST_DRAWN;
  const begin = short ? to - DAY : from;
  const interval = to - begin <= 3 * DAY + HOUR ? "hour" : "day";
  return { from: begin, to, interval, inner: short ? { from, to } : null };
}

/** The same length of time, right before. @param {{from: number, to: number}} bounds */
export function before({ from, to }) {
  return { from: from - (to - from), to: from - 1 };
}

/** Of a drawn period, the part that the filters mean. */
export function clipped(start, end, { from, to }) {
  return { from: new Date(Math.max(start, from)).toISOString(), to: new Date(Math.min(end, to)).toISOString() };
}
