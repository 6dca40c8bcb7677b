// Owns the axis above the bars, and zooming with the wheel, keys, buttons, or a selection on the
// axis.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { clampView, offsetLabel, ticksOf, zoomed } from "./scale.js";

const CLOSER = 0.6;

/**
 * @param {{view: Object, start: number, width: number, height: number, length: number,
 *   onView: (view: ?Object) => void}} props
 */
export function Axis({ view, start, width, height, length, onView }) {
  const ticks = ticksOf(view, width, start);
  const drawn = useDrawnStretch(view, length, onView);
  return html`
    <div class="tl-axis" style=${{ height: `${height}px` }}>
      <div class="tl-axis-name">Step</div>
      <div
        class="tl-ticks"
        title="Drag to zoom in. Double-click to show the whole run."
        ...${drawn.handlers}
        onDblClick=${() => onView(null)}
      >
        ${ticks.map(({ at, label }, index) => html`
          <span key=${index} class=${at > 0.93 ? "tl-tick tl-tick-last" : "tl-tick"} style=${{ left: `${at * 100}%` }}>
            ${label}
          </span>
        `)}
        ${drawn.stretch && html`
          <span
            class="tl-drawn"
            style=${{
              left: `${drawn.stretch.from * 100}%`,
              width: `${(drawn.stretch.to - drawn.stretch.from) * 100}%`,
            }}
          >
            ${offsetLabel((view.to - view.from) * (drawn.stretch.to - drawn.stretch.from))}
          </span>
        `}
      </div>
    </div>
  `;
}

/** The lines behind the bars. @param {{view: Object, start: number, width: number}} props */
export function Grid({ view, start, width }) {
  return html`
    <div class="tl-grid" aria-hidden="true">
      ${ticksOf(view, width, start).map(({ at }, index) => html`
        <span key=${index} style=${{ left: `${at * 100}%` }}></span>
      `)}
    </div>
  `;
}

function useDrawnStretch(view, length, onView) {
  const [stretch, setStretch] = useState(null);
  const anchor = useRef(null);
  const partOf = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const onPointerDown = (event) => {
    if (event.button !== 0) return;
    anchor.current = partOf(event);
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event) => {
    if (anchor.current === null) return;
    const at = partOf(event);
    setStretch({ from: Math.min(at, anchor.current), to: Math.max(at, anchor.current) });
  };
  const onPointerUp = () => {
    anchor.current = null;
    setStretch(null);
    if (!stretch || stretch.to - stretch.from < 0.01) return;
    const size = view.to - view.from;
    onView(clampView({ from: view.from + stretch.from * size, to: view.from + stretch.to * size }, length));
  };
  return {
    stretch,
    handlers: {
      onPointerDown,
      onPointerMove,
      onPointerUp,
      onPointerCancel: () => {
        anchor.current = null;
        setStretch(null);
      },
    },
  };
}

/**
 * @param {any} scroller ref to the element that receives wheel events
 * @param {{view: Object, length: number, setView: (view: ?Object) => void}} state
 * @returns {{in: () => void, out: () => void, fit: () => void, pan: (parts: number) => void}}
 */
export function useZoom(scroller, state) {
  const latest = useRef(state);
  latest.current = state;
  const by = (factor, around) => {
    const { view, length, setView } = latest.current;
    setView(zoomed(view, factor, length, around));
  };
  const pan = (parts) => {
    const { view, length, setView } = latest.current;
    const move = (view.to - view.from) * parts;
    setView(clampView({ from: view.from + move, to: view.to + move }, length));
  };
  useEffect(() => {
    const wheel = (event) => {
      const box = scroller.current.querySelector(".tl-ticks").getBoundingClientRect();
      const sideways =
        Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
      if (event.ctrlKey || event.metaKey) {
        by(
          Math.exp(Math.max(-80, Math.min(80, event.deltaY)) / 200),
          Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)),
        );
      } else if (sideways) pan(sideways / box.width);
      else return;
      event.preventDefault(); // By default the browser would zoom the page or go back.
    };
    // Preact's listeners may be passive, and passive listeners cannot prevent the default action.
    scroller.current.addEventListener("wheel", wheel, { passive: false });
    const element = scroller.current;
    return () => element.removeEventListener("wheel", wheel);
  }, []);
  return { in: () => by(CLOSER), out: () => by(1 / CLOSER), fit: () => latest.current.setView(null), pan };
}
