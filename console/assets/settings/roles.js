// Owns the roles section of Settings: the built-in roles, and the team's custom roles, which are
// read, changed and saved together.
import { useEffect, useState } from "preact/hooks";
import { get, put } from "../api.js";
import { config, limits, tokenDelay } from "../config.js";
import { plural } from "../format.js";
import { usePoll } from "../poll.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button } from "../ui/controls.js";
import { ErrorState, Loading } from "../ui/states.js";
import { RelativeTime } from "../ui/time.js";
import { toast } from "../ui/toast.js";
import { visible } from "../ui/visible.js";
import { permissionText } from "./access.js";
import { draftOf, FormError, SaveBar, useFocusOnError, useKeptDraft, useUnsavedQuestion } from "./forms.js";
import { Conflict } from "./conflict.js";
import { RoleCard } from "./role-card.js";

let nextKey = 1;

/** Roles with a key each, so that fields keep their identity when a role is removed. */
const keyed = (roles) =>
  roles.map((role) => ({
    key: nextKey++,
    name: role.name,
    description: role.description ?? "",
    permissions: role.permissions,
  }));

const formOf = ({ roles, updatedAt }) => ({ roles: keyed(roles), updatedAt });

const bodyOf = (roles) =>
  roles.map(({ name, description, permissions }) => ({
    name: name.trim(),
    permissions,
    ...(description.trim() ? { description: description.trim() } : {}),
  }));

const same = (one, other) => JSON.stringify(bodyOf(one)) === JSON.stringify(bodyOf(other));

/** @param {{session: import("../session.js").Session}} props */
export default function Roles({ session }) {
  const stored = usePoll((signal) => get("api/roles", { signal }), "roles", { intervalMs: 0 });
  const [answer, setAnswer] = useState(null);
  useEffect(() => {
    if (stored.data) setAnswer(stored.data);
  }, [stored.data]);
  if (!answer) {
    return stored.error
      ? html`<${ErrorState} error=${stored.error} retryAt=${stored.retryAt} onRetry=${stored.reload} />`
      : html`<${Loading} rows=${6} label="Loading roles" />`;
  }
  return html`
    <${Matrix} answer=${answer} />
    <${OwnRoles} answer=${answer} session=${session} onAnswer=${setAnswer} />
  `;
}

/** The permissions of all roles as a table. */
function Matrix({ answer }) {
  const roles = [...answer.builtInRoles, ...answer.roles];
  return html`
    <header class="section-head">
      <div>
        <h2>Permissions by role</h2>
        <p class="muted">
          Every team has the roles ${answer.builtInRoles.map(({ name }) => name).join(", ")}. They cannot be
          changed.
        </p>
      </div>
    </header>
    <div class="card scroll" tabindex="0" role="region" aria-label="Permissions of the roles, table">
      <table class="grid matrix">
        <caption class="hidden">Permissions of the roles</caption>
        <thead>
          <tr>
            <th scope="col">Permission</th>
            ${roles.map(({ name }) => html`
              <th key=${name} scope="col" class="mid">
                <bdi>${visible(name)}</bdi>
              </th>
            `)}
          </tr>
        </thead>
        <tbody>
          ${config().permissions.map((permission) => html`
            <tr key=${permission}>
              <th scope="row">
                <span title=${permission}>${permissionText(permission).name}</span>${" "}
                <span class="muted small">${permissionText(permission).note}</span>
              </th>
              ${roles.map((role) => html`
                <td key=${role.name} class="mid">
                  ${role.permissions.includes(permission)
                    ? html`
                      <span class="status-completed yes">
                        <${Icon} name="check" />
                      </span>
                      <span class="hidden">yes</span>
                    `
                    : html`
                      <span class="none" aria-hidden="true">·</span>
                      <span class="hidden">no</span>
                    `}
                </td>
              `)}
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}

