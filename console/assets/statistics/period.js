// Owns the time of the Statistics page: the period in its address, the requested and drawn periods,
// and the period to compare with.
import { now } from "../format.js";
import { changed, parseFilters, windowOf } from "../runs/filters.js";

const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const STEP = { hour: HOUR, day: DAY };

const DEFAULT_RANGE = "7d";
const ALL = "all";
const SHORTEST_DRAWN = 3 * HOUR;

/**
 * The page's filters. They are the filters of the Runs page except for the time: the default is the
 * last 7 days, and `range=all` means all time. There is no filter for the state.
 * @param {Object<string, string>} query
 * @returns {import("../runs/filters.js").Filters}
 */
export function statisticsFilters(query) {
  const filters = { ...parseFilters(query), status: "", page: 1, asof: "" };
  if (filters.from || filters.to || query.range === ALL) return filters;
  return { ...filters, range: filters.range || DEFAULT_RANGE };
}

/** The query for changed filters. */
export function statisticsQuery(filters, change) {
  const next = changed(filters, change);
  const all = !next.range && !next.from && !next.to;
  return { ...next, range: all ? ALL : next.range, status: "" };
}

/**
 * The bounds of the filtered time, in milliseconds; `from` is null for all time.
 * @returns {{from: ?number, to: number}}
 */
export function boundsOf(filters) {
  const { from, to } = windowOf(filters);
  const end = to ? Math.min(Date.parse(to), now()) : now();
  return { from: from ? Math.min(Date.parse(from), end) : null, to: end };
}

/**
 * The period to draw: whole hours or days. A time that is too short for bars is drawn as part of
 * the day before its end.
 * @param {{from: number, to: number}} bounds
 * @returns {{from: number, to: number, interval: "hour"|"day", inner: ?{from: number, to: number}}}
 */
export function drawnOf({ from, to }) {
  const short = to - from < SHORTEST_DRAWN;
  const begin = short ? to - DAY : from;
  const interval = to - begin <= 3 * DAY + HOUR ? "hour" : "day";
  return { from: begin, to, interval, inner: short ? { from, to } : null };
}

/** The previous period of the same length. @param {{from: number, to: number}} bounds */
export function before({ from, to }) {
  return { from: from - (to - from), to: from - 1 };
}

/** The part of a drawn period that is in the filtered time. */
export function clipped(start, end, { from, to }) {
  return { from: new Date(Math.max(start, from)).toISOString(), to: new Date(Math.min(end, to)).toISOString() };
}
