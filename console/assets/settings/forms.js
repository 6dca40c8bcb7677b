// Owns what all forms of Settings have in common: drafts that outlive a failure and a
// signing in again, the server's errors at their fields, the bar that saves, and the
// question before changes are lost.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button } from "../ui/controls.js";
import { Dialog } from "../ui/dialog.js";

const drafts = new Map();

/**
 * What was kept of a form that went without being saved, as it does when a token is refused.
 * @param {string} key with the team in it
 */
export const draftOf = (key) => drafts.get(key) ?? null;

/** Keeps what a form holds for as long as it differs from what is stored. */
export function useKeptDraft(key, dirty, value) {
  useEffect(() => {
    if (dirty) drafts.set(key, value);
    else drafts.delete(key);
  });
}

/**
 * The server's words for one field, without the name of the parameter.
 * @param {?import("../api.js").ApiError} error
 * @param {string} parameter such as `roles[0].name`
 * @returns {?string}
 */
export function errorAt(error, parameter) {
  return error && parameterOf(error) === parameter ? reasonOf(error) : null;
}

/** The place that an error names, within what was sent. @param {import("../api.js").ApiError} error */
export function parameterOf(error) {
  return (error.parameter ?? "").replace(/^settings\./, "");
}

/** "The member X of the body is not valid." says what the place of the message says already. */
export function reasonOf(error) {
  return error.message.replace(/^The (member|parameter) \S+( of the body)? is not valid\.\s*/, "") || error.message;
}

/**
 * An error that belongs to no field.
 * @param {{error: ?Error, placed?: (parameter: string) => boolean, children?: any}} props
 *   `placed` tells whether a field shows the error of a parameter
 */
export function FormError({ error, placed = () => false, children }) {
  const shown = Boolean(error) && !(error.parameter && placed(parameterOf(error)));
  const box = useIntoView(shown ? error : null);
  if (!shown) return null;
  return html`<div ref=${box} class="form-error" role="alert"><${Icon} name="warning" /><div><p>${error.message}</p>${children}
    ${error.requestId && html`<p class="small">Request <code>${error.requestId}</code></p>`}</div></div>`;
}

/** Brings into view what is said about an attempt: forms can be longer than the screen. */
export function useIntoView(subject) {
  const box = useRef(null);
  useEffect(() => {
    if (subject) box.current?.scrollIntoView({ block: "center" });
  }, [subject]);
  return box;
}

/** Leads to the first field with an error, once it is there. */
export function useFocusOnError(error) {
  const form = useRef(null);
  useEffect(() => {
    if (error) form.current?.querySelector("[aria-invalid=true]")?.focus();
  }, [error]);
  return form;
}

/**
 * Below a form: saves it, or goes back to what is stored.
 * @param {{dirty: boolean, busy: boolean, onSave: () => void, onReset: () => void, label?: string, children?: any}} props
 */
export function SaveBar({ dirty, busy, onSave, onReset, label = "Save changes", children }) {
  return html`<div class="save-bar"><span class="save-note" role="status">${dirty ? "Unsaved changes" : children}</span>
    <${Button} disabled=${!dirty || busy} onClick=${onReset}>Discard<//>
    <${Button} kind="primary" disabled=${!dirty || busy} onClick=${onSave}>${busy ? "Saving …" : label}<//></div>`;
}

/**
 * A question before something that cannot be taken back.
 * @param {{title: string, confirm: string, onConfirm: () => void, onClose: () => void, busy?: boolean, error?: ?Error, children: any}} props
 */
export function Confirm({ title, confirm, onConfirm, onClose, busy, error, children }) {
  return html`<${Dialog} title=${title} onClose=${onClose} actions=${html`<${Button} onClick=${onClose}>Cancel<//>
      <${Button} kind="danger" disabled=${busy} onClick=${onConfirm}>${confirm}<//>`}>
    <div class="stack">${children}<${FormError} error=${error} /></div><//>`;
}

/**
 * Asks before changes are lost: by a link, by Back, by closing the tab.
 * @param {boolean} dirty
 * @param {() => void} discard
 * @returns {any} the dialog to show, or null
 */
export function useUnsavedQuestion(dirty, discard) {
  const [target, setTarget] = useState(null);
  useEffect(() => {
    if (!dirty) return undefined;
    const leave = (event) => event.preventDefault();
    const click = (event) => {
      const link = event.target.closest?.("a[href^='#']");
      if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (link.hash === location.hash || link.classList.contains("skip")) return;
      event.preventDefault();
      setTarget(link.hash);
    };
    const here = location.href;
    const moved = () => {
      // Back and Forward have already moved: the address comes back until it is decided,
      // before the router hears of it (its hashchange comes after this popstate).
      if (location.href === here) return;
      setTarget(location.hash);
      history.pushState(null, "", here);
    };
    addEventListener("beforeunload", leave);
    document.addEventListener("click", click, true);
    addEventListener("popstate", moved);
    return () => {
      removeEventListener("beforeunload", leave);
      document.removeEventListener("click", click, true);
      removeEventListener("popstate", moved);
    };
  }, [dirty]);
  useEffect(() => {
    // The listeners are gone when the draft is: then the way is free.
    if (dirty || target === null) return;
    setTarget(null);
    location.hash = target;
  }, [dirty, target]);
  if (target === null || !dirty) return null;
  return html`<${Confirm} title="Leave without saving?" confirm="Discard changes" onConfirm=${discard} onClose=${() => setTarget(null)}>
    <p>What you have changed here is not saved.</p><//>`;
}
