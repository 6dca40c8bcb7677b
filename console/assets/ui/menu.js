// Owns panels that open with a button: they close on Esc, on a click outside, and when the focus
// leaves.
import { useEffect, useRef, useState } from "preact/hooks";
import { classes, html } from "./html.js";

/**
 * A button with a panel.
 * @param {{button: any, label: string, buttonClass?: string, panelClass?: string,
 *   children: (close: () => void) => any}} props
 */
export function Popover({ button, label, buttonClass = "button button-plain", panelClass, children }) {
  const [open, setOpen] = useState(false);
  const root = useRef(null);
  const close = () => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    const elsewhere = (event) => root.current?.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", elsewhere);
    return () => document.removeEventListener("pointerdown", elsewhere);
  }, [open]);
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    close();
  };
  const onFocusOut = (event) => {
    if (event.relatedTarget && !root.current.contains(event.relatedTarget)) setOpen(false);
  };
  return html`
    <div class="popover" ref=${root} onKeyDown=${onKeyDown} onFocusOut=${onFocusOut}>
      <button
        type="button"
        class=${buttonClass}
        aria-expanded=${String(open)}
        aria-haspopup="dialog"
        aria-label=${label}
        onClick=${() => setOpen(!open)}
      >
        ${button}
      </button>
      ${open && html`
        <div class=${classes("popover-panel", panelClass)} role="dialog" aria-label=${label}>${children(close)}</div>
      `}
    </div>
  `;
}
