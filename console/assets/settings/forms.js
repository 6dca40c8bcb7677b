// Owns the common parts of all forms in Settings: drafts that survive a failure and another
// sign-in, the server's errors at their fields, the save bar, and the question before changes are
// lost.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button } from "../ui/controls.js";
import { Dialog } from "../ui/dialog.js";
import { visible } from "../ui/visible.js";

const drafts = new Map();

/**
 * The unsaved content of a form that was closed, for example because a token was refused.
 * @param {string} key includes the team
 */
export const draftOf = (key) => drafts.get(key) ?? null;

/** Keeps the content of a form as long as it differs from the stored settings. */
export function useKeptDraft(key, dirty, value) {
  useEffect(() => {
    if (dirty) drafts.set(key, value);
    else drafts.delete(key);
  });
}

/**
 * The server's error for one field, without the name of the parameter.
 * @param {?import("../api.js").ApiError} error
 * @param {string} parameter for example `roles[0].name`
 * @returns {?string}
 */
export function errorAt(error, parameter) {
  return error && parameterOf(error) === parameter ? reasonOf(error) : null;
}

/** The parameter of an error, relative to the sent settings. @param {import("../api.js").ApiError} error */
export function parameterOf(error) {
  return (error.parameter ?? "").replace(/^settings\./, "");
}

/** The reason of an error, for a place that already shows the field. */
export function reasonOf(error) {
  return visible(error.reason ?? error.message);
}

/**
 * An error that does not belong to a field.
 * @param {{error: ?Error, placed?: (parameter: string) => boolean, children?: any}} props
 *   `placed` returns whether a field shows the error of a parameter
 */
export function FormError({ error, placed = () => false, children }) {
  const shown = Boolean(error) && !(error.parameter && placed(parameterOf(error)));
  const box = useIntoView(shown ? error : null);
  if (!shown) return null;
  return html`
    <div ref=${box} class="form-error" role="alert">
      <${Icon} name="warning" />
      <div>
        <p>${visible(error.message)}</p>
        ${children}
        ${error.requestId && html`
          <p class="small">
            Request <code>${error.requestId}</code>
          </p>
        `}
      </div>
    </div>
  `;
}

/** Scrolls a result into view: forms can be longer than the screen. */
export function useIntoView(subject) {
  const box = useRef(null);
  useEffect(() => {
    if (subject) box.current?.scrollIntoView({ block: "center" });
  }, [subject]);
  return box;
}

/** Moves the focus to the first field with an error when it appears. */
export function useFocusOnError(error) {
  const form = useRef(null);
  useEffect(() => {
    if (error) form.current?.querySelector("[aria-invalid=true]")?.focus();
  }, [error]);
  return form;
}

/**
 * The bar below a form that saves it or discards its changes.
 * @param {{dirty: boolean, busy: boolean, onSave: () => void, onReset: () => void, label?: string,
 *   children?: any}} props
 */
export function SaveBar({ dirty, busy, onSave, onReset, label = "Save changes", children }) {
  return html`
    <div class="save-bar">
      <span class="save-note" role="status">${dirty ? "Unsaved changes" : children}</span>
      <${Button} disabled=${!dirty || busy} onClick=${onReset}>Discard<//>
      <${Button} kind="primary" disabled=${!dirty || busy} onClick=${onSave}>${busy ? "Saving …" : label}<//>
    </div>
  `;
}

/**
 * A confirmation before an action that cannot be undone.
 * @param {{title: string, confirm: string, onConfirm: () => void, onClose: () => void, busy?: boolean,
 *   error?: ?Error, children: any}} props
 */
export function Confirm({ title, confirm, onConfirm, onClose, busy, error, children }) {
  return html`
    <${Dialog}
      title=${title}
      onClose=${onClose}
      actions=${html`
        <${Button} onClick=${onClose}>Cancel<//>
        <${Button} kind="danger" disabled=${busy} onClick=${onConfirm}>${confirm}<//>
      `}
    >
      <div class="stack">
        ${children}
        <${FormError} error=${error} />
      </div>
    <//>
  `;
}

/**
 * Asks before changes are lost by a link, by Back, or by closing the tab.
 * @param {boolean} dirty @param {() => void} discard
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
      // Back and Forward have already changed the address. It is restored until the user decides,
      // before the router sees the change (its hashchange follows this popstate).
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
    // The listeners are removed together with the draft, so navigation is possible again.
    if (dirty || target === null) return;
    setTarget(null);
    location.hash = target;
  }, [dirty, target]);
  if (target === null || !dirty) return null;
  return html`
    <${Confirm}
      title="Leave without saving?"
      confirm="Discard changes"
      onConfirm=${discard}
      onClose=${() => setTarget(null)}
    >
      <p>Your changes are not saved.</p>
    <//>
  `;
}
