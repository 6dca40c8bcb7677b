// Owns the trial of masking: it shows a text or JSON as others would see it, also with rules that
// are not saved. Nothing is stored.
import { useEffect, useState } from "preact/hooks";
import { post } from "../api.js";
import { formatCount, plural } from "../format.js";
import { html } from "../ui/html.js";
import { visible, visibleLines } from "../ui/visible.js";
import { FormError, parameterOf } from "./forms.js";
import { isShown } from "./masking-form.js";

const PATH = "api/settings/masking/try";
const REST_MS = 350;
const NOTHING = { masked: undefined, error: null, busy: false };
const MASK = /(\[REDACTED:[^\]\s]+\])/;
const EXAMPLE = `{
  "customer": "anna.smith@company.org",
  "password": "hunter2",
  "sessionId": "8f2b-77c1",
  "note": "Refund for KD-12345678 to DE89 3704 0044 0532 0130 00",
  "headers": { "authorization": "Bearer eyJhbGciOi…" }
}`;

/** The text parsed as JSON, or undefined. */
function jsonOf(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : undefined;
  } catch {
    return undefined; // An ordinary text.
  }
}

/**
 * @param {{settings: Object, dirty: boolean, onProblem: (error: ?Error) => void}} props
 *   `settings` are the settings of the form; `onProblem` receives their errors
 */
export function TryIt({ settings, dirty, onProblem }) {
  const [text, setText] = useState("");
  const [saved, setSaved] = useState(false);
  const [details, setDetails] = useState(false);
  const json = jsonOf(text);
  const own = dirty && !saved;
  // The API masks a text by names and values, like exports, and other JSON by names, like details.
  const { masked, error, busy } = useTrial(details && json !== undefined ? json : text, own ? settings : null);
  const ofRules = error && own && isShown(parameterOf(error));
  useEffect(() => onProblem(ofRules ? error : null), [error, ofRules]);
  return html`
    <section class="card try" aria-labelledby="try-title">
      <header class="plot-head">
        <h3 id="try-title">Try it</h3>
        ${dirty && html`
          <${Choice}
            label="Rules to try"
            value=${saved}
            options=${[
              [false, "With your changes"],
              [true, "As saved"],
            ]}
            onChange=${setSaved}
          />
        `}
      </header>
      <p class="muted small">Shows what a user without the permission to see secrets sees. Your text is not stored.</p>
      <label class="field-label" for="try-text">Text or JSON</label>
      <textarea
        id="try-text"
        class="input area mono"
        rows="9"
        spellcheck=${false}
        autocomplete="off"
        placeholder="Paste a payload, a line of a log, an error message …"
        value=${text}
        onInput=${(event) => setText(event.currentTarget.value)}
      ></textarea>
      ${text === "" && html`
        <button type="button" class="link try-example" onClick=${() => setText(EXAMPLE)}>Use an example</button>
      `}
      ${json !== undefined && html`
        <div class="try-where">
          <${Choice}
            label="Where it is shown"
            value=${details}
            options=${[
              [false, "In an export"],
              [true, "In a run's details"],
            ]}
            onChange=${setDetails}
          />
          <span class="muted small">
            ${details ? "Details are masked by names: of fields, and inside texts." : "Exports are masked by names and values."}
          </span>
        </div>
      `}
      <${Result} text=${text} masked=${masked} busy=${busy} error=${error} ofRules=${ofRules} />
    </section>
  `;
}

function Choice({ label, value, options, onChange }) {
  return html`
    <div class="segments" role="group" aria-label=${label}>
      ${options.map(([option, text]) => html`
        <button
          key=${text}
          type="button"
          class="segment"
          aria-pressed=${String(option === value)}
          onClick=${() => onChange(option)}
        >
          ${text}
        </button>
      `)}
    </div>
  `;
}

/** Sends a request when typing pauses; late responses are ignored. */
function useTrial(value, settings) {
  const [result, setResult] = useState(NOTHING);
  const key = JSON.stringify([value, settings]);
  useEffect(() => {
    if (typeof value === "string" && value.trim() === "") {
      setResult(NOTHING);
      return undefined;
    }
    const controller = new AbortController();
    setResult((old) => ({ ...old, busy: true }));
    const timer = setTimeout(() => {
      post(PATH, settings ? { value, settings } : { value }, { signal: controller.signal }).then(
        ({ masked }) => setResult({ masked, error: null, busy: false }),
        (error) => controller.signal.aborted || setResult({ masked: undefined, error, busy: false }),
      );
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [key]);
  return result;
}

function Result({ text, masked, busy, error, ofRules }) {
  if (error) {
    if (ofRules) return html`<p class="form-error">A rule is not valid. Correct the marked field.</p>`;
    return error.status === 404
      ? html`<p class="muted">This server does not support trying masking.</p>`
      : html`<${FormError} error=${error} />`;
  }
  if (masked === undefined) {
    return html`<p class="muted try-empty">${text.trim() ? "…" : "The result appears here."}</p>`;
  }
  const shown = typeof masked === "string" ? masked : JSON.stringify(masked, null, 2);
  const parts = shown.split(MASK);
  return html`
    <div class="try-result" aria-busy=${String(busy)}>
      <p class="field-label" role="status">${summary(parts)}</p>
      <pre tabindex="0" aria-label="Masked text">
        <code>
          ${parts.map((part, index) =>
            index % 2 ? html`<mark key=${index}>${visible(part)}</mark>` : visibleLines(part),
          )}
        </code>
      </pre>
    </div>
  `;
}

/** The number of masked values, and their rules. */
function summary(parts) {
  const rules = new Map();
  for (const part of parts.filter((_, index) => index % 2)) {
    const name = part.slice("[REDACTED:".length, -1);
    rules.set(name, (rules.get(name) ?? 0) + 1);
  }
  const count = [...rules.values()].reduce((sum, number) => sum + number, 0);
  if (count === 0) return "Nothing is masked";
  const nameOf = ([name, number]) => (number > 1 ? `${visible(name)} ×${formatCount(number)}` : visible(name));
  return `${plural(count, "value")} masked: ${[...rules].map(nameOf).join(", ")}`;
}
