// Owns the keyboard shortcuts: single keys, which are ignored while the user types or a dialog is
// open, and the list of them that `?` shows.
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.js";
import { Dialog } from "./dialog.js";

const TYPING = "input, select, textarea, [contenteditable], dialog[open] *";

/**
 * @param {Object<string, (event: KeyboardEvent) => void>} actions by `event.key`
 */
export function useShortcuts(actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
      const action = latest.current[event.key];
      if (!action) return;
      event.preventDefault();
      action(event);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

/** The keys of each page, by the path of its route. */
const OF_PAGE = {
  "/runs": [
    ["j", "Next run"],
    ["k", "Previous run"],
    ["Enter", "Open the run"],
    ["Esc", "Leave the list or clear the filters"],
    ["/", "Search by run id"],
  ],
  "/runs/:runId": [
    ["↑ ↓", "Previous or next step"],
    ["→ ←", "Expand or collapse branches and sub-flows"],
    ["Enter", "Show the step"],
    ["Home End", "First or last step"],
    ["+ −", "Zoom in or out"],
    ["0", "Show the whole run"],
    ["⇧ → ←", "Move forward or back in time"],
    ["Esc", "Close the step"],
  ],
};
const EVERYWHERE = [["?", "Show these shortcuts"]];

/** @param {{page: ?string, onClose: () => void}} props `page` is the path of the current route */
export function ShortcutsDialog({ page, onClose }) {
  return html`
    <${Dialog} title="Keyboard shortcuts" onClose=${onClose}>
      ${page === "/runs/:runId" && html`
        <p class="muted small keys-note">Move the focus to the list of steps first.</p>
      `}
      <dl class="keys">
        ${[...(OF_PAGE[page] ?? []), ...EVERYWHERE].map(([key, text]) => html`
          <div key=${key}>
            <dt>
              <kbd>${key}</kbd>
            </dt>
            <dd>${text}</dd>
          </div>
        `)}
      </dl>
    <//>
  `;
}
