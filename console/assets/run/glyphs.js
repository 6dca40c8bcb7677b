// Owns the icons that only this page uses, in the style of ui/icons.js.
import { html } from "../ui/html.js";

const PATHS = {
  fork: "M3 8h3.500M13 3.500h-2.500a4 4 0 0 0-4 4.500a4 4 0 0 0 4 4.500H13M6.500 8H13",
  run: "M2.500 3h6v4h-6zM7.500 9.500h6v4h-6zM5 7v4.500h2.500",
  retry: "M3 8a5 5 0 1 0 1.600-3.700M4.500 1.800v2.700h2.700",
  download: "M8 2.500v8M4.500 7.500L8 11l3.500-3.500M3 13.500h10",
  trash: "M3 4.500h10M6.500 4.500v-2h3v2M4.500 4.500l.6 9h5.800l.6-9",
  stop: "M4 4h8v8H4z",
  more: "M3.500 8h.1M8 8h.1M12.500 8h.1",
  plus: "M8 3.500v9M3.500 8h9",
  minus: "M3.500 8h9",
  fit: "M2.500 8h11M5 5.500L2.500 8L5 10.500M11 5.500L13.500 8L11 10.500",
  link:
    "M6.500 9.500l3-3M7 4.500l1.500-1.500a3 3 0 0 1 4.500 4.500L11.500 9" +
    "M9 11.500L7.500 13A3 3 0 0 1 3 8.500L4.500 7",
  unfold: "M4 6l4-3.500L12 6M4 10l4 3.500L12 10",
  fold: "M4 2.500L8 6l4-3.500M4 13.500L8 10l4 3.500",
  pin: "M5.500 2.500h5M6.500 2.500v4L4.500 9h7l-2-2.500v-4M8 9v4.500",
  mask: "M4 7.500h8v6H4zM5.500 7.500V5a2.5 2.5 0 0 1 5 0v2.500",
};

/** @param {{name: keyof PATHS}} props */
export function Glyph({ name }) {
  return html`
    <svg
      class=${`icon glyph-${name}`}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d=${PATHS[name]} />
    </svg>
  `;
}

/**
 * A quiet button with only a glyph.
 * @param {{glyph: keyof PATHS, label: string}} props and the attributes of <button>
 */
export function GlyphButton({ glyph, label, ...rest }) {
  return html`
    <button type="button" class="button button-quiet button-icon" aria-label=${label} title=${label} ...${rest}>
      <${Glyph} name=${glyph} />
    </button>
  `;
}
