// Owns what all drawings have in common: the life of a uPlot, which is loaded with the
// first of them, the theme that its colours come from, and the mark of what a filter means.
import { useEffect, useState } from "preact/hooks";

/**
 * Keeps a drawing in an element, as wide as that is, in `live.current.plot`; another
 * `shape` draws it anew. Without uPlot there is no drawing, and what is told beside it is
 * there all the same.
 * @param {{current: ?Element}} box @param {{current: Object}} live @param {string} shape
 * @param {number} height in pixels @param {(UPlot: Function, element: Element) => Object} draw
 */
export function usePlot(box, live, shape, height, draw) {
  useEffect(() => {
    let plot = null;
    let gone = false;
    let observer = null;
    import("uplot").then(({ default: UPlot }) => {
      // The element can be gone before this is told.
      if (gone || !box.current) return;
      plot = draw(UPlot, box.current);
      live.current.plot = plot;
      observer = new ResizeObserver(([entry]) => plot.setSize({ width: Math.floor(entry.contentRect.width), height }));
      observer.observe(box.current);
    }, () => {});
    return () => {
      gone = true;
      observer?.disconnect();
      plot?.destroy();
      live.current.plot = null;
    };
  }, [shape]);
}

/** Canvas takes no custom properties, so that a change of theme draws anew. */
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

/** What the filter means, within the longer stretch that is drawn. */
export function shadeInner(plot, inner, fill) {
  if (!inner) return;
  const left = plot.valToPos(inner.from / 1000, "x", true);
  const right = plot.valToPos(inner.to / 1000, "x", true);
  plot.ctx.fillStyle = fill;
  plot.ctx.fillRect(left, plot.bbox.top, Math.max(3, right - left), plot.bbox.height);
}
