// Owns numbers that JavaScript cannot hold as they came: 9007199254740993, 1.10, 1e400.
// Where the browser tells a number's source text, it is kept beside the value; where it
// does not, a number that was surely changed can at least be told.

/** A number whose text is not what JavaScript would make of it. Prints, and is written as JSON, as it came. */
export class ExactNumber {
  constructor(source) {
    this.source = source;
  }

  valueOf() {
    return Number(this.source);
  }

  toString() {
    return this.source;
  }

  toJSON() {
    return JSON.rawJSON ? JSON.rawJSON(this.source) : Number(this.source);
  }
}

// A reviver makes parsing several times slower: it is worth it only for a text with a
// number of many digits, an exponent or a last 0 behind the point.
const SUSPICIOUS = /[:[,]\s*-?(?:[0-9][0-9.]{15,}|[0-9.]+[eE]|[0-9]+\.[0-9]*0[\s,\]}])/;

/**
 * JSON.parse that loses no digits.
 * @param {string} text
 */
export function parseExact(text) {
  if (!SUSPICIOUS.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value, context) => {
    if (typeof value !== "number" || !context?.source || String(value) === context.source) return value;
    return new ExactNumber(context.source);
  });
}

/** Whether the browser has surely or maybe changed this number. @param {any} value */
export function isRounded(value) {
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** @param {any} value @returns {?number} a plain number for arithmetic */
export function plainNumber(value) {
  if (typeof value === "number") return value;
  return value instanceof ExactNumber ? value.valueOf() : null;
}
