// Owns the histogram above the run list: runs per hour or day, by state. Dragging over it or
// clicking a bar narrows the time. uPlot is loaded with the first numbers.
import { useEffect, useRef, useState } from "preact/hooks";
import { formatCount, formatTime, plural } from "../format.js";
import { html } from "../ui/html.js";
import { axisSize, roomOf, shadeInner, usePlot, useTheme } from "../ui/plot.js";
import { STATUSES, StatusIcon, statusLabel } from "../ui/status.js";
import { countTicks, timeMarks, timeTicks } from "../ui/ticks.js";

const HEIGHT = 92;
const STEP = { hour: 3_600_000, day: 86_400_000 };
const hourText = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/**
 * @param {{numbers: Object, status: string, onNarrow: (from: string, to: string) => void}} props numbers: from
 *   fetchNumbers in data.js
 */
export function RunChart({ numbers, status, onNarrow }) {
  const box = useRef(null);
  const live = useRef({});
  live.current = { ...live.current, numbers, onNarrow };
  const [hover, setHover] = useState(null);
  const theme = useTheme();
  const shown = status ? [status] : STATUSES;
  const shape = `${numbers.interval} ${status} ${theme}`;
  usePlot(box, live, shape, HEIGHT, (UPlot, element) => draw(UPlot, element, live, shown, setHover));
  useEffect(() => {
    live.current.plot?.setData(stacked(numbers, shown));
  }, [numbers, shape]);
  return html`
    <figure class="chart">
      <div class="chart-plot" ref=${box} role="img" aria-label=${summary(numbers, shown)}></div>
      ${numbers.caption && html`<figcaption class="chart-caption muted small">${numbers.caption}</figcaption>`}
      ${hover && html`<${Tip} ...${hover} numbers=${numbers} shown=${shown} />`}
      <${ChartTable} numbers=${numbers} shown=${shown} />
    </figure>
  `;
}

/** Each state's bar starts at zero and ends at its top, so the tallest is drawn first. */
function stacked({ series }, shown) {
  const sums = series.map(() => 0);
  const layers = shown.map((status) => series.map((period, index) => (sums[index] += period.counts[status] ?? 0)));
  return [series.map((period) => period.start / 1000), ...layers.reverse()];
}

function draw(UPlot, element, live, shown, setHover) {
  const css = getComputedStyle(element);
  const color = (name) => css.getPropertyValue(name).trim();
  const step = () => STEP[live.current.numbers.interval] / 1000;
  const range = () => {
    const { series, from, to } = live.current.numbers;
    const last = series.at(-1)?.start ?? to;
    return [Math.min(from, series[0]?.start ?? from) / 1000, last / 1000 + step()];
  };
  const bars = UPlot.paths.bars({ size: [0.82, 48], align: 1, radius: 0.08 });
  const axis = { stroke: color("--text-muted"), font: `11px ${css.fontFamily}`, ticks: { show: false } };
  const options = {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [6, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true, range }, y: { range: (_, __, max) => [0, Math.max(4, max * 1.08)] } },
    axes: [
      {
        ...axis,
        size: 20,
        gap: 3,
        grid: { show: false },
        splits: (self, _, from, to) =>
          timeTicks(from, to, roomOf(self, "width", 64), { daily: live.current.numbers.interval === "day" }),
        values: (_, splits) => timeMarks(splits),
      },
      {
        ...axis,
        size: axisSize(38),
        gap: 4,
        grid: { stroke: color("--line"), width: 1 },
        splits: (self, _, min, max) => countTicks(min, max, roomOf(self, "height", 22)),
        values: (_, splits) => splits.map((n) => (n > 0 ? formatCount(n) : "")),
      },
    ],
    series: [
      {},
      ...[...shown].reverse().map((status) => ({
        label: statusLabel(status),
        paths: bars,
        points: { show: false },
        width: 0,
        fill: color(`--chart-${status.toLowerCase()}`),
      })),
    ],
    hooks: {
      drawClear: [(plot) => shadeInner(plot, live.current.numbers.inner, color("--accent-soft"))],
      setCursor: [(plot) => setHover(hoverOf(plot, live.current.numbers, step()))],
      setSelect: [(plot) => select(plot, live.current, step())],
    },
  };
  const plot = new UPlot(options, stacked(live.current.numbers, shown), element);
  plot.over.addEventListener("click", () => clickBar(plot, live.current, step()));
  return plot;
}

