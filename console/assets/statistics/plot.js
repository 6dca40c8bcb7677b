// Owns one chart over time: its axes and colours, the legend with the values at the cursor, and the
// same numbers as a table. The charts of a page share their cursor.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { axisSize, roomOf, shadeInner, usePlot, useTheme } from "../ui/plot.js";
import { timeMarks, timeTicks } from "../ui/ticks.js";

const HEIGHT = 180;
const SHARED = "statistics";

/**
 * @typedef {{label: string, color: string, kind?: "bars"|"line", dash?: number[],
 *   value: (index: ?number) => string}} Line
 *   `color` is the name of a custom property; `value` returns the legend's text at a point, or without a point
 * @param {{title: string, note?: string, summary: string, lines: Line[], data: Array, domain: [number, number],
 *   span: (index: number) => string, format: (value: number) => string, ticks: (min: number, max: number,
 *   most: number) => number[], range?: (min: number, max: number) => [number, number], log?: boolean,
 *   daily?: boolean, inner?: ?{from: number, to: number}, columns: string[], rows: any[],
 *   onPick: (index: number) => void}} props
 *   `ticks` returns at most `most` marks of the value axis; `data` has uPlot's format: seconds, then the values of
 *   each line; `rows` are the rows of the table
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
  useEffect(() => {
    live.current.plot?.setData(data);
  }, [data, shape]);
  const point = at !== null && at < data[0].length ? at : null;
  return html`
    <figure class="card plot">
      <figcaption class="plot-head">
        <h2>${title}</h2>
        <span class="plot-at muted" aria-hidden="true">${point === null ? note ?? "" : span(point)}</span>
      </figcaption>
      <ul class="plot-legend" aria-hidden="true">
        ${lines.map((line) => html`
          <li key=${line.label}>
            <span class=${`swatch swatch-${line.color.replace("--chart-", "")}`}></span>
            ${line.label}
            <b>${line.value(point)}</b>
          </li>
        `)}
      </ul>
      <div class="plot-area" ref=${box} role="img" aria-label=${`${summary} The table below has the numbers.`}></div>
      <${PlotTable} ...${props} />
    </figure>
  `;
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
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 22, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: false, y: false },
      sync: { key: SHARED },
      dataIdx: (plot, _, index) => indexAt(plot, index, props()),
    },
    scales: {
      x: { time: true, range: () => props().domain },
      y: {
        distr: props().log ? 3 : 1,
        range: (_, min, max) => props().range?.(min ?? 0, max ?? 0) ?? [0, Math.max(4, (max ?? 0) * 1.08)],
      },
    },
    axes: [
      {
        ...axis,
        size: 26,
        gap: 8,
        grid: { show: false },
        splits: (self, _, from, to) => timeTicks(from, to, roomOf(self, "width", 72), { daily: props().daily }),
        values: (_, splits) => timeMarks(splits),
      },
      {
        ...axis,
        size: axisSize(54),
        gap: 6,
        grid,
        filter: (_, splits) => splits,
        splits: (self, _, min, max) => props().ticks(min, max, roomOf(self, "height", 18)),
        values: (_, splits) => splits.map((at) => props().format(at)),
      },
    ],
    series: [{}, ...live.current.props.lines.map((line) => seriesOf(UPlot, line, color))],
    hooks: {
      drawClear: [(plot) => shadeInner(plot, props().inner, color("--accent-soft"))],
      setCursor: [(plot) => setAt(plot.cursor.left < 0 ? null : (plot.cursor.idx ?? null))],
    },
  };
}

function seriesOf(UPlot, line, color) {
  const stroke = color(line.color);
  if (line.kind === "bars") {
    return {
      label: line.label,
      fill: stroke,
      width: 0,
      points: { show: false },
      paths: UPlot.paths.bars({ size: [0.82, 110], align: 1, radius: 0.06 }),
    };
  }
  return {
    label: line.label,
    stroke,
    width: 2,
    dash: line.dash,
    points: { show: true, size: 5, fill: stroke, stroke },
    paths: UPlot.paths.linear(),
  };
}

/** A bar starts at its point and ends at the next, so the nearest point can belong to another bar. */
function indexAt(plot, index, { lines, data }) {
  if (lines[0].kind !== "bars" || index === null || plot.cursor.left < 0) return index;
  return plot.posToVal(plot.cursor.left, "x") < data[0][index] ? Math.max(0, index - 1) : index;
}

function PlotTable({ title, columns, rows }) {
  return html`
    <details class="plot-table">
      <summary>As a table</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${`${title}, table`}>
        <table class="grid">
          <caption class="hidden">${title}</caption>
          <thead>
            <tr>
              ${columns.map((column, index) => html`
                <th key=${column} scope="col" class=${index ? "num" : ""}>${column}</th>
              `)}
            </tr>
          </thead>
          <tbody>
            ${rows.map((cells, index) => html`
              <tr key=${index}>
                ${cells.map((cell, column) =>
                  column === 0
                    ? html`<th key="0" scope="row">${cell}</th>`
                    : html`<td key=${column} class="num">${cell}</td>`,
                )}
              </tr>
            `)}
          </tbody>
        </table>
      </div>
    </details>
  `;
}
