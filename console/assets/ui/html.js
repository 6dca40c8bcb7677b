// Owns the one way to write markup: htm bound to Preact's h. Everything that is
// interpolated becomes a text node or a property, never HTML.
import { h } from "preact";
import htm from "htm";

/** The template tag for markup. */
export const html = htm.bind(h);

/**
 * Joins the class names that are truthy.
 * @param {...(string|false|null|undefined)} names
 * @returns {string}
 */
export function classes(...names) {
  return names.filter(Boolean).join(" ");
}
