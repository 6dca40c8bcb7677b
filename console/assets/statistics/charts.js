// Owns the three drawings of the Statistics page: runs by state, success rate, durations.
// A click leads to the runs of that period.
import { useMemo } from "preact/hooks";
import { formatCount, formatDuration, formatTime, percentText, plural, timeTitle } from "../format.js";
import { href } from "../router.js";
import { html } from "../ui/html.js";
import { STATUSES, statusLabel } from "../ui/status.js";
import { Plot } from "./plot.js";

const clockText = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const iso = (ms) => new Date(ms).toISOString();

/** From when to when, short: the end's day is told where it is another. */
function spanText(start, end) {
  const last = end + 1;
  const sameDay = last - start < 86_400_000;
  return `${formatTime(iso(start))} – ${sameDay ? clockText.format(new Date(last)) : formatTime(iso(last))}`;
}

/** A period as a link to its runs, and both zones on hover. */
function periodLink(start, end, query) {
  return html`<a href=${href("/runs", query)} title=${timeTitle(iso(start))}>${spanText(start, end)}</a>`;
}

const domainOf = ({ drawn, periods }) => [Math.min(drawn.from, periods[0]?.start ?? drawn.from) / 1000, ((periods.at(-1)?.end ?? drawn.to) + 1) / 1000];

/**
 * @param {{overview: Object, runsOf: (start: number, end: number, status?: string) => Object, onRuns: (query: Object) => void}} props
 *   `runsOf` makes the Runs page's query of a period
 */
export function RunsChart({ overview, runsOf, onRuns }) {
  const { periods, drawn, numbers } = overview;
  // Each state's bars reach from the ground to its top: the highest is drawn first.
  const shown = useMemo(() => STATUSES.filter((status) => ["COMPLETED", "FAILED"].includes(status) || periods.some((period) => period.counts[status])), [periods]);
  const data = useMemo(() => {
    const sums = periods.map(() => 0);
    const layers = shown.map((status) => periods.map((period, index) => (sums[index] += period.counts[status] ?? 0)));
    return [periods.map((period) => period.start / 1000), ...layers.reverse()];
  }, [periods, shown]);
  const line = (status) => ({
    label: statusLabel(status), color: `--chart-${status.toLowerCase()}`, kind: "bars",
    value: (at) => formatCount((at === null ? totalOf(periods, status) : periods[at].counts[status]) ?? 0),
  });
  const pick = ({ start, end, total }) => total && onRuns(runsOf(start, end));
  const peak = periods.reduce((best, period) => (period.total > (best?.total ?? 0) ? period : best), null);
  return html`<${Plot} title=${`Runs per ${drawn.interval}`} lines=${[...shown].reverse().map(line)} data=${data} domain=${domainOf(overview)} inner=${drawn.inner} daily=${drawn.interval === "day"}
    note=${drawn.inner ? "24 hours around the time chosen" : null} span=${(at) => spanText(periods[at].start, periods[at].end)} format=${(value) => (Number.isInteger(value) ? formatCount(value) : "")}
    summary=${`Runs per ${drawn.interval}: ${plural(numbers.total, "run")}${peak ? `, most of them, ${formatCount(peak.total)}, in ${spanText(peak.start, peak.end)}` : ""}.`}
    columns=${["Period", "Runs", ...shown.map(statusLabel)]} onPick=${(at) => pick(periods[at])}
    rows=${periods.filter((period) => period.total).reverse().map((period) => [periodLink(period.start, period.end, runsOf(period.start, period.end)),
      formatCount(period.total), ...shown.map((status) => formatCount(period.counts[status] ?? 0))])} />`;
}

const totalOf = (periods, status) => periods.reduce((sum, period) => sum + (period.counts[status] ?? 0), 0);

/** Where a line has the point of a period, in seconds. */
const middle = (period) => (period.start + period.end + 1) / 2000;

