// Owns a text field with suggestions that accepts any text: ids are often pasted, and the
// suggestions include only recently seen values. Enter chooses the only suggestion; the typed text
// is then the last choice.
import { useId, useRef, useState } from "preact/hooks";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";
import { visible } from "./visible.js";

const SHOWN = 50;

/**
 * @typedef {{value: string, label?: string}} Option
 * @param {{label: string, placeholder: string, value: string, options: Option[], note?: string,
 *   problem?: (text: string) => ?string, onChange: (value: string) => void, onOpen?: () => void}} props
 *   `problem` returns why a text cannot be chosen; without it every text can be chosen
 */
export function Combobox({ label, placeholder, value, options, note, problem = () => null, onChange, onOpen }) {
  const [text, setText] = useState(null); // null: closed, the value is shown
  const [active, setActive] = useState(-1);
  const [refused, setRefused] = useState(false);
  const input = useRef(null);
  const id = useId();
  const open = text !== null;
  const matches = open ? matching(options, text) : [];
  const typed = open ? text.trim() : "";
  const asTyped =
    matches.length === 1 && typed && !exact(matches, typed) && !problem(typed)
      ? [{ value: typed, label: `Exactly “${typed}”` }]
      : [];
  const choices = [...matches, ...asTyped];
  const at = active < 0 && matches.length === 1 && typed ? 0 : active;
  const choose = (choice) => {
    setText(null);
    setRefused(false);
    setActive(-1);
    if (choice !== value) onChange(choice);
  };
  const clear = () => {
    choose("");
    input.current.focus(); // The clear button disappears with the value.
  };
  const start = () => {
    if (open) return;
    setText("");
    setActive(-1);
    onOpen?.();
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape" && open) {
      // Esc must not reach the page's shortcut or a surrounding dialog.
      event.stopPropagation();
      event.preventDefault();
      setText(null);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      start();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (choices.length) {
        setActive(active < 0 ? (step > 0 ? 0 : choices.length - 1) : (active + step + choices.length) % choices.length);
      }
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      const choice = choices[at]?.value ?? exact(options, text) ?? typed;
      // An empty text chooses nothing; the clear button clears the value.
      if (!choice) setText(null);
      else if (problem(choice)) setRefused(true);
      else choose(choice);
    }
  };
  const shown = visible(options.find((option) => option.value === value)?.label ?? value);
  return html`
    <div class=${classes("combobox", value && "combobox-set")}>
      <input
        ref=${input}
        role="combobox"
        aria-label=${label}
        aria-expanded=${String(open)}
        aria-controls=${id}
        aria-autocomplete="list"
        aria-activedescendant=${at >= 0 ? `${id}-${at}` : null}
        autocomplete="off"
        spellcheck=${false}
        dir="auto"
        placeholder=${open && value ? shown : placeholder}
        value=${open ? text : shown}
        onFocus=${start}
        onClick=${start}
        onKeyDown=${onKeyDown}
        onInput=${(event) => {
          setText(event.currentTarget.value);
          setActive(-1);
          setRefused(false);
        }}
        onBlur=${() => setText(null)}
      />
      ${value
        ? html`
          <button type="button" class="combobox-clear" aria-label=${`Clear ${label.toLowerCase()}`} onClick=${clear}>
            <${Icon} name="close" />
          </button>
        `
        : html`<${Icon} name="down" />`}
      <div class="combobox-panel" hidden=${!open} onMouseDown=${(event) => event.preventDefault()}>
        <ul id=${id} role="listbox" aria-label=${label}>
          ${choices.map((option, index) => html`
            <li
              key=${`${index < matches.length} ${option.value}`}
              id=${`${id}-${index}`}
              role="option"
              aria-selected=${String(index === at)}
              class=${classes("option", index === at && "option-active")}
              onClick=${() => {
                choose(option.value);
                input.current.blur();
              }}
            >
              <bdi class="option-label">${visible(option.label ?? option.value)}</bdi>
              ${option.label && option.label !== option.value && index < matches.length && html`
                <bdi class="option-id">${visible(option.value)}</bdi>
              `}
            </li>
          `)}
        </ul>
        <p class="option-note" role="status">
          ${text && (refused || !matches.length) ? problem(text.trim()) ?? "Press Enter to use this text." : note}
        </p>
      </div>
    </div>
  `;
}

function matching(options, text) {
  const wanted = text.trim().toLowerCase();
  return options
    .filter((option) => `${option.label ?? ""} ${option.value}`.toLowerCase().includes(wanted))
    .slice(0, SHOWN);
}

/** The value of a name or id that was typed in full. */
function exact(options, text) {
  const wanted = text.trim().toLowerCase();
  return options.find((option) => option.value === text.trim() || option.label?.toLowerCase() === wanted)?.value;
}
