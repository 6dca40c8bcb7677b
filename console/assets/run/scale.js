// Owns the time axis: which stretch is shown, where its ticks stand, and how they read.
import { formatClock, formatDay, formatExact, formatTime } from "../format.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, YEAR,
];
const SHORTEST = 2;

/**
 * The time from the first to the last moment that anything tells.
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
 * Times since the start; beyond a day of them, where one counts no longer, dates.
 * @param {{from: number, to: number}} view in ms since the start
 * @param {number} width pixels
 * @param {number} start of the run
 * @returns {{at: number, label: string}[]} `at` in parts of the view, from 0 to 1
 */
export function ticksOf(view, width, start) {
  const isLong = view.to > DAY;
  const length = view.to - view.from;
  const roomFor = (step) => Math.max(1, Math.floor(width / (isLong && step < DAY ? 128 : 92)));
  const step = STEPS.find((each) => length / each <= roomFor(each)) ?? Math.ceil(length / roomFor(YEAR) / YEAR) * YEAR;
  if (isLong) return datesOf(view, step, start);
  const ticks = [];
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    ticks.push({ at: (at - view.from) / length, label: offsetLabel(at, step) });
  }
  return ticks;
}

/** Ticks at round times of the viewer's clock: of hours from the view's own day on, of days from the run's. */
function datesOf({ from, to }, step, start) {
  const isDays = step >= DAY;
  const midnight = new Date(isDays ? start : start + from);
  midnight.setHours(isDays ? 24 : 0, 0, 0, 0);
  const ticks = [];
  for (let index = Math.max(0, Math.floor((start + from - midnight) / step)); ; index += 1) {
    // Not every day has 24 hours.
    const time = isDays ? new Date(midnight).setDate(midnight.getDate() + (index * step) / DAY) : midnight.getTime() + index * step;
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

/** A time since the start: 0, 250 ms, 1.5 s, 1:30, 2:15:00, 1 d 3:15:00. @param {number} ms @param {number} [step] */
export function offsetLabel(ms, step = 1) {
  if (ms === 0) return "0 s";
  const sign = ms < 0 ? "−" : "";
  const value = Math.abs(ms);
  if (value < SECOND && step < SECOND) return `${sign}${Math.round(value)} ms`;
  if (value < MINUTE) {
    const digits = step >= SECOND ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3;
    return `${sign}${(value / SECOND).toFixed(digits)} s`;
  }
  const two = (number) => String(number).padStart(2, "0");
  const seconds = Math.floor((value % MINUTE) / SECOND);
  const fraction = step < SECOND ? `.${String(Math.round(value % SECOND)).padStart(3, "0")}` : "";
  const days = Math.floor(value / DAY);
  const hours = Math.floor((value % DAY) / HOUR);
  const minutes = Math.floor((value % HOUR) / MINUTE);
  return `${sign}${days ? `${days} d ` : ""}${days || hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds)}${fraction}`;
}

/** The view, made to fit: not shorter than 2 ms, and within the run. */
export function clampView({ from, to }, length) {
  const size = Math.min(length, Math.max(SHORTEST, to - from));
  const start = Math.min(Math.max(0, from), length - size);
  return { from: start, to: start + size };
}

/** Zooms around a place. @param {{from: number, to: number}} view @param {number} factor below 1: closer @param {number} [around] 0 to 1 */
export function zoomed(view, factor, length, around = 0.5) {
  const at = view.from + (view.to - view.from) * around;
  const size = (view.to - view.from) * factor;
  return clampView({ from: at - size * around, to: at + size * (1 - around) }, length);
}

/** Where a stretch of time lies in the view, in percent; null where it has no time. */
export function placeOf(begin, end, view, start) {
  if (begin === null || begin === undefined) return null;
  const length = view.to - view.from;
  const left = ((begin - start - view.from) / length) * 100;
  const right = (((end ?? begin) - start - view.from) / length) * 100;
  const shownLeft = Math.max(-1, left);
  const shownRight = Math.min(101, right);
  return { left: shownLeft, width: Math.max(0, shownRight - shownLeft), right: shownRight, before: right < 0, after: left > 100 };
}
