// Owns the masking section of Settings: the team's rules in addition to the built-in ones, the
// exceptions, and the trial of both before they are saved.
import { useEffect, useState } from "preact/hooks";
import { get, put } from "../api.js";
import { config, settingsDelay } from "../config.js";
import { formatCount } from "../format.js";
import { usePoll } from "../poll.js";
import { html } from "../ui/html.js";
import { Combobox } from "../ui/combobox.js";
import { Chip } from "../ui/controls.js";
import { ErrorState, Loading } from "../ui/states.js";
import { RelativeTime } from "../ui/time.js";
import { toast } from "../ui/toast.js";
import { visible } from "../ui/visible.js";
import { Conflict } from "./conflict.js";
import { draftOf, errorAt, FormError, SaveBar, useFocusOnError, useKeptDraft, useUnsavedQuestion } from "./forms.js";
import { fromSettings, isShown, LISTS, sameSettings, toSettings } from "./masking-form.js";
import { RowList } from "./masking-rows.js";

import { TryIt } from "./masking-try.js";

const PATH = "api/settings/masking";

/** @param {{session: import("../session.js").Session}} props */
export default function Masking({ session }) {
  const stored = usePoll((signal) => get(PATH, { signal }), "masking", { intervalMs: 0 });
  const [answer, setAnswer] = useState(null);
  useEffect(() => {
    if (stored.data) setAnswer(stored.data);
  }, [stored.data]);
  if (!answer) {
    return stored.error
      ? html`<${ErrorState} error=${stored.error} retryAt=${stored.retryAt} onRetry=${stored.reload} />`
      : html`<${Loading} rows=${8} label="Loading masking" />`;
  }
  return html`<${Form} answer=${answer} session=${session} onAnswer=${setAnswer} />`;
}

const stateOf = ({ settings, updatedAt }) => ({ form: fromSettings(settings), updatedAt });

function Form({ answer, session, onAnswer }) {
  const key = `masking ${session.caller.teamId}`;
  // `updatedAt` belongs to the settings from which the form was filled. It detects conflicts.
  const [{ form, updatedAt }, setState] = useState(() => draftOf(key) ?? stateOf(answer));
  const [trial, setTrial] = useState(null);
  const settings = toSettings(form);
  const dirty = !sameSettings(settings, answer.settings);
  useKeptDraft(key, dirty, { form, updatedAt });
  const change = (part) => setState((old) => ({ ...old, form: { ...old.form, ...part } }));
  // Text that was typed while saving stays as an unsaved change.
  const saving = useSaving(settings, (next) => {
    onAnswer(next);
    setState((old) => ({ ...old, updatedAt: next.updatedAt }));
  });
  const take = (next) => {
    onAnswer(next);
    setState(stateOf(next));
    saving.setError(null);
  };
  const discard = () => take(answer);
  const question = useUnsavedQuestion(dirty, discard);
  const element = useFocusOnError(saving.error);
  const error = saving.error ?? trial;
  const limited = Boolean(session.caller.flows);
  return html`
    <div class="masking">
      <div ref=${element}>
        <${Head} answer=${answer} session=${session} limited=${limited} />
        <${Groups} form=${form} error=${error} change=${change} />
        ${saving.error?.status === 409
          ? html`
            <${Conflict}
              what="masking"
              path=${PATH}
              differences=${(other) => differences(other.settings, settings)}
              onTheirs=${take}
              onMine=${(next) => {
                onAnswer(next);
                saving.save(next.updatedAt);
              }}
            />
          `
          : html`
            <${FormError} error=${saving.error} placed=${isShown}>
              ${saving.error?.status === 403 && html`
                <p>
                  To show more values, by adding exceptions or removing rules, you need the permission
                  EXECUTIONS_REVEAL.
                </p>
              `}
            <//>
          `}
        ${!limited && html`
          <${SaveBar} dirty=${dirty} busy=${saving.busy} onSave=${() => saving.save(updatedAt)} onReset=${discard}>
            Changes take effect everywhere ${settingsDelay()}.
          <//>
        `}
      </div>
      ${!limited && html`<${TryIt} settings=${settings} dirty=${dirty} onProblem=${setTrial} />`}
      ${question}
    </div>
  `;
}

