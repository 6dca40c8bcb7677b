// Owns the three charts of the Statistics page: runs by state, success rate, durations. A click
// opens the runs of that period.
import { useMemo } from "preact/hooks";
import { formatCount, formatDuration, formatTime, percentText, plural, timeTitle } from "../format.js";
import { href } from "../router.js";
import { html } from "../ui/html.js";
import { STATUSES, statusLabel } from "../ui/status.js";
import { countTicks, durationMark, durationRange, durationTicks } from "../ui/ticks.js";
import { Plot } from "./plot.js";

const clockText = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const iso = (ms) => new Date(ms).toISOString();

/** A period in short form; the day of its end is shown only if it differs. */
function spanText(start, end) {
  const last = end + 1;
  const sameDay = last - start < 86_400_000;
  return `${formatTime(iso(start))} – ${sameDay ? clockText.format(new Date(last)) : formatTime(iso(last))}`;
}

/** A period as a link to its runs, with both zones in the tooltip. */
function periodLink(start, end, query) {
  return html`<a href=${href("/runs", query)} title=${timeTitle(iso(start))}>${spanText(start, end)}</a>`;
}

const domainOf = ({ drawn, periods }) => [
  Math.min(drawn.from, periods[0]?.start ?? drawn.from) / 1000,
  ((periods.at(-1)?.end ?? drawn.to) + 1) / 1000,
];

/**
 * @param {{overview: Object, runsOf: (start: number, end: number, status?: string) => Object,
 *   onRuns: (query: Object) => void}} props
 *   `runsOf` returns the Runs page's query for a period
 */
export function RunsChart({ overview, runsOf, onRuns }) {
  const { periods, drawn, numbers } = overview;
  // Each state's bar starts at zero and ends at its top, so the tallest is drawn first.
  const shown = useMemo(
    () =>
      STATUSES.filter(
        (status) => ["COMPLETED", "FAILED"].includes(status) || periods.some((period) => period.counts[status]),
      ),
    [periods],
  );
  const data = useMemo(() => {
    const sums = periods.map(() => 0);
    const layers = shown.map((status) => periods.map((period, index) => (sums[index] += period.counts[status] ?? 0)));
    return [periods.map((period) => period.start / 1000), ...layers.reverse()];
  }, [periods, shown]);
  const line = (status) => ({
    label: statusLabel(status),
    color: `--chart-${status.toLowerCase()}`,
    kind: "bars",
    value: (at) => formatCount((at === null ? totalOf(periods, status) : periods[at].counts[status]) ?? 0),
  });
  const pick = ({ start, end, total }) => total && onRuns(runsOf(start, end));
  const peak = periods.reduce((best, period) => (period.total > (best?.total ?? 0) ? period : best), null);
  const most = peak ? `, at most ${formatCount(peak.total)} in ${spanText(peak.start, peak.end)}` : "";
  return html`
    <${Plot}
      title=${`Runs per ${drawn.interval}`}
      lines=${[...shown].reverse().map(line)}
      data=${data}
      domain=${domainOf(overview)}
      inner=${drawn.inner}
      daily=${drawn.interval === "day"}
      note=${drawn.inner ? "24 hours around the chosen time" : null}
      span=${(at) => spanText(periods[at].start, periods[at].end)}
      ticks=${countTicks}
      format=${formatCount}
      summary=${`Runs per ${drawn.interval}: ${plural(numbers.total, "run")}${most}.`}
      columns=${["Period", "Runs", ...shown.map(statusLabel)]}
      onPick=${(at) => pick(periods[at])}
      rows=${periods
        .filter((period) => period.total)
        .reverse()
        .map((period) => [
          periodLink(period.start, period.end, runsOf(period.start, period.end)),
          formatCount(period.total),
          ...shown.map((status) => formatCount(period.counts[status] ?? 0)),
        ])}
    />
  `;
}

const totalOf = (periods, status) => periods.reduce((sum, period) => sum + (period.counts[status] ?? 0), 0);

/** The position of a period's point on a line, in seconds. */
const middle = (period) => (period.start + period.end + 1) / 2000;

