// Owns numbers that JavaScript cannot represent exactly: 9007199254740993, 1.10, 1e400. If the
// browser provides a number's source text, it is kept with the value; otherwise the console can at
// least mark numbers that were certainly changed.

/** A number whose source text differs from JavaScript's. It is shown and serialized with its source text. */
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

// A reviver makes parsing several times slower, so it is used only for texts that have a number
// with many digits, an exponent or a trailing 0 after the decimal point.
const SUSPICIOUS = /[:[,]\s*-?(?:[0-9][0-9.]{15,}|[0-9.]+[eE]|[0-9]+\.[0-9]*0[\s,\]}])/;

/**
 * JSON.parse without losing digits.
 * @param {string} text
 */
export function parseExact(text) {
  if (!SUSPICIOUS.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value, context) => {
    if (typeof value !== "number" || !context?.source || String(value) === context.source) return value;
    return new ExactNumber(context.source);
  });
}

/** Whether the browser may have changed this number. @param {any} value */
export function isRounded(value) {
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** @param {any} value @returns {?number} a plain number for arithmetic */
export function plainNumber(value) {
  if (typeof value === "number") return value;
  return value instanceof ExactNumber ? value.valueOf() : null;
}
