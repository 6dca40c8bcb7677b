// Owns the part of Settings with the roles: those that every team has, and the team's own,
// which are read, changed and saved together.
import { useEffect, useState } from "preact/hooks";
import { get, put } from "../api.js";
import { plural } from "../format.js";
import { usePoll } from "../poll.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button } from "../ui/controls.js";
import { ErrorState, Loading } from "../ui/states.js";
import { RelativeTime } from "../ui/time.js";
import { toast } from "../ui/toast.js";
import { permissionText } from "./access.js";
import { draftOf, FormError, SaveBar, useFocusOnError, useKeptDraft, useUnsavedQuestion } from "./forms.js";
import { Conflict } from "./conflict.js";
import { RoleCard } from "./role-card.js";

const MOST = 100;
let nextKey = 1;

/** Roles with a key each, so that a field stays the same when one before it goes. */
const keyed = (roles) => roles.map((role) => ({ key: nextKey++, name: role.name, description: role.description ?? "", permissions: role.permissions }));

const formOf = ({ roles, updatedAt }) => ({ roles: keyed(roles), updatedAt });

const bodyOf = (roles) => roles.map(({ name, description, permissions }) => ({
  name: name.trim(), permissions, ...(description.trim() ? { description: description.trim() } : {}),
}));

const same = (one, other) => JSON.stringify(bodyOf(one)) === JSON.stringify(bodyOf(other));

/** @param {{session: import("../session.js").Session}} props */
export default function Roles({ session }) {
  const stored = usePoll((signal) => get("api/roles", { signal }), "roles", { intervalMs: 0 });
  const [answer, setAnswer] = useState(null);
  useEffect(() => { if (stored.data) setAnswer(stored.data); }, [stored.data]);
  if (!answer) {
    return stored.error ? html`<${ErrorState} error=${stored.error} retryAt=${stored.retryAt} onRetry=${stored.reload} />` : html`<${Loading} rows=${6} label="Loading roles" />`;
  }
  return html`<${Matrix} answer=${answer} /><${OwnRoles} answer=${answer} session=${session} onAnswer=${setAnswer} />`;
}

/** Who may do what, at one look. */
function Matrix({ answer }) {
  const roles = [...answer.builtInRoles, ...answer.roles];
  return html`<header class="section-head"><div><h2>Who may do what</h2><p class="muted">Viewer, operator, engine and admin are there in every team and stay as they are.</p></div></header>
    <div class="card scroll" tabindex="0" role="region" aria-label="Permissions of the roles, table"><table class="grid matrix"><caption class="hidden">Permissions of the roles</caption>
      <thead><tr><th scope="col">Permission</th>${roles.map(({ name }) => html`<th key=${name} scope="col" class="mid"><bdi>${name}</bdi></th>`)}</tr></thead>
      <tbody>${answer.permissions.map((permission) => html`<tr key=${permission}><th scope="row"><span title=${permission}>${permissionText(permission).name}</span> <span class="muted small">${permissionText(permission).note}</span></th>
        ${roles.map((role) => html`<td key=${role.name} class="mid">${role.permissions.includes(permission)
          ? html`<span class="status-completed yes"><${Icon} name="check" /></span><span class="hidden">yes</span>` : html`<span class="none" aria-hidden="true">·</span><span class="hidden">no</span>`}</td>`)}</tr>`)}</tbody></table></div>`;
}

function OwnRoles({ answer, session, onAnswer }) {
  const key = `roles ${session.caller.teamId}`;
  // `updatedAt` is that of what the form was made from: by it a conflict is told.
  const [form, setForm] = useState(() => draftOf(key) ?? formOf(answer));
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const element = useFocusOnError(error);
  const { roles } = form;
  const dirty = !same(roles, formOf(answer).roles);
  useKeptDraft(key, dirty, form);
  const change = (next) => setForm((old) => ({ ...old, roles: next }));
  const take = (next) => { onAnswer(next); setForm(formOf(next)); setError(null); };
  const discard = () => take(answer);
  const question = useUnsavedQuestion(dirty, discard);
  const save = async (updatedAt = form.updatedAt) => {
    setBusy(true);
    setError(null);
    try {
      const stored = await put("api/roles", { roles: bodyOf(roles), updatedAt });
      onAnswer(stored);
      // What was typed while it was being saved stays, as a change to what is saved now.
      setForm((old) => (same(old.roles, roles) ? formOf(stored) : { ...old, updatedAt: stored.updatedAt }));
      toast("The roles are saved. They reach every token within 60 seconds.");
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const add = () => change([...roles, { key: nextKey++, name: "", description: "", permissions: ["EXECUTIONS_READ"], isNew: true }]);
  return html`<header class="section-head"><div><h2>The team's own roles</h2><p class="muted">${answer.updatedAt ? html`Changed <${RelativeTime} at=${answer.updatedAt} /> by <bdi>${answer.updatedBy}</bdi>.` : "None was defined so far."}</p></div>
      <${Button} onClick=${add} disabled=${roles.length >= MOST}>Add a role<//></header>
    <div ref=${element} class="role-cards">${roles.length === 0 && html`<p class="muted">Define a role where the four do not fit, such as an auditor who reads runs and the audit, and exports nothing.</p>`}
      ${roles.map((role, index) => html`<${RoleCard} key=${role.key} role=${role} index=${index} all=${answer.permissions} error=${error} session=${session}
        had=${answer.roles.find(({ name }) => name === role.name)?.permissions ?? []}
        onChange=${(next) => change(roles.map((other) => (other.key === role.key ? { ...role, ...next } : other)))}
        onRemove=${() => { change(roles.filter((other) => other.key !== role.key)); setError(null); }} />`)}</div>
    <${Gone} before=${answer.roles} roles=${roles} />
    ${error?.status === 409 ? html`<${Conflict} what="roles" path="api/roles" differences=${(theirs) => differences(theirs.roles, bodyOf(roles))}
        onTheirs=${take} onMine=${(theirs) => { onAnswer(theirs); save(theirs.updatedAt); }} />`
      : html`<${FormError} error=${error} placed=${(parameter) => /^roles\[\d+\]\.(name|description|permissions)/.test(parameter)}>
        ${error?.status === 403 && html`<p>A permission that a role gains has to be your own.</p>`}<//>`}
    ${(roles.length > 0 || dirty) && html`<${SaveBar} dirty=${dirty} busy=${busy} onSave=${() => save()} onReset=${discard}>${plural(roles.length, "role")} of the team's own<//>`}
    ${question}`;
}

/** Names that go, which tokens may still have. */
function Gone({ before, roles }) {
  const gone = before.filter(({ name }) => !roles.some((role) => role.name.trim() === name)).map(({ name }) => name);
  if (gone.length === 0) return null;
  return html`<p class="notice" role="status">Tokens with the role ${gone.join(", ")} may do nothing once this is saved.</p>`;
}

function differences(theirs, mine) {
  const texts = [];
  for (const role of theirs) {
    const own = mine.find(({ name }) => name === role.name);
    if (!own) texts.push(`${role.name} is theirs alone.`);
    else if ([...own.permissions].sort().join() !== [...role.permissions].sort().join()) texts.push(`${role.name}: theirs has ${role.permissions.join(", ")}; yours ${own.permissions.join(", ") || "nothing"}.`);
    else if ((own.description ?? "") !== (role.description ?? "")) texts.push(`${role.name} has another description.`);
  }
  for (const { name } of mine) if (!theirs.some((role) => role.name === name)) texts.push(`${name} is yours alone.`);
  return texts;
}
