// Owns the markup template tag: htm bound to Preact's h. Interpolated values become text nodes or
// properties, never HTML.
import { h } from "preact";
import htm from "htm";

/** The template tag for markup. */
export const html = htm.bind(h);

/**
 * Joins the truthy class names.
 * @param {...(string|false|null|undefined)} names
 * @returns {string}
 */
export function classes(...names) {
  return names.filter(Boolean).join(" ");
}
