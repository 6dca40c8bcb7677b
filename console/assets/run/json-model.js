// Owns the rows of a JSON value: expanded values, search hits and paths. It does not use the DOM,
// so that large values cost only what is shown.
import { ExactNumber } from "./exact.js";

/** The maximum number of rows that are shown together. */
export const MAX_ROWS = 200_000;
export const MAX_HITS = 5000;
const AT_FIRST = 60;
const LEVELS = 3;
const LONG = 120;

/**
 * @typedef {{id: string, depth: number, name: ?(string|number), value: any, kind: "node"|"leaf"|"text",
 *   open: boolean, count: number, foldable: boolean, index: number, parent: ?JsonRow}} JsonRow
 *   `kind` "text": one line of an unfolded long text; `index` is the position at which the line starts
 * @typedef {{name: string, value: any}} Root
 */

export const isNode = (value) => value !== null && typeof value === "object" && !(value instanceof ExactNumber);
const countOf = (value) => (Array.isArray(value) ? value.length : Object.keys(value).length);
const childId = (id, key) => `${id}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** Whether a text is shortened until it is unfolded. @param {any} value */
export const isLong = (value) => typeof value === "string" && (value.length > LONG || value.includes("\n"));

function* childrenOf(value) {
  if (Array.isArray(value)) for (let index = 0; index < value.length; index += 1) yield [index, value[index]];
  else for (const key of Object.keys(value)) yield [key, value[key]];
}

/**
 * The initially expanded values: as many levels as fit on a screen.
 * @param {Root[]} roots
 * @returns {Set<string>}
 */
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

/**
 * Everything that can be expanded, up to the maximum number of rows.
 * @param {Root[]} roots
 * @returns {Set<string>}
 */
export function openAll(roots) {
  const open = new Set();
  const stack = roots.map((root, index) => [`#${index}`, root.value]).reverse();
  let rows = 0;
  while (stack.length > 0 && rows < MAX_ROWS) {
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
 * The visible rows, at most MAX_ROWS.
 * @param {Root[]} roots
 * @param {Set<string>} open ids of expanded values; a long text's id unfolds it
 * @param {number} columns the number of characters in a line of a long text
 * @param {number} [from] the number of rows that are skipped before them
 * @returns {JsonRow[]}
 */
export function rowsOf(roots, open, columns, from = 0) {
  const rows = [];
  let before = 0;
  for (const row of eachRow(roots, open, columns)) {
    if (rows.length >= MAX_ROWS) break;
    if (before < from) before += 1;
    else rows.push(row);
  }
  return rows;
}

/**
 * The number of rows to skip so that a hit is in the middle of the visible rows.
 * @param {Root[]} roots @param {Set<string>} open @param {number} columns @param {Hit} hit
 */
export function rowsBefore(roots, open, columns, { id, at }) {
  let place = 0;
  let found = 0;
  for (const row of eachRow(roots, open, columns)) {
    const isBefore = row.id === id || (row.kind === "text" && row.id.startsWith(`${id}@`) && row.index <= at);
    if (isBefore) found = place;
    else if (found > 0) break;
    place += 1;
  }
  return Math.max(0, found - MAX_ROWS / 2);
}

function* eachRow(roots, open, columns) {
  for (const [index, { name, value }] of roots.entries()) {
    yield* rowsWithin({ id: `#${index}`, name, value, depth: 0, parent: null }, open, columns);
  }
}

function* rowsWithin({ id, name, value, depth, parent }, open, columns) {
  const node = isNode(value);
  const foldable = !node && isLong(value);
  const row = {
    id,
    name,
    value,
    depth,
    parent,
    kind: node ? "node" : "leaf",
    open: open.has(id),
    count: node ? countOf(value) : 0,
    foldable,
    index: 0,
  };
  yield row;
  if (!row.open) return;
  if (foldable) {
    for (const line of linesOf(value, columns)) {
      yield { ...row, id: `${id}@${line.index}`, depth: depth + 1, kind: "text", foldable: false, ...line };
    }
  }
  if (!node) return;
  for (const [key, child] of childrenOf(value)) {
    yield* rowsWithin({ id: childId(id, key), name: key, value: child, depth: depth + 1, parent: row }, open, columns);
  }
}

/** Splits a text at its line breaks, and where a line is full. */
function* linesOf(text, columns) {
  for (let begin = 0; begin <= text.length;) {
    const newline = text.indexOf("\n", begin);
    const lineEnd = newline < 0 ? text.length : newline;
    let end = Math.min(lineEnd, begin + columns);
    // Half of a surrogate pair would be invisible.
    if (end < lineEnd && /[\ud800-\udbff]/.test(text[end - 1])) end -= 1;
    yield { line: text.slice(begin, end), index: begin };
    begin = end === lineEnd ? lineEnd + 1 : end;
    if (begin > text.length) return;
  }
}

/** Lower case without changing positions: İ would become two characters. @param {string} text */
function folded(text) {
  const small = text.toLowerCase();
  if (small.length === text.length) return small;
  return Array.from(text, (sign) => (sign.toLowerCase().length === sign.length ? sign.toLowerCase() : sign)).join("");
}

/**
 * The positions of a text in another, ignoring case.
 * @param {string} text @param {string} query @param {number} [most]
 * @returns {number[]}
 */
export function placesOf(text, query, most = MAX_HITS) {
  const wanted = folded(query);
  const places = [];
  if (!wanted || wanted.length > text.length) return places;
  const small = folded(text);
  for (
    let at = small.indexOf(wanted);
    at >= 0 && places.length < most;
    at = small.indexOf(wanted, at + wanted.length)
  ) {
    places.push(at);
  }
  return places;
}

/**
 * All occurrences of a text in names and values, ignoring case.
 * @typedef {{id: string, at: number}} Hit `at`: the position in the value, or -1 for the name
 * @param {Root[]} roots @param {string} query
 * @returns {Hit[]}
 */
export function search(roots, query) {
  const hits = [];
  const stack = roots.map((root, index) => [`#${index}`, null, root.value]).reverse();
  while (stack.length > 0 && hits.length < MAX_HITS) {
    const [id, name, value] = stack.pop();
    if (name !== null && placesOf(String(name), query, 1).length > 0) hits.push({ id, at: -1 });
    if (isNode(value)) {
      const children = [];
      for (const [key, child] of childrenOf(value)) children.push([childId(id, key), key, child]);
      while (children.length > 0) stack.push(children.pop());
    } else {
      for (const at of placesOf(String(value), query, MAX_HITS - hits.length)) hits.push({ id, at });
    }
  }
  return hits;
}

/** The maximum number of rows of a run's input that is expanded initially. */
const SMALL = 6;

/** Whether a value fits completely in a few short rows. @param {any} value */
export function isSmall(value) {
  let rows = 0;
  const stack = [value];
  while (stack.length > 0) {
    const each = stack.pop();
    if (isLong(each)) return false;
    if (!isNode(each)) continue;
    rows += countOf(each);
    if (rows > SMALL) return false;
    for (const [, child] of childrenOf(each)) stack.push(child);
  }
  return true;
}

const PREVIEW = 8;

/** The start of a value in one line: {orderId: 42, lines: [3]}. @param {any} value */
export function preview(value) {
  if (!isNode(value)) return brief(value);
  const parts = [];
  for (const [key, child] of childrenOf(value)) {
    if (parts.length === PREVIEW) break;
    parts.push(Array.isArray(value) ? brief(child) : `${key}: ${brief(child)}`);
  }
  const text = [...parts, ...(countOf(value) > PREVIEW ? ["…"] : [])].join(", ");
  return Array.isArray(value) ? `[${text}]` : `{${text}}`;
}

function brief(value) {
  if (Array.isArray(value)) return `[${value.length}]`;
  if (isNode(value)) return countOf(value) ? "{…}" : "{}";
  const text = String(value);
  return text.length > LONG ? `${text.slice(0, LONG)}…` : text;
}

/** The ids above an id. @param {string} id @returns {string[]} */
export function above(id) {
  const ids = [];
  for (let end = id.lastIndexOf("/"); end > 0; end = id.lastIndexOf("/", end - 1)) ids.push(id.slice(0, end));
  return ids;
}

/** The path of a row: $.lines[0]["a key"]. @param {JsonRow} row */
export function pathOf(row) {
  const parts = [];
  for (let at = row; at?.parent; at = at.parent) {
    if (typeof at.name === "number") parts.push(`[${at.name}]`);
    else parts.push(/^[A-Za-z_$][\w$]*$/.test(at.name) ? `.${at.name}` : `[${JSON.stringify(at.name)}]`);
  }
  return `$${parts.reverse().join("")}`;
}

/** A value for the clipboard: texts without quotes, everything else as JSON. @param {any} value */
export function textOf(value) {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

export { visible } from "../ui/visible.js";

/** The size of a text in words. @param {string} text */
export function sizeOf(text) {
  if (text.length < 1000) return `${text.length} characters`;
  return text.length < 1e6
    ? `${(text.length / 1000).toFixed(1)} K characters`
    : `${(text.length / 1e6).toFixed(1)} M characters`;
}
