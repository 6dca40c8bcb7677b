// Owns the icons: 16 px line drawings in the text's colour, hidden from screen readers.
import { html } from "./html.js";

const PATHS = {
  completed: "M3 8.5l3.2 3.2L13 4.8",
  failed: "M4 4l8 8M12 4l-8 8",
  running: "M13.5 8A5.5 5.5 0 1 1 8 2.5",
  pending: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 5v3.2l2 1.3",
  cancelled: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M4.2 4.2l7.6 7.6",
  skipped: "M3 4l5 4-5 4M8 4l5 4-5 4",
  unknown: "M6 6a2 2 0 1 1 2.6 1.9c-.4.1-.6.5-.6.9v.7M8 12v.1",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.5 10.5l3 3",
  download: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13.3h10",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  check: "M3 8.5l3.2 3.2L13 4.8",
  close: "M4 4l8 8M12 4l-8 8",
  down: "M4 6l4 4 4-4",
  left: "M10 3.5L5.5 8l4.5 4.5",
  right: "M6 3.5L10.5 8L6 12.5",
  first: "M12 3.5L7.5 8l4.5 4.5M4 3.5v9",
  last: "M4 3.5L8.5 8L4 12.5M12 3.5v9",
  up: "M8 13V3.5M4 7l4-4 4 4",
  user: "M8 2.5a2.7 2.7 0 1 0 0 5.4a2.7 2.7 0 1 0 0-5.4M2.8 13.5c.6-2.6 2.7-3.7 5.2-3.7s4.6 1.1 5.2 3.7",
  warning: "M8 2.300L14.3 13H1.700zM8 6.500v3M8 11.200v.1",
  lock: "M4 7.500h8v6H4zM5.5 7.500V5a2.5 2.5 0 0 1 5 0v2.5",
  offline:
    "M2 2l12 12M4.5 11.500h6.500M3.3 11.200a2.6 2.6 0 0 1 .6-5A4 4 0 0 1 5.4 4.300" +
    "M7.5 3.500a4 4 0 0 1 4.2 3.200a2.5 2.5 0 0 1 1.6 3.9",
  external: "M9 3h4v4M13 3L7.5 8.500M11.5 9.500v3.500h-8.500v-8.500h3.5",
  keyboard: "M1.5 4h13v8h-13zM4 6.500h.1M6.6 6.500h.1M9.2 6.500h.1M11.9 6.500h.1M4.5 9.500h7",
  clock: "M8 2.500a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 5v3.200l2 1.3",
  table: "M2.5 3h11v10h-11zM2.5 6.500h11M6.5 6.500v6.5",
  inbox: "M2.5 9l2-6h7l2 6v4h-11zM2.5 9h3.200a2.3 2.3 0 0 0 4.6 0h3.2",
};

/**
 * @param {{name: keyof PATHS, class?: string}} props
 */
export function Icon({ name, class: className = "" }) {
  return html`
    <svg
      class=${`icon icon-${name} ${className}`}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d=${PATHS[name] ?? PATHS.unknown} />
    </svg>
  `;
}

/** The product's logo: a trail from one point to the next. */
export function Mark() {
  return html`
    <svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <rect class="mark-back" width="24" height="24" rx="6" />
      <path
        class="mark-line"
        d="M6 17.500h4.500a3 3 0 0 0 3-3v-5a3 3 0 0 1 3-3H18"
        fill="none"
        stroke-width="2.2"
        stroke-linecap="round"
      />
      <circle class="mark-dot" cx="6.2" cy="17.5" r="2.2" />
      <circle class="mark-dot" cx="17.8" cy="6.5" r="2.2" />
    </svg>
  `;
}
