// Owns the keyboard shortcuts: single keys, which are left alone while one types or a
// dialog is open, and the list of them that `?` shows.
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

const HELP = [
  ["j", "Next run"], ["k", "Previous run"], ["Enter", "Open the run"], ["Esc", "Leave the list, or clear the filters"],
  ["/", "Search by run id"], ["?", "These shortcuts"],
];

/** @param {{onClose: () => void}} props */
export function ShortcutsDialog({ onClose }) {
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${onClose}>
    <dl class="keys">${HELP.map(([key, text]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${text}</dd></div>`)}</dl><//>`;
}