/** The props of RunsChart. A click leads to the failed runs: those are what one looks for. */
export function RateChart({ overview, runsOf, onRuns }) {
  const { periods, drawn, numbers } = overview;
  const data = useMemo(() => [periods.map(middle), periods.map((period) => (period.rate === null ? null : period.rate * 100))], [periods]);
  const failed = (period) => runsOf(period.start, period.end, "FAILED");
  const lines = [{ label: "Success rate", color: "--chart-rate", value: (at) => percentText(at === null ? numbers.rate : periods[at].rate) }];
  const worst = periods.reduce((low, period) => (period.rate !== null && period.rate < (low?.rate ?? 2) ? period : low), null);
  return html`<${Plot} title="Success rate" lines=${lines} data=${data} domain=${domainOf(overview)} inner=${drawn.inner} daily=${drawn.interval === "day"} range=${rateRange}
    span=${(at) => spanText(periods[at].start, periods[at].end)} format=${(value) => `${value} %`}
    note="completed, of completed and failed"
    summary=${`Success rate per ${drawn.interval}: ${percentText(numbers.rate)}${worst ? `, lowest ${percentText(worst.rate)} in ${spanText(worst.start, worst.end)}` : ""}.`}
    columns=${["Period", "Success rate", "Failed", "Completed or failed"]} onPick=${(at) => periods[at].failed && onRuns(failed(periods[at]))}
    rows=${periods.filter((period) => period.ended).reverse().map((period) => [periodLink(period.start, period.end, failed(period)),
      percentText(period.rate), formatCount(period.failed), formatCount(period.ended)])} />`;
}

const PERCENTILES = [["p50", "--chart-p50"], ["p95", "--chart-p95"], ["p99", "--chart-p99"]];

/** The props of RunsChart. */
export function DurationChart({ overview, runsOf, onRuns }) {
  const { periods, drawn, numbers } = overview;
  const data = useMemo(() => [
    periods.map(middle), ...PERCENTILES.map(([name]) => periods.map((period) => (period[name] === null ? null : Math.max(1, period[name])))),
  ], [periods]);
  const lines = PERCENTILES.map(([name, color]) => ({ label: name, color, value: (at) => formatDuration(at === null ? numbers[name] : periods[at]?.[name]) }));
  const longest = Math.max(0, ...periods.map(({ p99 }) => p99 ?? 0));
  return html`<${Plot} title="Durations" lines=${lines} data=${data} domain=${domainOf(overview)} inner=${drawn.inner} daily=${drawn.interval === "day"} log range=${durationRange}
    note="of completed and failed, logarithmic" span=${(at) => spanText(periods[at].start, periods[at].end)} format=${axisDuration}
    summary=${`Durations over time: half of the runs took at most ${formatDuration(numbers.p50)}, 95 % at most ${formatDuration(numbers.p95)}; the longest p99 is ${formatDuration(longest)}.`}
    columns=${["Period", "p50", "p95", "p99"]} onPick=${(at) => periods[at].ended && onRuns(runsOf(periods[at].start, periods[at].end))}
    rows=${periods.filter(({ p50 }) => p50 !== null).reverse().map(({ start, end, p50, p95, p99 }) =>
      [periodLink(start, end, runsOf(start, end)), formatDuration(p50), formatDuration(p95), formatDuration(p99)])} />`;
}

/** Whole tens below what is there: a rate between 95 % and 100 % is to be told apart. */
const rateRange = (min) => [Math.max(0, Math.floor((min - 4) / 10) * 10), 100];

/** Whole powers of ten. */
const durationRange = (min, max) => [10 ** Math.floor(Math.log10(Math.max(1, min))), 10 ** Math.ceil(Math.log10(Math.max(10, max)))];

/** Round values need no fractions: 5 s, 10 min. */
function axisDuration(ms) {
  if (ms === 0) return "0";
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${ms / 1000} s`;
  if (ms < 3_600_000) return `${Number((ms / 60_000).toPrecision(2))} min`;
  return ms < 86_400_000 ? `${Number((ms / 3_600_000).toPrecision(2))} h` : `${Number((ms / 86_400_000).toPrecision(2))} d`;
}
