// Owns the positions and labels of axis marks: whole numbers in steps of 1, 2 and 5, durations in
// common units, and times at round hours and days of the viewer's zone.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Whole numbers at equal steps of 1, 2 or 5 times a power of ten.
 * @param {number} min @param {number} max @param {number} most the maximum number of steps
 * @returns {number[]}
 */
export function countTicks(min, max, most) {
  const least = Math.max(1, (max - min) / Math.max(1, most));
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= least * 0.999);
  const ticks = [];
  for (let at = Math.ceil(min / step) * step; at <= max; at += step) ticks.push(at);
  return ticks;
}

/** The durations that get marks, in milliseconds: each further line only if there is room. */
const DURATIONS = [
  [1, 10, 100, SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY],
  [5, 50, 500, 5 * SECOND, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 12 * HOUR, 2 * DAY, 90 * DAY, 1825 * DAY],
  [2, 20, 200, 2 * SECOND, 2 * MINUTE, 4 * HOUR, 4 * DAY, 14 * DAY, 180 * DAY, 730 * DAY],
];
/** Marks between these, for a narrow range. */
const BETWEEN = [
  ...[1, 10, 100, SECOND].flatMap((unit) => [3, 4, 6, 8].map((count) => count * unit)),
  ...[15, 20, 40].flatMap((count) => [count * SECOND, count * MINUTE]),
  ...[3, 4, 6, 8].map((count) => count * MINUTE),
  ...[3, 8, 16, 18].map((count) => count * HOUR),
  ...[3, 5, 10, 20, 60].map((count) => count * DAY),
];
const LADDER = DURATIONS.flat().sort((one, other) => one - other);

/**
 * The bounds of an axis of durations: two different marks.
 * @param {number} min @param {number} max milliseconds
 * @returns {[number, number]}
 */
export function durationRange(min, max) {
  const low = LADDER.findLast((mark) => mark <= min) ?? LADDER[0];
  const high = LADDER.find((mark) => mark >= max && mark > low) ?? max;
  return [low, high];
}

/**
 * Marks of a logarithmic axis of durations, in order.
 * @param {number} min @param {number} max milliseconds
 * @param {number} most the maximum number of marks
 * @returns {number[]}
 */
export function durationTicks(min, max, most) {
  const apart = (Math.log(max) - Math.log(min)) / Math.max(1, most);
  const ticks = [];
  for (const mark of [...DURATIONS.flat(), ...(max < 10 * min ? BETWEEN : [])]) {
    if (mark < min || mark > max) continue;
    if (ticks.every((other) => Math.abs(Math.log(other) - Math.log(mark)) >= apart * 0.999)) ticks.push(mark);
  }
  return ticks.sort((one, other) => one - other);
}

/** The label of a mark: 200 ms, 30 s, 5 min, 6 h, 7 d. @param {number} ms */
export function durationMark(ms) {
  const [size, unit] = [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "min"],
    [SECOND, "s"],
  ].find(([least]) => ms >= least) ?? [1, "ms"];
  return `${Number((ms / size).toPrecision(2))} ${unit}`;
}

const HOURS = [1 / 60, 1 / 30, 1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 3, 6, 12].map((hours) => Math.round(hours * HOUR));
const DAYS = [1, 2, 7, 14];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120];

/**
 * Times at round hours or days of the viewer's zone, including `from` and excluding `to`.
 * @param {number} from @param {number} to seconds @param {number} most the maximum number of marks
 * @param {{daily?: boolean}} [options] `daily`: only at midnight
 * @returns {number[]} seconds
 */
export function timeTicks(from, to, most, { daily = false } = {}) {
  const fits = (step) => (to - from) * 1000 <= step * Math.max(1, most);
  const step = daily ? undefined : HOURS.find(fits);
  const days = DAYS.find((count) => fits(count * DAY));
  const months = MONTHS.find((count) => fits(count * 30 * DAY)) ?? MONTHS.at(-1);
  const first = new Date(from * 1000);
  const times = step ? hourTimes(first, to, step) : days ? dayTimes(first, to, days) : monthTimes(first, to, months);
  return [...new Set(times)].map((time) => time / 1000).filter((time) => time >= from && time < to);
}

/** Counted from each midnight, so that a day of 23 or 25 hours does not shift the marks. */
function* hourTimes(first, to, step) {
  const minutes = step / MINUTE;
  for (let day = midnight(first, 0); day / 1000 < to; day = midnight(day, 1)) {
    for (let at = 0; at < 24 * 60; at += minutes) yield new Date(day).setHours(0, at, 0, 0);
  }
}

/** Every nth day since 1970; weeks start on Mondays. */
function* dayTimes(first, to, days) {
  const offset = days % 7 === 0 ? 4 : 0;
  for (let day = midnight(first, 0); day / 1000 < to; day = midnight(day, 1)) {
    const date = new Date(day);
    const number = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY;
    if ((number - offset) % days === 0) yield day;
  }
}

/** Counted from January; steps of more than a year start at a round year. */
function* monthTimes(first, to, months) {
  const start = Math.floor((first.getFullYear() * 12 + first.getMonth()) / months) * months;
  for (let month = start; ; month += months) {
    const time = new Date(0, 0, 1).setFullYear(Math.floor(month / 12), month % 12, 1);
    if (time / 1000 >= to) return;
    yield new Date(time).setHours(0, 0, 0, 0);
  }
}

function midnight(time, later) {
  const date = new Date(time);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + later).getTime();
}

const clockText = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayText = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const monthText = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric" });

/**
 * The labels of times: the hour, at midnight the day; for longer steps the month or the year.
 * @param {number[]} ticks seconds
 */
export function timeMarks(ticks) {
  const apart = ticks.length > 1 ? ticks[1] - ticks[0] : 0;
  const isMidnight = (date) => date.getHours() === 0 && date.getMinutes() === 0;
  return ticks.map((tick) => {
    const date = new Date(tick * 1000);
    if (apart > 360 * 86_400) return String(date.getFullYear());
    if (apart > 27 * 86_400) return monthText.format(date);
    return isMidnight(date) ? dayText.format(date) : clockText.format(date);
  });
}
