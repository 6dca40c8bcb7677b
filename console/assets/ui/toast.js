// Owns the short messages at the lower edge about actions that succeeded or failed.
import { useEffect, useState } from "preact/hooks";
import { classes, html } from "./html.js";
import { Button } from "./controls.js";
import { visible } from "./visible.js";

const SHOWN_MS = 6000;
let notes = [];
let show = () => {};
let nextId = 1;

/** @param {string} text @param {{kind?: "info"|"bad"}} [options] */
export function toast(text, { kind = "info" } = {}) {
  const id = nextId++;
  notes = [...notes.slice(-2), { id, text, kind }];
  show(notes);
  setTimeout(() => drop(id), SHOWN_MS);
}

function drop(id) {
  notes = notes.filter((note) => note.id !== id);
  show(notes);
}

/** Used once, in the shell. */
export function Toasts() {
  const [list, setList] = useState(notes);
  useEffect(() => {
    show = setList;
    return () => {
      show = () => {};
    };
  }, []);
  return html`
    <div class="toasts" role="status" aria-live="polite">
      ${list.map((note) => html`
        <div key=${note.id} class=${classes("toast", `toast-${note.kind}`)}>
          <span>${visible(note.text)}</span>
          <${Button} kind="quiet" icon="close" label="Dismiss" onClick=${() => drop(note.id)} />
        </div>
      `)}
    </div>
  `;
}
