// Owns the formatting of times, durations and numbers, and the clock. All code gets the current
// time from now(), which follows the server's clock if the viewer's clock is wrong. So the growing
// duration of a run is correct on any machine.

const LOCALE = "en-GB";
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const EXACT = {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
};
const localExact = new Intl.DateTimeFormat(LOCALE, EXACT);
const utcExact = new Intl.DateTimeFormat(LOCALE, { ...EXACT, timeZone: "UTC" });
const localShort = new Intl.DateTimeFormat(LOCALE, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const localYear = new Intl.DateTimeFormat(LOCALE, {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const localDay = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const localYearDay = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const localClock = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const numbers = new Intl.NumberFormat(LOCALE);

/** The viewer's time zone, such as Europe/Berlin. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "local time";

let skew = 0;

/**
 * Records the server's time. Small differences are caused by the network and are ignored.
 * @param {string|null} dateHeader the Date header of a response
 */
export function noteServerTime(dateHeader) {
  const server = Date.parse(dateHeader ?? "");
  if (Number.isNaN(server)) return;
  const difference = server - Date.now();
  skew = Math.abs(difference) > 3 * SECOND ? difference : 0;
}

/** The server's current time, in milliseconds since 1970. @returns {number} */
export function now() {
  return Date.now() + skew;
}

/** @param {?string} iso @returns {?number} milliseconds, or null if there is no valid time */
export function parseTime(iso) {
  const time = typeof iso === "string" ? Date.parse(iso) : NaN;
  return Number.isNaN(time) ? null : time;
}

/** The full time in the viewer's zone: 23 Nov 2026, 11:04:20.431. @param {?string} iso */
export function formatExact(iso) {
  const time = parseTime(iso);
  return time === null ? "—" : localExact.format(time);
}

/** The tooltip of every time: the viewer's zone and UTC. @param {?string} iso */
export function timeTitle(iso) {
  const time = parseTime(iso);
  if (time === null) return "";
  return `${localExact.format(time)} (${ZONE})\n${utcExact.format(time)} UTC`;
}

/** A time to the minute: 23 Nov, 11:04, with the year if it is not this year. @param {?string} iso */
export function formatTime(iso) {
  const time = parseTime(iso);
  if (time === null) return "—";
  return (isThisYear(time) ? localShort : localYear).format(time);
}

const isThisYear = (time) => new Date(time).getFullYear() === new Date(now()).getFullYear();

/** A day: 23 Nov, with the year if it is not this year. @param {?string} iso */
export function formatDay(iso) {
  const time = parseTime(iso);
  return time === null ? "—" : (isThisYear(time) ? localDay : localYearDay).format(time);
}

/** The time of day to the second: 11:04:20. @param {?string} iso */
export function formatClock(iso) {
  const time = parseTime(iso);
  return time === null ? "—" : localClock.format(time);
}

/**
 * How long ago a time was, up to one day; older times are shown as a date.
 * @param {?string} iso @param {number} [at] the time to count from
 */
export function formatRelative(iso, at = now()) {
  const time = parseTime(iso);
  if (time === null) return "—";
  const ago = at - time;
  if (ago < -MINUTE || ago >= DAY) return formatTime(iso);
  if (ago < 5 * SECOND) return "just now";
  if (ago < MINUTE) return `${Math.floor(ago / SECOND)} s ago`;
  if (ago < HOUR) return `${Math.floor(ago / MINUTE)} min ago`;
  return `${Math.floor(ago / HOUR)} h ago`;
}

const two = (number) => String(number).padStart(2, "0");

/** A duration for people: 5 ms, 5.03 s, 18 m 03 s, 2 h 05 m, 3 d 04 h. @param {?number} ms */
export function formatDuration(ms) {
  if (typeof ms !== "number" || !Number.isFinite(ms) || ms < 0) return "—";
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  // Truncated, not rounded: 59,999 ms is less than a minute.
  if (ms < MINUTE) return `${(Math.floor(ms / 10) / 100).toFixed(2)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m ${two(Math.floor((ms % MINUTE) / SECOND))} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two(Math.floor((ms % HOUR) / MINUTE))} m`;
  return `${formatCount(Math.floor(ms / DAY))} d ${two(Math.floor((ms % DAY) / HOUR))} h`;
}

/** A growing duration, to the second, so that digits do not flicker. @param {number} ms */
export function formatTicking(ms) {
  return ms < MINUTE ? `${Math.max(0, Math.floor(ms / SECOND))} s` : formatDuration(ms);
}

/** 2715 -> 2,715. @param {number} count */
export function formatCount(count) {
  return numbers.format(count);
}

/** Truncated, so that 100 % means that no run failed. @param {?number} rate 0 to 1 */
export function percentText(rate) {
  if (rate === null || rate === undefined) return "—";
  return `${(Math.floor(rate * 1000) / 10).toFixed(1).replace(/\.0$/, "")} %`;
}

/** 1,234 B, 12.3 kB, 4.5 MB. @param {number} bytes */
export function formatBytes(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** A flow's name, or its id; a record can lack both. @param {?string} name @param {?string} id */
export function flowTitle(name, id) {
  return name || id || "No flow";
}

/** One run, 2 runs. @param {number} count @param {string} one @param {string} [many] */
export function plural(count, one, many = `${one}s`) {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** The value of a datetime-local input: in the viewer's zone, to the minute. @param {?string} iso */
export function toLocalInput(iso) {
  const time = parseTime(iso);
  if (time === null) return "";
  const date = new Date(time);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The time of a datetime-local input. @param {string} text @returns {?string} RFC 3339 in UTC */
export function fromLocalInput(text) {
  const time = text ? new Date(text).getTime() : NaN;
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
