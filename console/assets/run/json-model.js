// Owns JSON as rows: which values are open, what a search finds, and how a place in it is
// written. Nothing here touches the page, so that large values cost only what is shown.
import { ExactNumber } from "./exact.js";

/** More rows than this are not shown at once. */
export const MOST_ROWS = 200_000;
export const MOST_HITS = 5000;
const AT_FIRST = 60;
const LEVELS = 3;
const LONG = 120;

/**
 * @typedef {{id: string, depth: number, name: ?(string|number), value: any, kind: "node"|"leaf"|"text", open: boolean,
 *   count: number, foldable: boolean, index: number, parent: ?JsonRow}} JsonRow
 *   `kind` "text": one line of a long text that is unfolded; `index` is where the line begins
 * @typedef {{name: string, value: any}} Root
 */

export const isNode = (value) => value !== null && typeof value === "object" && !(value instanceof ExactNumber);
const countOf = (value) => (Array.isArray(value) ? value.length : Object.keys(value).length);
const childId = (id, key) => `${id}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** Whether a text is shown shortened until it is unfolded. @param {any} value */
export const isLong = (value) => typeof value === "string" && (value.length > LONG || value.includes("\n"));

function* childrenOf(value) {
  if (Array.isArray(value)) for (let index = 0; index < value.length; index += 1) yield [index, value[index]];
  else for (const key of Object.keys(value)) yield [key, value[key]];
}

/** What is open at first: as many levels as fit on a screen. @param {Root[]} roots @returns {Set<string>} */
export function openAtFirst(roots) {
  const open = new Set();
  let rows = roots.length;
  let level = roots.map((root, index) => [`#${index}`, root.value]).filter(([, value]) => isNode(value));
  for (let depth = 0; level.length > 0 && depth < LEVELS; depth += 1) {
    const next = [];
    for (const [id, value] of level) {
      const count = countOf(value);
      if (rows + count > AT_FIRST && open.size > 0) continue;
      rows += count;
      open.add(id);
      if (count > AT_FIRST) continue;
      for (const [key, child] of childrenOf(value)) if (isNode(child)) next.push([childId(id, key), child]);
    }
    level = next;
  }
  return open;
}

/** Everything that can be opened, up to the most rows. @param {Root[]} roots @returns {Set<string>} */
export function openAll(roots) {
  const open = new Set();
  const stack = roots.map((root, index) => [`#${index}`, root.value]).reverse();
  let rows = 0;
  while (stack.length > 0 && rows < MOST_ROWS) {
    const [id, value] = stack.pop();
    rows += 1;
    if (!isNode(value)) continue;
    open.add(id);
    const children = [];
    for (const [key, child] of childrenOf(value)) children.push([childId(id, key), child]);
    while (children.length > 0) stack.push(children.pop());
  }
  return open;
}

/**
 * The rows that are to be seen.
 * @param {Root[]} roots @param {Set<string>} open ids that are open; a long text's id unfolds it
 * @param {number} columns how many characters a line of a long text has
 * @returns {JsonRow[]}
 */
export function rowsOf(roots, open, columns) {
  const rows = [];
  roots.forEach((root, index) => addRows(rows, { id: `#${index}`, name: root.name, value: root.value, depth: 0, parent: null }, open, columns));
  return rows;
}

function addRows(rows, { id, name, value, depth, parent }, open, columns) {
  if (rows.length >= MOST_ROWS) return;
  const node = isNode(value);
  const foldable = !node && isLong(value);
  const row = { id, name, value, depth, parent, kind: node ? "node" : "leaf", open: open.has(id), count: node ? countOf(value) : 0, foldable, index: 0 };
  rows.push(row);
  if (!row.open) return;
  if (foldable) for (const line of linesOf(value, columns)) rows.push({ ...row, id: `${id}@${line.index}`, depth: depth + 1, kind: "text", foldable: false, ...line });
  if (!node) return;
  for (const [key, child] of childrenOf(value)) addRows(rows, { id: childId(id, key), name: key, value: child, depth: depth + 1, parent: row }, open, columns);
}

/** A text in lines: at its own ends of line, and where a line is full. */
function* linesOf(text, columns) {
  for (let begin = 0; begin <= text.length;) {
    const newline = text.indexOf("\n", begin);
    const lineEnd = newline < 0 ? text.length : newline;
    let end = Math.min(lineEnd, begin + columns);
    // Half of a pair of surrogates would be shown as nothing.
    if (end < lineEnd && /[\ud800-\udbff]/.test(text[end - 1])) end -= 1;
    yield { line: text.slice(begin, end), index: begin };
    begin = end === lineEnd ? lineEnd + 1 : end;
    if (begin > text.length) return;
  }
}

/**
 * All places whose name or value holds the text, without regard to case.
 * @param {Root[]} roots @param {string} query
 * @returns {{id: string, at: number}[]} `at`: where in the value, or -1: in the name
 */
export function search(roots, query) {
  const wanted = query.toLowerCase();
  const hits = [];
  const stack = roots.map((root, index) => [`#${index}`, null, root.value]).reverse();
  while (stack.length > 0 && hits.length < MOST_HITS) {
    const [id, name, value] = stack.pop();
    if (name !== null && String(name).toLowerCase().includes(wanted)) hits.push({ id, at: -1 });
    if (isNode(value)) {
      const children = [];
      for (const [key, child] of childrenOf(value)) children.push([childId(id, key), key, child]);
      while (children.length > 0) stack.push(children.pop());
    } else {
      const at = String(value).toLowerCase().indexOf(wanted);
      if (at >= 0) hits.push({ id, at });
    }
  }
  return hits;
}

/** The ids above an id. @param {string} id @returns {string[]} */
export function above(id) {
  const ids = [];
  for (let end = id.lastIndexOf("/"); end > 0; end = id.lastIndexOf("/", end - 1)) ids.push(id.slice(0, end));
  return ids;
}

/** How a place is written: $.lines[0]["a key"]. @param {JsonRow} row */
export function pathOf(row) {
  const parts = [];
  for (let at = row; at?.parent; at = at.parent) {
    if (typeof at.name === "number") parts.push(`[${at.name}]`);
    else parts.push(/^[A-Za-z_$][\w$]*$/.test(at.name) ? `.${at.name}` : `[${JSON.stringify(at.name)}]`);
  }
  return `$${parts.reverse().join("")}`;
}

/** A value as one would paste it: texts bare, all else as JSON. @param {any} value */
export function textOf(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "";
}

const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Makes visible what would not be, or would turn the text around it. @param {string} text */
export function visible(text) {
  return text.replace(HIDDEN, (sign) => SHORT[sign] ?? `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** How much a value is, in words. @param {string} text */
export function sizeOf(text) {
  if (text.length < 1000) return `${text.length} characters`;
  return text.length < 1e6 ? `${(text.length / 1000).toFixed(1)} K characters` : `${(text.length / 1e6).toFixed(1)} M characters`;
}