/**
 * The API saves the settings without a precondition, so the stored settings are read first to
 * detect another user's change, as for roles.
 */
function useSaving(settings, onSaved) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const save = async (updatedAt) => {
    setBusy(true);
    setError(null);
    try {
      const stored = await get(PATH);
      if (stored.updatedAt !== updatedAt) {
        throw Object.assign(new Error("Others changed masking while you were editing."), { status: 409 });
      }
      onSaved(await put(PATH, settings));
      toast(`Masking is saved. It takes effect everywhere ${settingsDelay()}.`);
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  return { busy, error, setError, save };
}

function Head({ answer, session, limited }) {
  return html`
    <header class="section-head">
      <div>
        <h2>Masking</h2>
        <p class="muted">
          ${formatCount(config().maskingRules.length)} built-in rules find credentials and personal data, also by
          names such as <code>password</code>. Add your team's rules and exceptions here.${" "}
          ${answer.updatedAt && html`
            Changed <${RelativeTime} at=${answer.updatedAt} /> by${" "}
            <bdi>${visible(answer.updatedBy)}</bdi>.
          `}
        </p>
      </div>
    </header>
    ${limited && html`
      <p class="notice">
        Your token is limited to flows. You can view these settings, but you cannot change or try them.
      </p>
    `}
    ${!limited && !session.can("EXECUTIONS_REVEAL") && html`
      <p class="notice">
        You can add rules that mask more. To show more values, you need the permission EXECUTIONS_REVEAL.
      </p>
    `}
  `;
}

function Groups({ form, error, change }) {
  const [more, seen] = [LISTS.filter(({ group }) => group === "mask"), LISTS.filter(({ group }) => group === "allow")];
  const list = (entry) => html`
    <${RowList}
      key=${entry.id}
      list=${entry}
      rows=${form[entry.id]}
      error=${error}
      onChange=${(rows) => change({ [entry.id]: rows })}
    />
  `;
  return html`
    <section class="card masking-group">
      <h3>Also masked</h3>
      ${more.map(list)}
    </section>
    <section class="card masking-group">
      <h3>Stays readable</h3>
      ${seen.map(list)}
      <${AllowedRules}
        names=${form.allowedRules}
        error=${error}
        onChange=${(allowedRules) => change({ allowedRules })}
      />
    </section>
  `;
}

function AllowedRules({ names, error, onChange }) {
  const options = config()
    .maskingRules.filter((name) => !names.includes(name))
    .map((value) => ({ value }));
  const bad = names.map((name, index) => [name, errorAt(error, `allowedRules[${index}]`)]).find(([, text]) => text);
  const add = (name) => name && !names.includes(name) && onChange([...names, name]);
  return html`
    <fieldset class="rows">
      <legend class="field-label">Disabled built-in rules</legend>
      <div class="token-flow-list">
        ${names.map((name) => html`
          <${Chip}
            key=${name}
            label=""
            value=${name}
            onRemove=${() => onChange(names.filter((other) => other !== name))}
          />
        `)}
        <${Combobox}
          key=${names.length}
          label="Disable a rule"
          placeholder="Disable a rule"
          value=""
          options=${options}
          note="Values that a disabled rule would find are visible to everyone."
          onChange=${add}
        />
      </div>
      ${bad && html`
        <div class="field-bad">
          <div class="field-note" role="alert">${visible(bad[0])}: ${bad[1]}</div>
        </div>
      `}
    </fieldset>
  `;
}

function differences(theirs, mine) {
  const lists = [...LISTS.map(({ id, label }) => [id, label]), ["allowedRules", "Disabled built-in rules"]];
  return lists.flatMap(([id, label]) => {
    const [other, own] = [theirs[id], mine[id]].map((list) =>
      (list ?? []).map((entry) => (typeof entry === "string" ? entry : `${entry.name} = ${entry.pattern}`)),
    );
    const [alone, lacking] = [
      other.filter((entry) => !own.includes(entry)),
      own.filter((entry) => !other.includes(entry)),
    ];
    return [
      alone.length && `${label}, only in their version: ${alone.join(", ")}`,
      lacking.length && `${label}, only in your version: ${lacking.join(", ")}`,
    ].filter(Boolean);
  });
}
