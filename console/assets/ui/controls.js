// Owns the small controls: buttons, inputs, chips, tabs, copying.
import { useEffect, useRef, useState } from "preact/hooks";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";
import { visible } from "./visible.js";

/**
 * A button. `kind`: "plain" (default), "primary", "danger" or "quiet".
 * @param {{kind?: string, icon?: string, label?: string, children?: any}} props and the attributes of <button>;
 *   with a
 *   `label` and no children it shows only the icon, with the label as its name and tooltip
 */
export function Button({ kind = "plain", icon, label, children, class: className, ...rest }) {
  const alone = label && !children;
  return html`
    <button
      type="button"
      class=${classes("button", `button-${kind}`, alone && "button-icon", className)}
      aria-label=${alone ? label : null}
      title=${alone ? label : null}
      ...${rest}
    >
      ${icon && html`<${Icon} name=${icon} />`}
      ${children}
    </button>
  `;
}

/**
 * A label and a note around any control.
 * @param {{label: string, hint?: string, error?: ?string, id: string, hideLabel?: boolean, children: any}} props
 *   give the control the same
 *   `id`, and `aria-describedby={id + "-note"}`
 */
export function Field({ label, hint, error, id, hideLabel, children }) {
  return html`
    <div class=${classes("field", error && "field-bad")}>
      <label for=${id} class=${hideLabel ? "hidden" : "field-label"}>${label}</label>
      ${children}
      <div id=${`${id}-note`} class="field-note" role=${error ? "alert" : null}>${error || hint || ""}</div>
    </div>
  `;
}

/**
 * A native select.
 * @param {{id: string, label: string, value: string, options: {value: string, label: string}[],
 *   onChange: (value: string) => void}} props
 */
export function Select({ id, label, value, options, onChange }) {
  return html`
    <span class=${classes("select", value && "select-set")}>
      <select id=${id} aria-label=${label} value=${value} onChange=${(event) => onChange(event.currentTarget.value)}>
        ${options.map((option) => html`
          <option key=${option.value} value=${option.value} selected=${option.value === value}>
            ${visible(option.label)}
          </option>
        `)}
      </select>
      <${Icon} name="down" />
    </span>
  `;
}

/**
 * An active filter that can be removed.
 * @param {{label: string, value: string, onRemove: () => void}} props
 */
export function Chip({ label, value, onRemove }) {
  return html`
    <span class="chip">
      <span class="chip-label">${label}</span>${" "}
      <bdi class="chip-value" title=${visible(value)}>${visible(value)}</bdi>
      ${onRemove && html`
        <button
          type="button"
          class="chip-remove"
          aria-label=${`Remove filter ${label} ${visible(value)}`}
          onClick=${onRemove}
        >
          <${Icon} name="close" />
        </button>
      `}
    </span>
  `;
}

/**
 * Tabs as links, so that the address has the current tab.
 * @param {{label: string, tabs: {id: string, label: any, href: string}[], current: string}} props
 */
export function Tabs({ label, tabs, current }) {
  const row = useRef(null);
  // On narrow screens the row scrolls, and the page must not.
  useEffect(() => {
    const tab = row.current.querySelector("[aria-current]");
    if (tab) {
      row.current.scrollLeft =
        tab.offsetLeft + tab.offsetWidth / 2 - row.current.offsetLeft - row.current.clientWidth / 2;
    }
  }, [current, tabs.length]);
  return html`
    <nav class="tabs" aria-label=${label} ref=${row}>
      ${tabs.map((tab) => html`
        <a key=${tab.id} href=${tab.href} class="tab" aria-current=${tab.id === current ? "page" : null}>
          ${tab.label}
        </a>
      `)}
    </nav>
  `;
}

/**
 * Copies a text, and confirms it on the button.
 * @param {{text: string, label: string, children?: any}} props
 */
export function CopyButton({ text, label, children }) {
  const [done, setDone] = useState(false);
  const timer = useRef(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async (event) => {
    event.stopPropagation();
    event.preventDefault();
    setDone(await copyText(text));
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setDone(false), 1500);
  };
  return html`
    <button
      type="button"
      class=${classes("copy", done && "copy-done")}
      aria-label=${done ? "Copied" : label}
      title=${done ? "Copied" : label}
      onClick=${copy}
    >
      <${Icon} name=${done ? "check" : "copy"} />
      ${children && html`<span>${done ? "Copied" : children}</span>`}
    </button>
  `;
}

/** @param {string} text @returns {Promise<boolean>} whether the text was copied */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text);
  }
}

// Over plain HTTP, except on localhost, browsers have no clipboard API.
function copyOldWay(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  const before = document.activeElement;
  // Outside a modal dialog, elements cannot have focus or selection.
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  (dialog ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus({ preventScroll: true });
  return done;
}

/** A block of code with a copy button. @param {{code: string, label: string}} props */
export function CodeBlock({ code, label }) {
  return html`
    <div class="code">
      <pre tabindex="0" aria-label=${label}>
        <code>${code}</code>
      </pre>
      <${CopyButton} text=${code} label=${`Copy: ${label}`}>Copy<//>
    </div>
  `;
}
