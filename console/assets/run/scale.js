// Owns the time axis: the shown period, and the positions and labels of its ticks.
import { formatClock, formatDay, formatExact, formatTime } from "../format.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
/** Round steps: 1, 2 and 5 of each power of ten; for minutes and hours also halves and quarters. */
const STEPS = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  20 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  3 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  90 * DAY,
  YEAR,
];
const SHORTEST = 2;

/**
 * The time from the earliest to the latest known time of the run.
 * @param {?Object} metadata @param {import("./rows.js").Row[]} rows @param {number} present
 * @param {boolean} running
 * @returns {{start: number, length: number}}
 */
export function domainOf(metadata, rows, present, running) {
  const begins = Date.parse(metadata?.startTime ?? metadata?.createdAt ?? "");
  const ends = Date.parse(metadata?.endTime ?? "");
  let start = Number.isNaN(begins) ? Infinity : begins;
  let end = Number.isNaN(ends) ? -Infinity : ends;
  for (const { begin, end: until } of rows) {
    if (begin === null || begin === undefined) continue;
    if (begin < start) start = begin;
    if ((until ?? begin) > end) end = until ?? begin;
  }
  if (running) end = Math.max(end, present);
  if (start === Infinity) return { start: present, length: SECOND };
  return { start, length: Math.max(SHORTEST, end - start) };
}

/**
 * Times since the start; for more than a day, dates.
 * @param {{from: number, to: number}} view in ms since the start @param {number} width pixels
 * @param {number} start of the run
 * @returns {{at: number, label: string}[]} `at` a position in the view, from 0 to 1
 */
export function ticksOf(view, width, start) {
  const isLong = view.to > DAY;
  const length = view.to - view.from;
  const isWide = (step) => (isLong ? step < DAY : view.to > MINUTE && step < MINUTE);
  const roomFor = (step) => Math.max(1, Math.floor(width / (isWide(step) ? 128 : 92)));
  const step = STEPS.find((each) => length / each <= roomFor(each)) ?? Math.ceil(length / roomFor(YEAR) / YEAR) * YEAR;
  if (isLong) return datesOf(view, step, start);
  const ticks = [];
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    ticks.push({ at: (at - view.from) / length, label: offsetLabel(at, step) });
  }
  return ticks;
}

/** Ticks at round times of the viewer's clock: hours counted from the view's day, days from the run's day. */
function datesOf({ from, to }, step, start) {
  const isDays = step >= DAY;
  const midnight = new Date(isDays ? start : start + from);
  midnight.setHours(isDays ? 24 : 0, 0, 0, 0);
  const ticks = [];
  for (let index = Math.max(0, Math.floor((start + from - midnight) / step)); ; index += 1) {
    // A day can have 23 or 25 hours.
    const time = isDays
      ? new Date(midnight).setDate(midnight.getDate() + (index * step) / DAY)
      : midnight.getTime() + index * step;
    const at = (time - start - from) / (to - from);
    if (at > 1) return ticks;
    if (at >= 0) ticks.push({ at, label: dateLabel(time, step) });
  }
}

function dateLabel(time, step) {
  const iso = new Date(time).toISOString();
  if (step < SECOND) return formatExact(iso).replace(/ \d{4},/, ",");
  if (step < MINUTE) return `${formatDay(iso)}, ${formatClock(iso)}`;
  return step < DAY ? formatTime(iso) : formatDay(iso);
}

/**
 * A time since the start: 0 s, 250 ms, 1.5 s, 1 min 30 s, 2 h 15 min, 1 d 3 h.
 * @param {number} ms
 * @param {number} [step] the precision in milliseconds; by default about a hundredth of the time
 */
export function offsetLabel(ms, step = fineness(Math.abs(ms))) {
  const sign = ms < 0 ? "−" : "";
  const digits = step >= SECOND ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3;
  // Rounded to the last digit: 59.999 s, to the second, is a minute.
  const unit = Math.max(1, SECOND / 10 ** digits);
  const value = Math.round(Math.abs(ms) / unit) * unit;
  if (value === 0) return "0 s";
  if (value < SECOND && step < SECOND) return `${sign}${value} ms`;
  const parts = [
    [Math.floor(value / DAY), "d"],
    [Math.floor((value % DAY) / HOUR), "h"],
    [Math.floor((value % HOUR) / MINUTE), "min"],
    [step < MINUTE ? ((value % MINUTE) / SECOND).toFixed(digits) : 0, "s"],
  ];
  return (
    sign +
    (parts
      .filter(([count]) => Number(count) > 0)
      .map(([count, name]) => `${count} ${name}`)
      .join(" ") || "0 s")
  );
}

function fineness(ms) {
  if (ms < SECOND) return 1;
  return ms < MINUTE ? 10 : ms < HOUR ? SECOND : ms < DAY ? MINUTE : HOUR;
}

/** The view, limited to the run and to at least 2 ms. */
export function clampView({ from, to }, length) {
  const size = Math.min(length, Math.max(SHORTEST, to - from));
  const start = Math.min(Math.max(0, from), length - size);
  return { from: start, to: start + size };
}

/**
 * Zooms around a position.
 * @param {{from: number, to: number}} view @param {number} factor below 1: closer
 * @param {number} [around] 0 to 1
 */
export function zoomed(view, factor, length, around = 0.5) {
  const at = view.from + (view.to - view.from) * around;
  const size = (view.to - view.from) * factor;
  return clampView({ from: at - size * around, to: at + size * (1 - around) }, length);
}

/** The position of a period in the view, in percent; null if it has no time. */
export function placeOf(begin, end, view, start) {
  if (begin === null || begin === undefined) return null;
  const length = view.to - view.from;
  const left = ((begin - start - view.from) / length) * 100;
  const right = (((end ?? begin) - start - view.from) / length) * 100;
  const shownLeft = Math.max(-1, left);
  const shownRight = Math.min(101, right);
  return {
    left: shownLeft,
    width: Math.max(0, shownRight - shownLeft),
    right: shownRight,
    before: right < 0,
    after: left > 100,
  };
}
