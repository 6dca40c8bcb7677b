// Owns the display of error messages: with their line breaks, folded if they are long, and with a
// copy button.
import { useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { CopyButton } from "../ui/controls.js";
import { Icon } from "../ui/icons.js";
import { sizeOf, visible } from "./json-model.js";

const SHOWN = 600;
const LINES = 8;

/**
 * @param {{text: string, title: string, lines?: number, children?: any}} props
 *   `lines`: the number of lines before unfolding
 */
export function ErrorText({ text, title, lines: first = LINES, children }) {
  const [whole, setWhole] = useState(false);
  const lines = text.split("\n");
  const long = text.length > SHOWN || lines.length > first;
  const short = lines.slice(0, first).join("\n").slice(0, SHOWN);
  return html`
    <section class="error-text" aria-label=${title}>
      <header>
        <${Icon} name="failed" />
        <strong>${title}</strong>
        <${CopyButton} text=${text} label="Copy the error" />
        ${children}
      </header>
      <pre tabindex="0" aria-label=${`${title}, text`}>
        <bdi>
          ${(long && !whole ? `${short} …` : text).split("\n").map((line) => `${visible(line)}\n`).join("").trimEnd()}
        </bdi>
      </pre>
      ${long && html`
        <button type="button" class="link" onClick=${() => setWhole(!whole)}>
          ${whole ? "Show less" : `Show all, ${sizeOf(text)}`}
        </button>
      `}
    </section>
  `;
}
