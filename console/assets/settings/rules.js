// Owns the sections of Settings that are a list of rules, which are read, changed and saved
// together. It reports conflicts with other users' changes. Retention and stalled runs define their
// rules.
import { useEffect, useState } from "preact/hooks";
import { get, put } from "../api.js";
import { limits, settingsDelay } from "../config.js";
import { plural } from "../format.js";
import { usePoll } from "../poll.js";
import { learnSuggestions, recentRunsNote, suggestions } from "../runs/data.js";
import { html } from "../ui/html.js";
import { Combobox } from "../ui/combobox.js";
import { Button } from "../ui/controls.js";
import { EmptyState, ErrorState, Loading } from "../ui/states.js";
import { RelativeTime } from "../ui/time.js";
import { toast } from "../ui/toast.js";
import { visible } from "../ui/visible.js";
import { Conflict } from "./conflict.js";
import { draftOf, errorAt, FormError, SaveBar, useFocusOnError, useKeptDraft, useUnsavedQuestion } from "./forms.js";

let nextKey = 1;

/**
 * @typedef {{id: string, path: string, title: string, intro: string, empty: {title: string, text: string},
 *   saved: () => string, newRow: () => Object, rowOf: (rule: Object) => Object, ruleOf: (row: Object) => Object,
 *   problemOf: (row: Object) => ?{member: string, reason: string}, lineOf: (rule: Object) => string,
 *   Fields: Function}} Kind a row is a rule in the form;
 *   `problemOf` returns what cannot be sent; `lineOf` returns a rule as text; `Fields` renders the specific fields
 *   of a row from {row, number, at, set}, where `at` returns the error of a member
 * @param {{kind: Kind, session: import("../session.js").Session}} props
 */
export function RulesPage({ kind, session }) {
  const stored = usePoll((signal) => get(kind.path, { signal }), kind.id, { intervalMs: 0 });
  const [answer, setAnswer] = useState(null);
  useEffect(() => {
    if (stored.data) setAnswer(stored.data);
  }, [stored.data]);
  if (!answer) {
    return stored.error
      ? html`<${ErrorState} error=${stored.error} retryAt=${stored.retryAt} onRetry=${stored.reload} />`
      : html`<${Loading} rows=${6} label=${`Loading ${kind.title.toLowerCase()}`} />`;
  }
  return html`<${Form} kind=${kind} answer=${answer} session=${session} onAnswer=${setAnswer} />`;
}

const formOf = (kind, { rules, updatedAt }) => ({
  rows: rules.map((rule) => ({ key: nextKey++, ...kind.rowOf(rule) })),
  updatedAt,
});

const same = (one, other) =>
  JSON.stringify(one.map(({ key, ...row }) => row)) === JSON.stringify(other.map(({ key, ...row }) => row));