/** Takes the props of RunsChart. A click opens the failed runs. */
export function RateChart({ overview, runsOf, onRuns }) {
  const { periods, drawn, numbers } = overview;
  const data = useMemo(
    () => [periods.map(middle), periods.map((period) => (period.rate === null ? null : period.rate * 100))],
    [periods],
  );
  const failed = (period) => runsOf(period.start, period.end, "FAILED");
  const lines = [
    {
      label: "Success rate",
      color: "--chart-rate",
      value: (at) => percentText(at === null ? numbers.rate : periods[at].rate),
    },
  ];
  const worst = periods.reduce(
    (low, period) => (period.rate !== null && period.rate < (low?.rate ?? 2) ? period : low),
    null,
  );
  const lowest = worst ? `, lowest ${percentText(worst.rate)} in ${spanText(worst.start, worst.end)}` : "";
  return html`
    <${Plot}
      title="Success rate"
      lines=${lines}
      data=${data}
      domain=${domainOf(overview)}
      inner=${drawn.inner}
      daily=${drawn.interval === "day"}
      range=${rateRange}
      span=${(at) => spanText(periods[at].start, periods[at].end)}
      ticks=${countTicks}
      format=${(value) => `${value} %`}
      note="completed runs among completed and failed runs"
      summary=${`Success rate per ${drawn.interval}: ${percentText(numbers.rate)}${lowest}.`}
      columns=${["Period", "Success rate", "Failed", "Completed or failed"]}
      onPick=${(at) => periods[at].failed && onRuns(failed(periods[at]))}
      rows=${periods
        .filter((period) => period.ended)
        .reverse()
        .map((period) => [
          periodLink(period.start, period.end, failed(period)),
          percentText(period.rate),
          formatCount(period.failed),
          formatCount(period.ended),
        ])}
    />
  `;
}

const PERCENTILES = [
  ["p50", "--chart-p50"],
  ["p95", "--chart-p95"],
  ["p99", "--chart-p99"],
];

/** Takes the props of RunsChart. */
export function DurationChart({ overview, runsOf, onRuns }) {
  const { periods, drawn, numbers } = overview;
  const data = useMemo(
    () => [
      periods.map(middle),
      ...PERCENTILES.map(([name]) =>
        periods.map((period) => (period[name] === null ? null : Math.max(1, period[name]))),
      ),
    ],
    [periods],
  );
  const lines = PERCENTILES.map(([name, color]) => ({
    label: name,
    color,
    value: (at) => formatDuration(at === null ? numbers[name] : periods[at]?.[name]),
  }));
  const longest = Math.max(0, ...periods.map(({ p99 }) => p99 ?? 0));
  const summary =
    `Durations over time: half of the runs took at most ${formatDuration(numbers.p50)}, ` +
    `95 % at most ${formatDuration(numbers.p95)}; the longest p99 is ${formatDuration(longest)}.`;
  return html`
    <${Plot}
      title="Durations"
      lines=${lines}
      data=${data}
      domain=${domainOf(overview)}
      inner=${drawn.inner}
      daily=${drawn.interval === "day"}
      log
      range=${durationRange}
      note="of completed and failed runs, logarithmic scale"
      span=${(at) => spanText(periods[at].start, periods[at].end)}
      ticks=${durationTicks}
      format=${durationMark}
      summary=${summary}
      columns=${["Period", "p50", "p95", "p99"]}
      onPick=${(at) => periods[at].ended && onRuns(runsOf(periods[at].start, periods[at].end))}
      rows=${periods
        .filter(({ p50 }) => p50 !== null)
        .reverse()
        .map(({ start, end, p50, p95, p99 }) => [
          periodLink(start, end, runsOf(start, end)),
          formatDuration(p50),
          formatDuration(p95),
          formatDuration(p99),
        ])}
    />
  `;
}

/**
 * Starts at a multiple of ten below the lowest rate, so that rates between 95 % and 100 % remain
 * distinguishable.
 */
const rateRange = (min) => [Math.max(0, Math.floor((min - 4) / 10) * 10), 100];
