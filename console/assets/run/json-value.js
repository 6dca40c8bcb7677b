// Owns how one name and one value of JSON look: its kind by colour and form, what is
// masked, what the search has found, and what the browser cannot hold.
import { html } from "../ui/html.js";
import { formatCount } from "../format.js";
import { Glyph } from "./glyphs.js";
import { ExactNumber, isRounded } from "./exact.js";
import { sizeOf, visible } from "./json-model.js";

const SHOWN = 400;
/** What stands in the place of a secret: docs/masking.md. */
const MASKED = /\[REDACTED:([a-z0-9-]{1,40})\]/;

/** @param {{row: import("./json-model.js").JsonRow, query: string}} props */
export function JsonName({ row, query }) {
  if (row.kind === "text" || row.name === null) return null;
  if (row.depth === 0) return html`<span class="json-title">${row.name}</span>`;
  return html`<bdi class=${typeof row.name === "number" ? "json-index" : "json-name"}><${Marked} text=${visible(String(row.name))} query=${query} /></bdi><span class="json-colon">:</span>`;
}

/** @param {{row: import("./json-model.js").JsonRow, query: string}} props */
export function JsonValue({ row, query }) {
  const { value } = row;
  if (row.kind === "text") return html`<bdi class="json-text"><${Parts} text=${row.line} query=${query} /></bdi>`;
  if (row.kind === "node") return html`<${Summary} row=${row} />`;
  if (typeof value === "string") return html`<${Text} row=${row} query=${query} />`;
  if (value === undefined) return html`<span class="json-null">not there</span>`;
  if (value === null) return html`<span class="json-null">null</span>`;
  const kind = typeof value === "boolean" ? "json-boolean" : "json-number";
  return html`<span class=${kind}><${Marked} text=${String(value)} query=${query} /></span>
    ${value instanceof ExactNumber && html`<span class="hidden">exactly as it came</span>`}
    ${isRounded(value) && html`<span class="json-badge" title="This browser rounds numbers of more than 15 digits: the last ones may be others. The download and the API have it exactly.">rounded</span>`}`;
}

function Summary({ row }) {
  const isList = Array.isArray(row.value);
  const words = `${formatCount(row.count)} ${isList ? (row.count === 1 ? "item" : "items") : row.count === 1 ? "field" : "fields"}`;
  return html`<span class="json-brackets">${isList ? "[" : "{"}${row.open || row.count === 0 ? "" : "…"}${isList ? "]" : "}"}</span><span class="json-count">${words}</span>
    ${!row.open && !isList && row.count > 0 && html`<span class="json-peek" aria-hidden="true">${peek(row.value)}</span>`}`;
}

const peek = (value) => visible(Object.keys(value).slice(0, 6).join(", "));

function Text({ row, query }) {
  const { value } = row;
  const cut = value.length > SHOWN;
  const whole = MASKED.exec(value);
  if (whole && whole[0] === value) return html`<${Mask} rule=${whole[1]} />`;
  if (row.foldable && row.open) return html`<span class="json-count">text, ${sizeOf(value)}</span>`;
  return html`<bdi class="json-string">"<${Parts} text=${cut ? value.slice(0, SHOWN) : value} query=${query} />${cut ? "…" : "\""}</bdi>
    ${row.foldable && html`<span class="json-badge">${sizeOf(value)}</span>`}`;
}

/** What is masked within a text keeps its look, too. */
function Parts({ text, query }) {
  return text.split(/(\[REDACTED:[a-z0-9-]{1,40}\])/).map((part) => {
    const masked = MASKED.exec(part);
    return masked ? html`<${Mask} rule=${masked[1]} />` : html`<${Marked} text=${visible(part)} query=${query} />`;
  });
}

function Mask({ rule }) {
  return html`<span class="json-mask" title=${`Masked by the rule ${rule}`}><${Glyph} name="mask" /><span>masked: ${rule}</span></span>`;
}

/** A text with what the search has found in it. @param {{text: string, query: string}} props */
export function Marked({ text, query }) {
  const wanted = query?.trim().toLowerCase();
  if (!wanted) return text;
  const parts = [];
  const low = text.toLowerCase();
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0 && parts.length < 200; at = low.indexOf(wanted, from)) {
    if (at > from) parts.push(text.slice(from, at));
    parts.push(html`<mark>${text.slice(at, at + wanted.length)}</mark>`);
    from = at + wanted.length;
  }
  return [...parts, text.slice(from)];
}
