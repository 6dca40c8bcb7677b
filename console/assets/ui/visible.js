// Owns the display of foreign texts: invisible characters, and characters that change the direction
// of text, are shown as escapes. Characters that a script needs stay unchanged.

/**
 * Control characters, line separators, and characters that Unicode allows fonts to ignore:
 * direction marks, fillers, tags.
 */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb]/gu;
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const NON_JOINER = "\u200c";
const JOINER = "\u200d";
/** Scripts with joined letters or stacked consonants: in them, joiners choose the form of a letter. */
const JOINED = new RegExp(
  `^(?=[\\p{L}\\p{M}])[${[
    "Arabic",
    "Syriac",
    "Mandaic",
    "Nko",
    "Mongolian",
    "Phags_Pa",
    "Adlam",
    "Hanifi_Rohingya",
    "Manichaean",
    "Psalter_Pahlavi",
    "Sogdian",
    "Chorasmian",
    "Devanagari",
    "Bengali",
    "Gurmukhi",
    "Gujarati",
    "Oriya",
    "Tamil",
    "Telugu",
    "Kannada",
    "Malayalam",
    "Sinhala",
    "Tibetan",
    "Myanmar",
    "Khmer",
    "Balinese",
    "Javanese",
    "Sundanese",
    "Meetei_Mayek",
    "Chakma",
    "Kaithi",
    "Grantha",
    "Newa",
    "Tirhuta",
    "Sharada",
    "Modi",
    "Brahmi",
    "Syloti_Nagri",
    "Saurashtra",
  ]
    .map((script) => `\\p{Script_Extensions=${script}}`)
    .join("")}]`,
  "u",
);
const PICTURE = /^\p{Extended_Pictographic}/u;
/** A pictograph with its modifier: U+FE0F, or a skin tone. */
const PICTURE_BEFORE = /\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?$/u;

const codePointBefore = (text, at) => /[\s\S]$/u.exec(text.slice(Math.max(0, at - 2), at))?.[0] ?? "";

function isKeptJoiner(sign, text, at) {
  if (JOINED.test(codePointBefore(text, at))) return true;
  return (
    sign === JOINER &&
    PICTURE.test(text.slice(at + 1, at + 3)) &&
    PICTURE_BEFORE.test(text.slice(Math.max(0, at - 4), at))
  );
}

/** Variation selectors after characters that have variants. */
function isKeptSelector(sign, text, at) {
  const before = codePointBefore(text, at);
  if (sign === "\ufe0e" || sign === "\ufe0f") return /[\p{Emoji}\p{Extended_Pictographic}]/u.test(before);
  if (/[\u180b-\u180f]/.test(sign)) return /\p{Script=Mongolian}/u.test(before);
  return /[\ufe00-\ufe0d\u{e0100}-\u{e01ef}]/u.test(sign) && /[\p{Unified_Ideograph}\p{Sm}]/u.test(before);
}

/** Flags of regions: a black flag, tag letters, and an end tag. */
const FLAG = /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{1,6}\u{e007f}/gu;
const isOfFlag = (text, at) =>
  [...text.slice(Math.max(0, at - 16), at + 16).matchAll(FLAG)].some(
    ({ index, 0: flag }) => index <= Math.min(at, 16) && Math.min(at, 16) < index + flag.length,
  );

function isKept(sign, text, at) {
  if (sign === JOINER || sign === NON_JOINER) return isKeptJoiner(sign, text, at);
  if (sign >= "\u{e0000}" && sign.length === 2 && /[\u{e0030}-\u{e007f}]/u.test(sign)) return isOfFlag(text, at);
  return isKeptSelector(sign, text, at);
}

function escaped(sign) {
  const code = sign.codePointAt(0).toString(16);
  return SHORT[sign] ?? (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`);
}

/**
 * Escapes invisible characters and characters that change the direction of text: U+202E becomes
 * `\u202e`. Joiners stay in emoji and in the scripts that need them. Applying it twice changes
 * nothing.
 * @param {?string} text
 * @returns {string}
 */
export function visible(text) {
  return String(text ?? "").replace(HIDDEN, (sign, at, whole) => (isKept(sign, whole, at) ? sign : escaped(sign)));
}

/** The same for a text that is shown with its line breaks. @param {?string} text @returns {string} */
export function visibleLines(text) {
  return String(text ?? "")
    .split(/\r?\n/)
    .map(visible)
    .join("\n");
}
