// Owns the fields of one custom role.
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../ui/html.js";
import { Button, Field } from "../ui/controls.js";
import { visible } from "../ui/visible.js";
import { permissionText } from "./access.js";
import { errorAt, parameterOf } from "./forms.js";

/**
 * @param {{role: Object, index: number, all: string[], had: string[], error: ?Error, session: Object,
 *   onChange: (change: Object) => void, onRemove: () => void}} props
 *   `had` are the stored permissions: callers can keep them without having them
 */
export function RoleCard({ role, index, all, had, error, session, onChange, onRemove }) {
  const id = `role-${role.key}`;
  const name = useRef(null);
  useLayoutEffect(() => {
    if (role.isNew && role.name === "") name.current.focus();
  }, []);
  const at = (member) => errorAt(error, `roles[${index}].${member}`);
  // The error of one permission, or of the whole list.
  const permissionsError =
    error && parameterOf(error).startsWith(`roles[${index}].permissions`) ? errorAt(error, parameterOf(error)) : null;
  const toggle = (permission) =>
    onChange({
      permissions: all.filter((name) =>
        name === permission ? !role.permissions.includes(name) : role.permissions.includes(name),
      ),
    });
  const title = visible(role.name) || "new role";
  return html`
    <section class="card role-card" aria-label=${`Role ${title}`}>
      <div class="role-head">
        <${Field} id=${`${id}-name`} label="Name" error=${at("name")}>
          <input
            ref=${name}
            id=${`${id}-name`}
            class="input mono"
            value=${role.name}
            autocomplete="off"
            spellcheck=${false}
            aria-describedby=${`${id}-name-note`}
            aria-invalid=${at("name") ? "true" : null}
            onInput=${(event) => onChange({ name: event.currentTarget.value })}
          />
        <//>
        <${Field} id=${`${id}-description`} label="Description" error=${at("description")}>
          <input
            id=${`${id}-description`}
            class="input"
            value=${role.description}
            autocomplete="off"
            aria-describedby=${`${id}-description-note`}
            aria-invalid=${at("description") ? "true" : null}
            onInput=${(event) => onChange({ description: event.currentTarget.value })}
          />
        <//>
        <${Button} kind="quiet" class="role-remove" aria-label=${`Remove ${title}`} onClick=${onRemove}>Remove<//>
      </div>
      <fieldset class="permissions" aria-describedby=${`${id}-permissions-note`}>
        <legend class="field-label">Permissions</legend>
        ${all.map((permission) => html`
          <${Permission}
            key=${permission}
            permission=${permission}
            checked=${role.permissions.includes(permission)}
            allowed=${session.can(permission) || had.includes(permission)}
            bad=${Boolean(permissionsError)}
            onToggle=${() => toggle(permission)}
          />
        `)}
        <div id=${`${id}-permissions-note`} class="field-bad">
          <div class="field-note" role=${permissionsError ? "alert" : null}>${permissionsError}</div>
        </div>
      </fieldset>
    </section>
  `;
}

function Permission({ permission, checked, allowed, bad, onToggle }) {
  const { name, note } = permissionText(permission);
  return html`
    <label class="choice" title=${allowed ? permission : "You cannot grant a permission that you do not have"}>
      <input
        type="checkbox"
        checked=${checked}
        disabled=${!allowed && !checked}
        aria-invalid=${bad ? "true" : null}
        onChange=${onToggle}
      />
      <span>
        <b>${name}</b>${" "}
        <span class="muted small">${allowed ? note : "You do not have this permission"}</span>
      </span>
    </label>
  `;
}
