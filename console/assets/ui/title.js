// Owns the title of the page, and that it is told to who cannot see another page come.
import { useEffect, useState } from "preact/hooks";
import { html } from "./html.js";

let tell = () => {};

/** @param {string} title what the page shows; none for the product's name alone */
export function setTitle(title) {
  document.title = title ? `${title} · Flowtrail` : "Flowtrail";
  tell(title);
}

/** Stands once, in the shell. Nothing is told of the page that was asked for by its address. */
export function TitleAnnouncer() {
  const [text, setText] = useState("");
  useEffect(() => {
    tell = setText;
    return () => { tell = () => {}; };
  }, []);
  return html`<div class="hidden" role="status" aria-live="polite">${text}</div>`;
}
