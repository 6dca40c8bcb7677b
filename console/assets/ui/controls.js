// Owns the small controls: buttons, inputs, chips, tabs, copying.
import { useEffect, useRef, useState } from "preact/hooks";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";

/**
 * A button. `kind`: "plain" (default), "primary", "danger" or "quiet".
 * @param {{kind?: string, icon?: string, label?: string, children?: any}} props and those of <button>;
 *   with `label` and without children it is an icon alone, and the label its name and title
 */
export function Button({ kind = "plain", icon, label, children, class: className, ...rest }) {
  const alone = label && !children;
  return html`<button type="button" class=${classes("button", `button-${kind}`, alone && "button-icon", className)}
    aria-label=${alone ? label : null} title=${alone ? label : null} ...${rest}>
    ${icon && html`<${Icon} name=${icon} />`}${children}
  </button>`;
}

/**
 * A labelled field around any control.
 * @param {{label: string, hint?: string, error?: ?string, id: string, hideLabel?: boolean, children: any}} props
 *   give the control the same `id`, and `aria-describedby={id + "-note"}`
 */
export function Field({ label, hint, error, id, hideLabel, children }) {
  return html`<div class=${classes("field", error && "field-bad")}>
    <label for=${id} class=${hideLabel ? "hidden" : "field-label"}>${label}</label>
    ${children}
    <div id=${`${id}-note`} class="field-note" role=${error ? "alert" : null}>${error || hint || ""}</div>
  </div>`;
}

/**
 * A native select.
 * @param {{id: string, label: string, value: string, options: {value: string, label: string}[], onChange: (value: string) => void}} props
 */
export function Select({ id, label, value, options, onChange }) {
  return html`<span class=${classes("select", value && "select-set")}>
    <select id=${id} aria-label=${label} value=${value} onChange=${(event) => onChange(event.currentTarget.value)}>
      ${options.map((option) => html`<option key=${option.value} value=${option.value} selected=${option.value === value}>${option.label}</option>`)}
    </select><${Icon} name="down" />
  </span>`;
}

/** A filter that is on, and can be taken away. @param {{label: string, value: string, onRemove: () => void}} props */
export function Chip({ label, value, onRemove }) {
  return html`<span class="chip"><span class="chip-label">${label}</span> <bdi class="chip-value">${value}</bdi>
    ${onRemove && html`<button type="button" class="chip-remove" aria-label=${`Remove filter ${label} ${value}`} onClick=${onRemove}><${Icon} name="close" /></button>`}
  </span>`;
}

/**
 * Tabs that are links, so that they live in the address.
 * @param {{label: string, tabs: {id: string, label: any, href: string}[], current: string}} props
 */
export function Tabs({ label, tabs, current }) {
  return html`<nav class="tabs" aria-label=${label}>${tabs.map((tab) => html`
    <a key=${tab.id} href=${tab.href} class="tab" aria-current=${tab.id === current ? "page" : null}>${tab.label}</a>`)}</nav>`;
}

/**
 * Copies a text, and says so where the eye is.
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
  return html`<button type="button" class=${classes("copy", done && "copy-done")} aria-label=${done ? "Copied" : label} title=${done ? "Copied" : label} onClick=${copy}>
    <${Icon} name=${done ? "check" : "copy"} />${children && html`<span>${done ? "Copied" : children}</span>`}
  </button>`;
}

/** @param {string} text @returns {Promise<boolean>} whether it is in the clipboard */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text);
  }
}

// Over plain HTTP, other than on localhost, browsers have no clipboard API.
function copyOldWay(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  const before = document.activeElement;
  // Under a modal dialog the rest of the page can have neither focus nor selection.
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  (dialog ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus({ preventScroll: true });
  return done;
}

/** A block of code with a button that copies it. @param {{code: string, label: string}} props */
export function CodeBlock({ code, label }) {
  return html`<div class="code"><pre tabindex="0" aria-label=${label}><code>${code}</code></pre>
    <${CopyButton} text=${code} label=${`Copy: ${label}`}>Copy<//></div>`;
}