function Form({ kind, answer, session, onAnswer }) {
  const key = `${kind.id} ${session.caller.teamId}`;
  // `updatedAt` belongs to the rules from which the form was filled. It detects conflicts.
  const [form, setForm] = useState(() => draftOf(key) ?? formOf(kind, answer));
  const { rows } = form;
  const dirty = !same(rows, formOf(kind, answer).rows);
  useKeptDraft(key, dirty, form);
  const take = (next) => {
    onAnswer(next);
    setForm(formOf(kind, next));
    saving.setError(null);
  };
  const saving = useSaving(kind, form, (stored) => {
    onAnswer(stored);
    // Text that was typed while saving stays as an unsaved change.
    setForm((old) => (same(old.rows, rows) ? formOf(kind, stored) : { ...old, updatedAt: stored.updatedAt }));
  });
  const discard = () => take(answer);
  const question = useUnsavedQuestion(dirty, discard);
  const element = useFocusOnError(saving.error);
  const change = (next) => {
    setForm((old) => ({ ...old, rows: next(old.rows) }));
    if (!(saving.error?.status >= 409)) saving.setError(null);
  };
  const add = () => change((old) => [...old, { key: nextKey++, ...kind.newRow() }]);
  const { error } = saving;
  return html`
    <header class="section-head">
      <div>
        <h2>${kind.title}</h2>
        <p class="muted">
          ${kind.intro}${" "}
          ${answer.updatedAt && html`
            Changed <${RelativeTime} at=${answer.updatedAt} /> by${" "}
            <bdi>${visible(answer.updatedBy)}</bdi>.
          `}
        </p>
      </div>
      <${Button} onClick=${add} disabled=${rows.length >= limits().rules}>Add a rule<//>
    </header>
    ${rows.length === 0 && html`
      <${EmptyState} icon="inbox" title=${kind.empty.title}>
        <p>${kind.empty.text}</p>
      <//>
    `}
    <ol ref=${element} class="rules" aria-label="Rules">
      ${rows.map((row, index) => html`
        <${Rule}
          key=${row.key}
          kind=${kind}
          row=${row}
          number=${index + 1}
          error=${error}
          only=${session.caller.flows}
          onSet=${(part) =>
            change((old) => old.map((other) => (other.key === row.key ? { ...other, ...part } : other)))}
          onRemove=${() => change((old) => old.filter((other) => other.key !== row.key))}
        />
      `)}
    </ol>
    ${error?.status === 409
      ? html`
        <${Conflict}
          what=${kind.title.toLowerCase()}
          path=${kind.path}
          differences=${(theirs) => differences(kind, theirs.rules, rows.map(kind.ruleOf))}
          onTheirs=${take}
          onMine=${(theirs) => {
            onAnswer(theirs);
            saving.save(theirs.updatedAt);
          }}
        />
      `
      : html`<${FormError} error=${error} placed=${(parameter) => /^rules\[\d+\]/.test(parameter)} />`}
    ${(rows.length > 0 || dirty) && html`
      <${SaveBar} dirty=${dirty} busy=${saving.busy} onSave=${() => saving.save()} onReset=${discard}>
        ${plural(rows.length, "rule")}. Changes take effect everywhere ${settingsDelay()}.
      <//>
    `}
    ${question}
  `;
}

function useSaving(kind, form, onSaved) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const save = async (updatedAt = form.updatedAt) => {
    setError(null);
    const at = form.rows.findIndex((row) => kind.problemOf(row));
    if (at >= 0) {
      const { member, reason } = kind.problemOf(form.rows[at]);
      return setError(Object.assign(new Error(reason), { parameter: `rules[${at}].${member}` }));
    }
    setBusy(true);
    try {
      onSaved(await put(kind.path, { rules: form.rows.map(kind.ruleOf), updatedAt }));
      toast(kind.saved());
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  return { busy, error, setError, save };
}

/** One rule: its flow, its specific fields, and a button to remove it. */
function Rule({ kind, row, number, error, only, onSet, onRemove }) {
  const [, redraw] = useState(0);
  const learn = () =>
    learnSuggestions(only ? only[0] : null).then(
      () => redraw((count) => count + 1),
      () => {},
    );
  const place = `rules[${number - 1}]`;
  const at = (member) => errorAt(error, `${place}.${member}`);
  // The server counts rules from 0; the page counts from 1.
  const problem = (errorAt(error, place) ?? at("flowId"))?.replace(
    /rules\[(\d+)\]/,
    (_, index) => `rule ${Number(index) + 1}`,
  );
  return html`
    <li class="card rule" aria-label=${`Rule ${number}`}>
      <div class="rule-fields">
        <div class="field">
          <span class="field-label">Flow</span>
          <${Combobox}
            label=${`Flow of rule ${number}`}
            placeholder="All flows"
            value=${row.flow}
            options=${suggestions(only).flows}
            note=${recentRunsNote()}
            onOpen=${learn}
            onChange=${(flow) => onSet({ flow })}
          />
        </div>
        <${kind.Fields} row=${row} number=${number} at=${at} set=${onSet} />
        <${Button} kind="quiet" class="rule-remove" aria-label=${`Remove rule ${number}`} onClick=${onRemove}>Remove<//>
      </div>
      ${problem && html`
        <div class="field-bad">
          <div class="field-note" role="alert">${problem}</div>
        </div>
      `}
    </li>
  `;
}

function differences(kind, theirs, mine) {
  const [other, own] = [theirs, mine].map((rules) => rules.map(kind.lineOf));
  return [
    ...other.filter((line) => !own.includes(line)).map((line) => `Only in their version: ${line}`),
    ...own.filter((line) => !other.includes(line)).map((line) => `Only in your version: ${line}`),
  ];
}
