// Owns the dialog that creates a token: its permissions, its expiry, and its secret, which is shown
// only once.
import { useEffect, useState } from "preact/hooks";
import { get, post } from "../api.js";
import { limits } from "../config.js";
import { fromLocalInput, now, toLocalInput, ZONE } from "../format.js";
import { learnSuggestions, recentRunsNote, suggestions } from "../runs/data.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Combobox } from "../ui/combobox.js";
import { Button, Chip, CodeBlock, copyText, Field, Select } from "../ui/controls.js";
import { Dialog } from "../ui/dialog.js";
import { visible } from "../ui/visible.js";
import { permissionText } from "./access.js";
import { errorAt, FormError, parameterOf, reasonOf, useFocusOnError } from "./forms.js";

const DAY = 86_400_000;
const ENDS = [
  { value: "7", label: "In 7 days" },
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
  { value: "at", label: "At a time …" },
  { value: "never", label: "Never" },
];
const EMPTY = { name: "", role: "viewer", limited: false, flows: [], end: "90", at: "" };

/** The errors that are found before sending, by parameter; the server checks everything else. */
function problemsOf(form) {
  const problems = {};
  if (form.limited && form.flows.length === 0) problems.flows = "Choose at least one flow, or all flows.";
  const at = fromLocalInput(form.at);
  if (form.end === "at" && (!at || Date.parse(at) <= now())) problems.expiresAt = "Choose a time in the future.";
  return problems;
}

function bodyOf({ name, role, limited, flows, end, at }) {
  const body = { role };
  if (name.trim()) body.name = name.trim();
  if (limited) body.flows = flows;
  if (end === "at") body.expiresAt = fromLocalInput(at);
  else if (end !== "never") body.expiresAt = new Date(now() + Number(end) * DAY).toISOString();
  return body;
}

/**
 * @param {{session: import("../session.js").Session, onCreated: (token: Object) => void,
 *   onClose: () => void}} props
 */
