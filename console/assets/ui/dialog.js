// Owns modal dialogs: the browser's dialog element, which keeps the focus inside.
import { useEffect, useId, useRef } from "preact/hooks";
import { html } from "./html.js";
import { Button } from "./controls.js";

/** @param {{title: string, onClose: () => void, children: any, actions?: any}} props */
export function Dialog({ title, onClose, children, actions }) {
  const dialog = useRef(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    // The browser returns the focus when a dialog closes, but this dialog may already be removed.
    const before = document.activeElement;
    element.showModal();
    return () => {
      element.close();
      before?.focus?.({ preventScroll: true });
    };
  }, []);
  const outside = (event) => {
    if (event.target === dialog.current) onClose();
  };
  return html`
    <dialog
      ref=${dialog}
      class="dialog"
      aria-labelledby=${id}
      onCancel=${(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown=${outside}
    >
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id=${id}>${title}</h2>
          <${Button} kind="quiet" icon="close" label="Close" onClick=${onClose} />
        </header>
        <div class="dialog-body">${children}</div>
        ${actions && html`<footer class="dialog-foot">${actions}</footer>`}
      </div>
    </dialog>
  `;
}
