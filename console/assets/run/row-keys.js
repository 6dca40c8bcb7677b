// Owns the keyboard in the timeline and the table of steps: one row is active; arrow keys move it,
// and expand or collapse it.
import { useEffect, useState } from "preact/hooks";

const PAGE = 12;

/**
 * @param {{rows: import("./rows.js").Row[], selected: ?string, onSelect: Function, onToggle: Function,
 *   reveal: (index: number) => void, zooming?: Object}} options
 */
export function useRowKeys({ rows, selected, onSelect, onToggle, reveal, zooming }) {
  const [active, setActive] = useState(selected);
  useEffect(() => {
    if (selected) setActive(selected);
  }, [selected]);
  const at = rows.findIndex((row) => row.key === active);
  const go = (index) => {
    const next = Math.min(rows.length - 1, Math.max(0, index));
    if (!rows[next]) return;
    setActive(rows[next].key);
    reveal(next);
    // While a step is selected, moving selects the next one.
    if (selected && rows[next].kind === "step") onSelect(rows[next].key);
  };
  const row = rows[at];
  const parent = () => {
    for (let index = at - 1; index >= 0; index -= 1) if (rows[index].depth < row.depth) return index;
    return at;
  };
  const actions = {
    ArrowDown: () => go(at + 1),
    ArrowUp: () => go(at - 1),
    Home: () => go(0),
    End: () => go(rows.length - 1),
    PageDown: () => go(at + PAGE),
    PageUp: () => go(at - PAGE),
    ArrowRight: () => row?.parts && (row.open ? go(at + 1) : onToggle(row.key, true)),
    ArrowLeft: () => row && (row.parts && row.open ? onToggle(row.key, false) : go(parent())),
    Enter: () => row && (row.kind === "step" ? onSelect(row.key) : row.parts && onToggle(row.key, !row.open)),
    " ": () => actions.Enter(),
    Escape: () => selected && onSelect(null),
    "+": zooming?.in,
    "=": zooming?.in,
    "-": zooming?.out,
    0: zooming?.fit,
  };
  const onKeyDown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return;
    if (event.shiftKey && zooming && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      return zooming.pan(event.key === "ArrowLeft" ? -0.2 : 0.2);
    }
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  };
  const onFocus = () => at < 0 && rows.length > 0 && setActive(rows[0].key);
  return { at, active, setActive, onKeyDown, onFocus, activeId: at >= 0 ? `row-${active}` : null };
}
