// Owns one drawing in time: its axes and colours, the legend with the values at the cursor,
// and the same numbers as a table. The drawings of a page share their cursor.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { shadeInner, usePlot, useTheme } from "../ui/plot.js";

const HEIGHT = 180;
const SHARED = "statistics";
/** Marks of an axis whose periods are days: no hours between them. */
const DAYS = [1, 2, 3, 7, 14, 30, 60, 90, 180, 365, 730].map((days) => days * 86_400);
const dayText = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const monthText = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric" });
const hourText = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/**
 * @typedef {{label: string, color: string, kind?: "bars"|"line", dash?: number[], value: (index: ?number) => string}} Line
 *   `color` names a custom property; `value` is the legend's text at a point, or without one
 * @param {{title: string, note?: string, summary: string, lines: Line[], data: Array, domain: [number, number],
 *   span: (index: number) => string, format: (value: number) => string, range?: (min: number, max: number) => [number, number], log?: boolean,
 *   daily?: boolean, inner?: ?{from: number, to: number}, columns: string[], rows: any[], onPick: (index: number) => void}} props
 *   `data` is uPlot's: seconds, then the lines' values in their order; `rows` are those of the table
 */
export function Plot(props) {
  const { title, note, summary, lines, data, span } = props;
  const box = useRef(null);
  const live = useRef({});
  live.current.props = props;
  const [at, setAt] = useState(null);
  const theme = useTheme();
  const shape = `${theme} ${lines.map((line) => line.label).join()}`;
  usePlot(box, live, shape, HEIGHT, (UPlot, element) => draw(UPlot, element, live, setAt));
  useEffect(() => { live.current.plot?.setData(data); }, [data, shape]);
  const point = at !== null && at < data[0].length ? at : null;
  return html`<figure class="card plot"><figcaption class="plot-head"><h2>${title}</h2>
      <span class="plot-at muted" aria-hidden="true">${point === null ? note ?? "" : span(point)}</span></figcaption>
    <ul class="plot-legend" aria-hidden="true">${lines.map((line) => html`<li key=${line.label}>
      <span class=${`swatch swatch-${line.color.replace("--chart-", "")}`}></span>${line.label}<b>${line.value(point)}</b></li>`)}</ul>
    <div class="plot-area" ref=${box} role="img" aria-label=${`${summary} The numbers are in the table that follows.`}></div>
    <${PlotTable} ...${props} /></figure>`;
}

function draw(UPlot, element, live, setAt) {
  const plot = new UPlot(optionsOf(UPlot, element, live, setAt), live.current.props.data, element);
  plot.over.addEventListener("click", () => {
    const index = plot.cursor.idx;
    if (index !== null && index !== undefined) live.current.props.onPick(index);
  });
  return plot;
}

function optionsOf(UPlot, element, live, setAt) {
  const css = getComputedStyle(element);
  const color = (name) => css.getPropertyValue(name).trim();
  const props = () => live.current.props;
  const axis = { stroke: color("--text-muted"), font: `11px ${css.fontFamily}`, ticks: { show: false } };
  const grid = { stroke: color("--line"), width: 1 };
  return {
    width: element.clientWidth, height: HEIGHT, padding: [8, 22, 0, 0], legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: SHARED }, dataIdx: (plot, _, index) => indexAt(plot, index, props()) },
    scales: {
      x: { time: true, range: () => props().domain },
      y: { distr: props().log ? 3 : 1, range: (_, min, max) => props().range?.(min ?? 0, max ?? 0) ?? [0, Math.max(4, (max ?? 0) * 1.08)] },
    },
    axes: [
      { ...axis, size: 22, gap: 4, grid: { show: false }, space: 64, ...(props().daily ? { incrs: DAYS } : {}), values: (plot, splits) => splits.map((at) => axisText(at, splits)) },
      { ...axis, size: 54, gap: 6, space: 34, grid: props().log ? { ...grid, filter: decades } : grid, values: (_, splits) => splits.map((at) => (at === null ? "" : props().format(at))) },
    ],
    series: [{}, ...live.current.props.lines.map((line) => seriesOf(UPlot, line, color))],
    hooks: {
      drawClear: [(plot) => shadeInner(plot, props().inner, color("--accent-soft"))],
      setCursor: [(plot) => setAt(plot.cursor.left < 0 ? null : plot.cursor.idx ?? null)],
    },
  };
}

function seriesOf(UPlot, line, color) {
  const stroke = color(line.color);
  if (line.kind === "bars") {
    return { label: line.label, fill: stroke, width: 0, points: { show: false }, paths: UPlot.paths.bars({ size: [0.82, 110], align: 1, radius: 0.06 }) };
  }
  return { label: line.label, stroke, width: 2, dash: line.dash, points: { show: true, size: 5, fill: stroke, stroke }, paths: UPlot.paths.linear() };
}

/** Bars begin at their point and reach to the next, so the nearest point can be another's. */
function indexAt(plot, index, { lines, data }) {
  if (lines[0].kind !== "bars" || index === null || plot.cursor.left < 0) return index;
  return plot.posToVal(plot.cursor.left, "x") < data[0][index] ? Math.max(0, index - 1) : index;
}

/** Of a logarithmic axis the powers of ten alone. */
const decades = (_, splits) => splits.map((at) => (Number.isInteger(Math.log10(at)) ? at : null));

function axisText(seconds, splits) {
  const date = new Date(seconds * 1000);
  if (splits.length > 1 && splits[1] - splits[0] >= 27 * 86_400) return monthText.format(date);
  return date.getHours() === 0 && date.getMinutes() === 0 ? dayText.format(date) : hourText.format(date);
}

function PlotTable({ title, columns, rows }) {
  return html`<details class="plot-table"><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label=${`${title}, table`}>
    <table class="grid"><caption class="hidden">${title}</caption>
      <thead><tr>${columns.map((column, index) => html`<th key=${column} scope="col" class=${index ? "num" : ""}>${column}</th>`)}</tr></thead>
      <tbody>${rows.map((cells, index) => html`<tr key=${index}>${cells.map((cell, column) => (column === 0
        ? html`<th key="0" scope="row">${cell}</th>` : html`<td key=${column} class="num">${cell}</td>`))}</tr>`)}</tbody></table></div></details>`;
}