export function NewToken({ session, onCreated, onClose }) {
  const [form, setForm] = useState(EMPTY);
  const [problems, setProblems] = useState({});
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const [created, setCreated] = useState(null);
  const roles = useRoles();
  const element = useFocusOnError(error ?? (Object.keys(problems).length ? problems : null));
  const set = (change) => setForm((old) => ({ ...old, ...change }));
  const submit = async (event) => {
    event.preventDefault();
    const found = problemsOf(form);
    setProblems(found);
    setError(null);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    try {
      const answer = await post("api/tokens", bodyOf(form));
      onCreated(answer.token);
      setCreated(answer);
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  if (created) return html`<${Secret} created=${created} onClose=${onClose} />`;
  const at = (parameter) => problems[parameter] ?? errorAt(error, parameter);
  return html`
    <${Dialog}
      title="New token"
      onClose=${onClose}
      actions=${html`
        <${Button} onClick=${onClose}>Cancel<//>
        <${Button} kind="primary" type="submit" form="new-token" disabled=${busy}>
          ${busy ? "Creating …" : "Create token"}
        <//>
      `}
    >
      <form id="new-token" class="stack" ref=${element} onSubmit=${submit} noValidate>
        <${Field}
          id="token-name"
          label="Name"
          hint="Who or what uses the token, for example a person or a program."
          error=${at("name")}
        >
          <input
            id="token-name"
            class="input"
            value=${form.name}
            maxlength=${limits().tokenNameLength}
            autocomplete="off"
            autofocus
            aria-describedby="token-name-note"
            aria-invalid=${at("name") ? "true" : null}
            onInput=${(event) => set({ name: event.currentTarget.value })}
          />
        <//>
        <${RoleField}
          session=${session}
          roles=${roles}
          value=${form.role}
          error=${at("role")}
          onChange=${(role) => set({ role })}
        />
        <${FlowsField} form=${form} set=${set} session=${session} error=${flowsError(error, form) ?? at("flows")} />
        <${EndField} form=${form} set=${set} error=${at("expiresAt")} />
        <${FormError} error=${error} placed=${(parameter) => /^(name|role|expiresAt|flows(\[\d+\])?)$/.test(parameter)}>
          ${error?.status === 403 && html`
            <p>You cannot grant a permission that you do not have, or an expiry after your own token's.</p>
          `}
        <//>
      </form>
    <//>
  `;
}

/** The API reports the flow by its index. */
function flowsError(error, form) {
  const place = /^flows\[(\d+)\]$/.exec(error ? parameterOf(error) : "");
  return place && `${visible(form.flows[Number(place[1])])}: ${reasonOf(error)}`;
}

function useRoles() {
  const [roles, setRoles] = useState(null);
  useEffect(() => {
    const controller = new AbortController();
    // If the roles cannot be loaded, the default role can still be chosen by its name.
    get("api/roles", { signal: controller.signal }).then(
      (answer) => setRoles([...answer.builtInRoles, ...answer.roles]),
      () => {},
    );
    return () => controller.abort();
  }, []);
  return roles ?? [{ name: "viewer", permissions: ["EXECUTIONS_READ"] }];
}

function RoleField({ session, roles, value, error, onChange }) {
  const lacks = (role) => role.permissions.filter((permission) => !session.can(permission));
  const options = roles.map((role) => ({
    value: role.name,
    label: lacks(role).length ? `${role.name} (has permissions that you do not have)` : role.name,
  }));
  const role = roles.find(({ name }) => name === value);
  const what = role?.permissions.map((permission) => permissionText(permission).name).join(", ");
  return html`
    <${Field} id="token-role" label="Role" hint=${what ? `Allows: ${what}.` : ""} error=${error}>
      <${Select} id="token-role" label="Role" value=${value} options=${options} onChange=${onChange} />
    <//>
  `;
}

function FlowsField({ form, set, session, error }) {
  const [, redraw] = useState(0);
  const learn = () =>
    learnSuggestions(null).then(
      () => redraw((count) => count + 1),
      () => {},
    );
  const options = suggestions(session.caller.flows).flows.filter(({ value }) => !form.flows.includes(value));
  const add = (flow) => flow && !form.flows.includes(flow) && set({ flows: [...form.flows, flow] });
  return html`
    <fieldset class="choices">
      <legend class="field-label">Flows</legend>
      <label class="choice">
        <input type="radio" name="token-flows" checked=${!form.limited} onChange=${() => set({ limited: false })} />
        <span>All flows of the team</span>
      </label>
      <label class="choice">
        <input type="radio" name="token-flows" checked=${form.limited} onChange=${() => set({ limited: true })} />
        <span>Only these flows</span>
      </label>
      ${form.limited && html`
        <div class="token-flow-list">
          ${form.flows.map((flow) => html`
            <${Chip}
              key=${flow}
              label=""
              value=${flow}
              onRemove=${() => set({ flows: form.flows.filter((other) => other !== flow) })}
            />
          `)}
          <${Combobox}
            key=${form.flows.length}
            label="Add a flow"
            placeholder="Add a flow"
            value=""
            options=${options}
            note=${`${recentRunsNote()} Press Enter to add it.`}
            onOpen=${learn}
            onChange=${add}
          />
        </div>
      `}
      ${error && html`
        <div class="field-bad">
          <div class="field-note" role="alert">${error}</div>
        </div>
      `}
    </fieldset>
  `;
}

function EndField({ form, set, error }) {
  const never = form.end === "never";
  return html`
    <div class="field-row">
      <${Field}
        id="token-end"
        label="Expires"
        error=${form.end === "at" ? null : error}
        hint=${never ? "Tokens that never expire are easily forgotten. Check regularly when they were last used." : ""}
      >
        <${Select}
          id="token-end"
          label="Expires"
          value=${form.end}
          options=${ENDS}
          onChange=${(end) => set({ end, at: form.at || toLocalInput(new Date(now() + 30 * DAY).toISOString()) })}
        />
      <//>
      ${form.end === "at" && html`
        <${Field} id="token-at" label="Time" error=${error} hint=${`In ${ZONE}.`}>
          <input
            id="token-at"
            class="input"
            type="datetime-local"
            value=${form.at}
            aria-describedby="token-at-note"
            aria-invalid=${error ? "true" : null}
            onInput=${(event) => set({ at: event.currentTarget.value })}
          />
        <//>
      `}
    </div>
  `;
}

/** Shows the secret, only once. Closing without copying needs a confirmation. */
function Secret({ created, onClose }) {
  const [copied, setCopied] = useState(false);
  const [asked, setAsked] = useState(false);
  const { token, secret } = created;
  const close = () => (copied || asked ? onClose() : setAsked(true));
  const copy = async () => setCopied(await copyText(secret));
  const url = new URL("api/caller", document.baseURI).href.replace(/#.*/, "");
  const example = `curl -H 'Authorization: Bearer ${secret}' \\\n  '${url}'`;
  return html`
    <${Dialog}
      title="Token created"
      onClose=${close}
      actions=${html`
        <${Button} kind=${copied || asked ? "primary" : "plain"} onClick=${close}>
          ${asked && !copied ? "Close without copying" : "Done"}
        <//>
      `}
    >
      <div class="stack">
        <p>
          This is the secret of${" "}
          <b>
            <bdi>${visible(token.name || token.id)}</bdi>
          </b>.
          It is shown <b>only once</b> and cannot be retrieved later.
        </p>
        <div class="secret">
          <input
            id="token-secret"
            class="input mono"
            readonly
            aria-label="The token's secret"
            value=${secret}
            onFocus=${(event) => event.currentTarget.select()}
          />
          <${Button} kind=${copied ? "plain" : "primary"} icon=${copied ? "check" : "copy"} onClick=${copy}>
            ${copied ? "Copied" : "Copy"}
          <//>
        </div>
        ${asked && !copied
          ? html`
            <p class="notice" role="alert">
              You have not copied the secret yet. You cannot see it again after you close this dialog.
            </p>
          `
          : html`
            <p class="muted small">
              <${Icon} name="lock" class="inline" /> Store it like a password, and never in repositories or chats.
              Everyone who has it has the permissions of the role <code>${visible(token.role)}</code>.
            </p>
          `}
        <details class="help">
          <summary>How do I use it?</summary>
          <${CodeBlock} code=${example} label="Example request" />
        </details>
      </div>
    <//>
  `;
}
