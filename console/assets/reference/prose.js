// Owns how the texts of the description are shown: the little of Markdown that they have,
// which is paragraphs, lists, `code` and **stress**.
import { html } from "../ui/html.js";

/** @param {{text: ?string}} props */
export function Prose({ text }) {
  return (text ?? "").split(/\n\n+/).filter(Boolean).map((block) => (block.startsWith("- ")
    ? html`<ul class="prose-list">${block.split(/\n(?=- )/).map((line) => html`<li><${Line} text=${line.slice(2)} /></li>`)}</ul>`
    : html`<p><${Line} text=${block} /></p>`));
}

/** The same without paragraphs. @param {{text: string}} props */
export function Line({ text }) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.startsWith("**")) return html`<strong>${part.slice(2, -2)}</strong>`;
    return part;
  });
}
