// Owns the common parts of all charts: the lifetime of a uPlot, which is loaded with the first
// chart, the theme of its colours, and the shading of the filtered time.
import { useEffect, useState } from "preact/hooks";

/**
 * Keeps a chart as wide as its element, in `live.current.plot`; another `shape` redraws it. If
 * uPlot cannot be loaded, there is no chart, but the text around it is still shown.
 * @param {{current: ?Element}} box @param {{current: Object}} live @param {string} shape
 * @param {number} height in pixels @param {(UPlot: Function, element: Element) => Object} draw
 */
export function usePlot(box, live, shape, height, draw) {
  useEffect(() => {
    let plot = null;
    let gone = false;
    let observer = null;
    import("uplot").then(
      ({ default: UPlot }) => {
        // The element may have been removed before this callback.
        if (gone || !box.current) return;
        plot = draw(UPlot, box.current);
        live.current.plot = plot;
        observer = new ResizeObserver(([entry]) =>
          plot.setSize({ width: Math.floor(entry.contentRect.width), height }),
        );
        observer.observe(box.current);
      },
      () => {},
    );
    return () => {
      gone = true;
      observer?.disconnect();
      plot?.destroy();
      live.current.plot = null;
    };
  }, [shape]);
}

/** A canvas cannot use custom properties, so a change of theme redraws it. */
export function useTheme() {
  const [dark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setDark(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  return dark ? "dark" : "light";
}

/** The width of the widest mark of an axis, and at least a minimum. @param {number} least pixels */
export const axisSize = (least) => (_, marks) =>
  Math.max(least, 12 + 6.4 * Math.max(0, ...(marks ?? []).map((mark) => mark.length)));

/**
 * The number of marks that fit on an axis.
 * @param {Object} plot @param {"width"|"height"} way @param {number} space pixels
 */
export const roomOf = (plot, way, space) => Math.floor(plot.bbox[way] / devicePixelRatio / space);

/** Shades the filtered time within a longer period. */
export function shadeInner(plot, inner, fill) {
  if (!inner) return;
  const left = plot.valToPos(inner.from / 1000, "x", true);
  const right = plot.valToPos(inner.to / 1000, "x", true);
  plot.ctx.fillStyle = fill;
  plot.ctx.fillRect(left, plot.bbox.top, Math.max(3, right - left), plot.bbox.height);
}
