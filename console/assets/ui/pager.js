// Owns the controls for numbered pages: first, previous, next, last, and any page by its number.
import { useEffect, useState } from "preact/hooks";
import { formatCount } from "../format.js";
import { html } from "./html.js";
import { Button } from "./controls.js";

/**
 * @param {{page: number, size: number, total: number, exact?: boolean, shown: number, noun: string,
 *   onGo: (page: number) => void, children?: any}} props pages count from 1; an inexact total is a lower bound
 */
export function Pager({ page, size, total, exact = true, shown, noun, onGo, children }) {
  const pages = Math.max(1, Math.ceil(total / size));
  const first = (page - 1) * size + 1;
  const all = `${formatCount(shown > 0 ? Math.max(total, first + shown - 1) : total)}${exact ? "" : "+"} ${noun}`;
  const range = shown > 0 ? `${formatCount(first)}–${formatCount(first + shown - 1)} of ${all}` : all;
  const [text, setText] = useState(String(page));
  useEffect(() => setText(String(page)), [page]);
  const go = (event) => {
    event.preventDefault();
    const wanted = Math.round(Number(text.replace(/[,.\s]/g, "")));
    if (wanted >= 1) onGo(Math.min(wanted, pages));
    else setText(String(page));
  };
  return html`
    <nav class="pager" aria-label="Pages">
      <span class="pager-range">${range}</span>
      ${children}
      ${pages > 1 && html`
        <span class="pager-steps">
          <${Button} kind="quiet" icon="first" label="First page" disabled=${page <= 1} onClick=${() => onGo(1)} />
          <${Button}
            kind="quiet"
            icon="left"
            label="Previous page"
            disabled=${page <= 1}
            onClick=${() => onGo(page - 1)}
          />
          <form class="pager-form" onSubmit=${go}>
            <label>
              Page${" "}
              <input
                inputmode="numeric"
                aria-label="Go to page"
                size="5"
                value=${text}
                onInput=${(event) => setText(event.currentTarget.value)}
              />
            </label>${" "}
            of ${formatCount(pages)}
          </form>
          <${Button}
            kind="quiet"
            icon="right"
            label="Next page"
            disabled=${page >= pages}
            onClick=${() => onGo(page + 1)}
          />
          <${Button}
            kind="quiet"
            icon="last"
            label="Last page"
            disabled=${page >= pages}
            onClick=${() => onGo(pages)}
          />
        </span>
      `}
    </nav>
  `;
}
