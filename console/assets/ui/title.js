// Owns the title of the page, and its announcement to screen readers.
import { useEffect, useState } from "preact/hooks";
import { html } from "./html.js";
import { visible } from "./visible.js";

let announce = () => {};

/** @param {string} title the title of the page; empty for only the product's name */
export function setTitle(title) {
  const shown = visible(title);
  document.title = shown ? `${shown} · Flowtrail` : "Flowtrail";
  announce(shown);
}

/** Used once, in the shell. The first page after loading is not announced. */
export function TitleAnnouncer() {
  const [text, setText] = useState("");
  useEffect(() => {
    announce = setText;
    return () => {
      announce = () => {};
    };
  }, []);
  return html`<div class="hidden" role="status" aria-live="polite">${text}</div>`;
}
