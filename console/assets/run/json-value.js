// Owns the display of one JSON name and value: its type by colour and form, masked parts, search
// hits, and numbers that the browser cannot represent.
import { useMemo } from "preact/hooks";
import { html } from "../ui/html.js";
import { plural } from "../format.js";
import { Glyph } from "./glyphs.js";
import { ExactNumber, isRounded } from "./exact.js";
import { placesOf, sizeOf, visible } from "./json-model.js";

const SHOWN = 400;
/** A hit after this many characters may be invisible, so the shown part starts shortly before it. */
const SEEN = 24;
const BEFORE_HIT = 12;
const MAX_MARKS = 200;
/** The part of a text in which the first hit is searched. */
const LOOKED_THROUGH = 1e6;
/** The mask of a secret, see docs/masking.md. */
const MASKED = /\[REDACTED:([a-z0-9-]{1,40})\]/;

const ROUNDED =
  "This browser rounds numbers with more than 15 digits, so the last digits can be wrong. The download and the API " +
  "have the exact number.";

/** @param {{row: import("./json-model.js").JsonRow, query: string}} props `query`: the search text */
export function JsonName({ row, query }) {
  if (row.kind === "text" || row.name === null) return null;
  if (row.depth === 0) return html`<span class="json-title">${row.name}</span>`;
  const name = String(row.name);
  const from = excerptAt(name, query, null);
  return html`
    <bdi
      class=${typeof row.name === "number" ? "json-index" : "json-name"}
      title=${name.length > SEEN ? visible(name) : null}
    >
      ${from > 0 && "…"}
      <${Marked} text=${name.slice(from)} query=${query} />
    </bdi>
    <span class="json-colon">:</span>
  `;
}

/**
 * @param {{row: import("./json-model.js").JsonRow, query: string, at: ?number}} props
 *   `at`: the position of the current hit in the value
 */
export function JsonValue({ row, query, at }) {
  const { value } = row;
  if (row.kind === "text") return html`<${Line} row=${row} query=${query} />`;
  if (row.kind === "node") return html`<${Summary} row=${row} />`;
  if (typeof value === "string") return html`<${Text} row=${row} query=${query} at=${at} />`;
  if (value === undefined) return html`<span class="json-null">missing</span>`;
  if (value === null) return html`<span class="json-null">null</span>`;
  const kind = typeof value === "boolean" ? "json-boolean" : "json-number";
  return html`
    <span class=${kind}>
      <${Marked} text=${String(value)} query=${query} />
    </span>
    ${value instanceof ExactNumber && html`<span class="hidden">exact number</span>`}
    ${isRounded(value) && html`<span class="json-badge" title=${ROUNDED}>rounded</span>`}
  `;
}

function Summary({ row }) {
  const isList = Array.isArray(row.value);
  const words = plural(row.count, isList ? "item" : "field");
  return html`
    <span class="json-brackets">
      ${isList ? "[" : "{"}
      ${row.open || row.count === 0 ? "" : "…"}
      ${isList ? "]" : "}"}
    </span>
    <span class="json-count">${words}</span>
    ${!row.open && !isList && row.count > 0 && html`
      <span class="json-peek" aria-hidden="true">${peek(row.value)}</span>
    `}
  `;
}

const peek = (value) => visible(Object.keys(value).slice(0, 6).join(", "));

/** The start of the shown line of a text, chosen so that it contains the search hit. */
function excerptAt(text, query, at) {
  const wanted = query?.trim();
  if (!wanted) return 0;
  const place = at ?? placesOf(text.slice(0, LOOKED_THROUGH), wanted, 1)[0] ?? 0;
  if (place + wanted.length <= SEEN) return 0;
  const from = Math.max(0, place - BEFORE_HIT);
  // Do not split a mask or a surrogate pair.
  const mask = text.slice(Math.max(0, from - 60), from).lastIndexOf("[REDACTED:");
  if (mask >= 0 && !text.slice(from - 60 + mask, from).includes("]")) return Math.max(0, from - 60) + mask;
  return /[\udc00-\udfff]/.test(text[from]) ? from - 1 : from;
}

/** One line of an unfolded text. A hit can start in the previous line or end in the next. */
function Line({ row, query }) {
  const { value, index, line } = row;
  const around = Math.max(0, (query?.trim().length ?? 0) - 1);
  const before = value.slice(Math.max(0, index - around), index);
  const after = value.slice(index + line.length, index + line.length + around);
  return html`
    <bdi class="json-text">
      <${Parts} text=${line} query=${query} before=${before} after=${after} />
    </bdi>
  `;
}

function Text({ row, query, at }) {
  const { value } = row;
  const from = useMemo(() => excerptAt(value, query, at), [value, query, at]);
  const shown = value.slice(from, from + SHOWN);
  const whole = MASKED.exec(value);
  if (whole && whole[0] === value) return html`<${Mask} rule=${whole[1]} />`;
  if (row.foldable && row.open) return html`<span class="json-count">text, ${sizeOf(value)}</span>`;
  return html`
    <bdi class="json-string">
      ${from > 0 ? "…" : "\""}
      <${Parts} text=${shown} query=${query} />
      ${from + SHOWN < value.length ? "…" : "\""}
    </bdi>
    ${row.foldable && html`<span class="json-badge">${sizeOf(value)}</span>`}
  `;
}

/**
 * A text with highlighted masks.
 * @param {{text: string, query?: string, before?: string, after?: string}} props
 *   `before`, `after`: the text around it
 */
export function Parts({ text, query, before = "", after = "" }) {
  const parts = text.split(/(\[REDACTED:[a-z0-9-]{1,40}\])/);
  return parts.map((part, index) => {
    const masked = MASKED.exec(part);
    if (masked) return html`<${Mask} rule=${masked[1]} />`;
    return html`
      <${Marked}
        text=${part}
        query=${query}
        before=${index === 0 ? before : ""}
        after=${index === parts.length - 1 ? after : ""}
      />
    `;
  });
}

function Mask({ rule }) {
  return html`
    <span class="json-mask" title=${`Masked by the rule ${rule}`}>
      <${Glyph} name="mask" />
      <span>masked: ${rule}</span>
    </span>
  `;
}

/**
 * A text with highlighted search hits.
 * @param {{text: string, query?: string, before?: string, after?: string}} props
 */
function Marked({ text, query, before = "", after = "" }) {
  const wanted = query?.trim();
  if (!wanted) return visible(text);
  const parts = [];
  let from = 0;
  for (const place of placesOf(before + text + after, wanted, MAX_MARKS)) {
    const begin = Math.max(0, place - before.length);
    const end = Math.min(text.length, place - before.length + wanted.length);
    if (end <= begin) continue;
    if (begin > from) parts.push(visible(text.slice(from, begin)));
    parts.push(html`<mark>${visible(text.slice(begin, end))}</mark>`);
    from = end;
  }
  return [...parts, visible(text.slice(from))];
}