function periodAt(plot, left, { series }, step) {
  const at = plot.posToVal(left, "x") * 1000;
  return series.find((period) => at >= period.start && at < period.start + step * 1000) ?? null;
}

function hoverOf(plot, numbers, step) {
  const { left } = plot.cursor;
  if (left < 0) return null;
  const period = periodAt(plot, left, numbers, step);
  if (!period) return null;
  const offset = plot.over.offsetLeft;
  return { period, left: offset + left, flip: left > plot.over.clientWidth / 2 };
}

function select(plot, { numbers, onNarrow }, step) {
  const { left, width } = plot.select;
  if (width < 5) return;
  const first = periodAt(plot, left, numbers, step) ?? numbers.series[0];
  const last = periodAt(plot, left + width, numbers, step) ?? numbers.series.at(-1);
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  plot.dragged = true;
  narrow(first, last, onNarrow, step);
}

function clickBar(plot, { numbers, onNarrow }, step) {
  if (plot.dragged) {
    plot.dragged = false; // This click ends a drag.
    return;
  }
  const period = periodAt(plot, plot.cursor.left, numbers, step);
  if (period?.total) narrow(period, period, onNarrow, step);
}

/** Both bounds are inclusive, so the end is a millisecond before the next period. */
function narrow(first, last, onNarrow, step) {
  onNarrow(new Date(first.start).toISOString(), new Date(last.start + step * 1000 - 1).toISOString());
}

function periodText(start, interval) {
  const end = new Date(start + STEP[interval]).toISOString();
  const from = formatTime(new Date(start).toISOString());
  return interval === "hour" ? `${from} – ${hourText.format(new Date(end))}` : `${from} – ${formatTime(end)}`;
}

function Tip({ period, left, flip, numbers, shown }) {
  const rows = shown.filter((status) => period.counts[status]);
  return html`
    <div class=${`chart-tip ${flip ? "chart-tip-left" : ""}`} style=${{ left: `${left}px` }} aria-hidden="true">
      <b>${periodText(period.start, numbers.interval)}</b>
      ${rows.length === 0 && html`<span class="muted">No runs</span>`}
      ${rows.map((status) => html`
        <span key=${status} class="chart-tip-row">
          <${StatusIcon} status=${status} />
          ${statusLabel(status)}
          <b>${formatCount(period.counts[status])}</b>
        </span>
      `)}
    </div>
  `;
}

const countOf = (period, shown) => shown.reduce((sum, status) => sum + (period.counts[status] ?? 0), 0);

function summary(numbers, shown) {
  const { series, interval } = numbers;
  const total = series.reduce((sum, period) => sum + countOf(period, shown), 0);
  const peak = series.reduce(
    (best, period) => (countOf(period, shown) > countOf(best, shown) ? period : best),
    series[0] ?? { counts: {}, start: 0 },
  );
  if (total === 0) return `Histogram of runs per ${interval}: none.`;
  const most = `${formatCount(countOf(peak, shown))} at ${formatTime(new Date(peak.start).toISOString())}`;
  return `Histogram of runs per ${interval}: ${plural(total, "run")}, at most ${most}. A table follows.`;
}

/** The same for screen readers: only periods with runs. */
function ChartTable({ numbers, shown }) {
  const rows = numbers.series.filter((period) => countOf(period, shown) > 0);
  return html`
    <div class="hidden">
      <table>
        <caption>Runs per ${numbers.interval}</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            ${shown.map((status) => html`<th scope="col" key=${status}>${statusLabel(status)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map((period) => html`
            <tr key=${period.start}>
              <th scope="row">${formatTime(new Date(period.start).toISOString())}</th>
              ${shown.map((status) => html`<td key=${status}>${formatCount(period.counts[status] ?? 0)}</td>`)}
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}
