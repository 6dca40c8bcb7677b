// Owns a text field with suggestions, in which any text is a valid choice: ids are often
// pasted, and the suggestions are only those that were seen lately.
import { useId, useRef, useState } from "preact/hooks";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";

const SHOWN = 50;

/**
 * @typedef {{value: string, label?: string}} Option
 * @param {{label: string, placeholder: string, value: string, options: Option[], note?: string,
 *   problem?: (text: string) => ?string, onChange: (value: string) => void, onOpen?: () => void}} props
 *   `problem` tells why a text cannot be chosen; without it every text can
 */
export function Combobox({ label, placeholder, value, options, note, problem = () => null, onChange, onOpen }) {
  const [text, setText] = useState(null); // null: closed, and the value is shown
  const [active, setActive] = useState(-1);
  const [refused, setRefused] = useState(false);
  const input = useRef(null);
  const id = useId();
  const open = text !== null;
  const matches = open ? matching(options, text) : [];
  const choose = (choice) => {
    setText(null);
    setRefused(false);
    setActive(-1);
    if (choice !== value) onChange(choice);
  };
  const clear = () => {
    choose("");
    input.current.focus(); // The cross goes with the value.
  };
  const start = () => {
    if (open) return;
    setText("");
    setActive(-1);
    onOpen?.();
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape" && open) {
      // Neither the page's shortcut nor the dialog around it is meant.
      event.stopPropagation();
      event.preventDefault();
      setText(null);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      start();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (matches.length) setActive((active + step + matches.length) % matches.length);
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      const choice = matches[active]?.value ?? exact(options, text) ?? text.trim();
      // Who has typed nothing has chosen nothing; the cross clears.
      if (!choice) setText(null);
      else if (problem(choice)) setRefused(true);
      else choose(choice);
    }
  };
  const shown = options.find((option) => option.value === value)?.label ?? value;
  return html`<div class=${classes("combobox", value && "combobox-set")}>
    <input ref=${input} role="combobox" aria-label=${label} aria-expanded=${String(open)} aria-controls=${id} aria-autocomplete="list"
      aria-activedescendant=${active >= 0 ? `${id}-${active}` : null} autocomplete="off" spellcheck=${false} dir="auto"
      placeholder=${open && value ? shown : placeholder} value=${open ? text : shown} onFocus=${start} onClick=${start} onKeyDown=${onKeyDown}
      onInput=${(event) => { setText(event.currentTarget.value); setActive(-1); setRefused(false); }}
      onBlur=${() => setText(null)} />
    ${value ? html`<button type="button" class="combobox-clear" aria-label=${`Clear ${label.toLowerCase()}`} onClick=${clear}><${Icon} name="close" /></button>`
      : html`<${Icon} name="down" />`}
    <div class="combobox-panel" hidden=${!open} onMouseDown=${(event) => event.preventDefault()}>
      <ul id=${id} role="listbox" aria-label=${label}>${matches.map((option, index) => html`
        <li key=${option.value} id=${`${id}-${index}`} role="option" aria-selected=${String(index === active)}
          class=${classes("option", index === active && "option-active")} onClick=${() => { choose(option.value); input.current.blur(); }}>
          <bdi class="option-label">${option.label ?? option.value}</bdi>
          ${option.label && option.label !== option.value && html`<bdi class="option-id">${option.value}</bdi>`}</li>`)}
      </ul>
      <p class="option-note" role="status">${text && (refused || !matches.length) ? problem(text.trim()) ?? "Enter takes the text as it is." : note}</p>
    </div></div>`;
}

function matching(options, text) {
  const wanted = text.trim().toLowerCase();
  return options.filter((option) => `${option.label ?? ""} ${option.value}`.toLowerCase().includes(wanted)).slice(0, SHOWN);
}

/** A name that was typed in full stands for its id. */
function exact(options, text) {
  const wanted = text.trim().toLowerCase();
  return options.find((option) => option.label?.toLowerCase() === wanted)?.value;
}