function OwnRoles({ answer, session, onAnswer }) {
  const key = `roles ${session.caller.teamId}`;
  // `updatedAt` belongs to the roles from which the form was filled. It detects conflicts.
  const [form, setForm] = useState(() => draftOf(key) ?? formOf(answer));
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const element = useFocusOnError(error);
  const { roles } = form;
  const dirty = !same(roles, formOf(answer).roles);
  useKeptDraft(key, dirty, form);
  const change = (next) => setForm((old) => ({ ...old, roles: next }));
  const take = (next) => {
    onAnswer(next);
    setForm(formOf(next));
    setError(null);
  };
  const discard = () => take(answer);
  const question = useUnsavedQuestion(dirty, discard);
  const save = async (updatedAt = form.updatedAt) => {
    setBusy(true);
    setError(null);
    try {
      const stored = await put("api/roles", { roles: bodyOf(roles), updatedAt });
      onAnswer(stored);
      // Text that was typed while saving stays as an unsaved change.
      setForm((old) => (same(old.roles, roles) ? formOf(stored) : { ...old, updatedAt: stored.updatedAt }));
      toast(`The roles are saved. They take effect everywhere ${tokenDelay()}.`);
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const add = () =>
    change([...roles, { key: nextKey++, name: "", description: "", permissions: ["EXECUTIONS_READ"], isNew: true }]);
  return html`
    <header class="section-head">
      <div>
        <h2>Custom roles</h2>
        <p class="muted">
          ${answer.updatedAt
            ? html`
              Changed <${RelativeTime} at=${answer.updatedAt} /> by${" "}
              <bdi>${visible(answer.updatedBy)}</bdi>.
            `
            : "Your team has no custom roles yet."}
        </p>
      </div>
      <${Button} onClick=${add} disabled=${roles.length >= limits().roles}>Add a role<//>
    </header>
    <div ref=${element} class="role-cards">
      ${roles.length === 0 && html`
        <p class="muted">
          Add a role if the built-in roles do not fit, for example an auditor who reads runs and the audit but
          cannot export.
        </p>
      `}
      ${roles.map((role, index) => html`
        <${RoleCard}
          key=${role.key}
          role=${role}
          index=${index}
          all=${config().permissions}
          error=${error}
          session=${session}
          had=${answer.roles.find(({ name }) => name === role.name)?.permissions ?? []}
          onChange=${(next) => change(roles.map((other) => (other.key === role.key ? { ...role, ...next } : other)))}
          onRemove=${() => {
            change(roles.filter((other) => other.key !== role.key));
            setError(null);
          }}
        />
      `)}
    </div>
    <${RemovedRoles} before=${answer.roles} roles=${roles} />
    ${error?.status === 409
      ? html`
        <${Conflict}
          what="roles"
          path="api/roles"
          differences=${(theirs) => differences(theirs.roles, bodyOf(roles))}
          onTheirs=${take}
          onMine=${(theirs) => {
            onAnswer(theirs);
            save(theirs.updatedAt);
          }}
        />
      `
      : html`
        <${FormError}
          error=${error}
          placed=${(parameter) => /^roles\[\d+\]\.(name|description|permissions)/.test(parameter)}
        >
          ${error?.status === 403 && html`<p>You cannot grant a permission that you do not have.</p>`}
        <//>
      `}
    ${(roles.length > 0 || dirty) && html`
      <${SaveBar} dirty=${dirty} busy=${busy} onSave=${() => save()} onReset=${discard}>
        ${plural(roles.length, "custom role")}
      <//>
    `}
    ${question}
  `;
}

/** Removed roles, which tokens may still have. */
function RemovedRoles({ before, roles }) {
  const gone = before.filter(({ name }) => !roles.some((role) => role.name.trim() === name)).map(({ name }) => name);
  if (gone.length === 0) return null;
  return html`
    <p class="notice" role="status">
      After you save, tokens with the role ${gone.map(visible).join(", ")} have no permissions.
    </p>
  `;
}

function differences(theirs, mine) {
  const texts = [];
  for (const role of theirs) {
    const own = mine.find(({ name }) => name === role.name);
    if (!own) texts.push(`${role.name} is only in their version.`);
    else if ([...own.permissions].sort().join() !== [...role.permissions].sort().join()) {
      texts.push(
        `${role.name}: their version has ${role.permissions.join(", ")}; ` +
          `yours has ${own.permissions.join(", ") || "none"}.`,
      );
    } else if ((own.description ?? "") !== (role.description ?? "")) {
      texts.push(`${role.name} has a different description.`);
    }
  }
  for (const { name } of mine) {
    if (!theirs.some((role) => role.name === name)) texts.push(`${name} is only in your version.`);
  }
  return texts;
}
