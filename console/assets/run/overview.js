// Owns the overview above the timeline: all rows of the run in miniature, and a movable window for
// the period that the timeline shows. It is for pointers only; the keyboard has its own zoom and
// pan.
import { useEffect, useRef } from "preact/hooks";
import { isOpen } from "../ui/status.js";
import { html } from "../ui/html.js";
import { clampView } from "./scale.js";

const HEIGHT = 34;
const FEW = 12;
const COLOURS = ["completed", "failed", "running", "pending", "cancelled"];

/**
 * @param {{rows: import("./rows.js").Row[], domain: Object, present: number, view: Object,
 *   onView: (view: ?Object) => void, cause: ?import("./cause.js").Cause, onCause: ?(() => void)}} props
 */
export function Overview({ rows, domain, present, view, onView, cause, onCause }) {
  const canvas = useRef(null);
  const steps = rows.filter((row) => row.kind === "step" && row.begin !== null);
  useEffect(() => {
    const paint = () => draw(canvas.current, steps, domain, present);
    paint();
    const observer = new ResizeObserver(paint);
    observer.observe(canvas.current);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", paint);
    return () => {
      observer.disconnect();
      dark.removeEventListener("change", paint);
    };
  }, [rows, domain.start, domain.length, present]);
  const move = useMove(view, domain.length, onView);
  const part = {
    left: `${(view.from / domain.length) * 100}%`,
    width: `${((view.to - view.from) / domain.length) * 100}%`,
  };
  const whole = view.to - view.from >= domain.length;
  return html`
    <div class="tl-overview" aria-hidden="true" ...${move}>
      <canvas ref=${canvas} class="tl-canvas"></canvas>
      ${!whole && html`<span class="tl-window" style=${part}></span>`}
      ${cause && html`<${FirstFailed} cause=${cause} domain=${domain} onCause=${onCause} />`}
    </div>
  `;
}

/** The time at which the first step failed, with its name. */
function FirstFailed({ cause, domain, onCause }) {
  const { step, name } = cause;
  if (step.begin === null) return null;
  const place = Math.min(1, Math.max(0, ((step.end ?? step.begin) - domain.start) / domain.length));
  return html`
    <button
      type="button"
      tabindex="-1"
      class=${place > 0.6 ? "tl-first tl-first-left" : "tl-first"}
      style=${{ left: `${place * 100}%` }}
      title=${`First failed step: ${name}`}
      onPointerDown=${(event) => event.stopPropagation()}
      onClick=${() => onCause && onCause()}
    >
      <bdi>${name}</bdi>
    </button>
  `;
}

/** Centres the window on the pointer. */
function useMove(view, length, onView) {
  const held = useRef(false);
  const to = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const size = view.to - view.from;
    if (size >= length) return;
    const middle = ((event.clientX - box.left) / box.width) * length;
    onView(clampView({ from: middle - size / 2, to: middle + size / 2 }, length));
  };
  return {
    onPointerDown: (event) => {
      held.current = true;
      event.currentTarget.setPointerCapture(event.pointerId);
      to(event);
    },
    onPointerMove: (event) => held.current && to(event),
    onPointerUp: () => {
      held.current = false;
    },
    onPointerCancel: () => {
      held.current = false;
    },
  };
}

function draw(canvas, steps, domain, present) {
  if (!canvas) return;
  const width = canvas.clientWidth;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  const paint = canvas.getContext("2d");
  paint.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--chart-${name}`)]));
  const room = HEIGHT - 8;
  const thick = Math.max(1.5, Math.min(5, room / Math.max(1, steps.length)));
  const bar = (row, index) => {
    const end = row.end ?? (isOpen(row.status) ? present : row.begin);
    const x = ((row.begin - domain.start) / domain.length) * width;
    const y = 4 + (steps.length < 2 ? room / 2 : (index / (steps.length - 1)) * (room - thick));
    paint.fillStyle = colours[row.status.toLowerCase()] ?? colours.cancelled;
    paint.fillRect(Math.min(x, width - 1.5), y, Math.max(1.5, ((end - row.begin) / domain.length) * width), thick);
  };
  steps.forEach(bar);
  if (steps.length <= FEW) return;
  // Failures are drawn on top, and wide enough to be visible.
  paint.fillStyle = colours.failed;
  for (const row of steps) {
    if (row.status !== "FAILED") continue;
    const x = ((row.begin - domain.start) / domain.length) * width;
    const wide = Math.max(2.5, (((row.end ?? row.begin) - row.begin) / domain.length) * width);
    paint.fillRect(Math.min(x, width - 2.5), HEIGHT - 4, wide, 4);
  }
}
