// Owns the display of the description's texts. They use a small part of Markdown: paragraphs,
// lists, `code` and **emphasis**.
import { html } from "../ui/html.js";

/** @param {{text: ?string}} props */
export function Prose({ text }) {
  return (text ?? "")
    .split(/\n\n+/)
    .filter(Boolean)
    .map((block) =>
      block.startsWith("- ")
        ? html`
          <ul class="prose-list">
            ${block.split(/\n(?=- )/).map((line) => html`
              <li>
                <${Line} text=${line.slice(2)} />
              </li>
            `)}
          </ul>
        `
        : html`
          <p>
            <${Line} text=${block} />
          </p>
        `,
    );
}

/** The same for text without paragraphs. @param {{text: string}} props */
export function Line({ text }) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.startsWith("**")) return html`<strong>${part.slice(2, -2)}</strong>`;
    return part;
  });
}
