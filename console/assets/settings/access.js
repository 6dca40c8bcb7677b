// Owns the titles of permissions, and whether a caller may open a section of Settings.

/** The sections, in order. `whole`: not for tokens that are limited to flows. */
export const SECTIONS = [
  { id: "tokens", label: "Tokens", permission: "TOKENS_MANAGE", whole: true },
  { id: "roles", label: "Roles", permission: "TOKENS_MANAGE", whole: true },
  { id: "masking", label: "Masking", permission: "SETTINGS_MANAGE", whole: false },
  { id: "retention", label: "Retention", permission: "SETTINGS_MANAGE", whole: true },
  { id: "stalled", label: "Stalled runs", permission: "SETTINGS_MANAGE", whole: true },
  { id: "audit", label: "Audit", permission: "AUDIT_READ", whole: true },
];

/** @param {Object} section @param {import("../session.js").Session} session */
export function mayOpen(section, session) {
  return session.can(section.permission) && !(section.whole && session.caller.flows);
}

/** Titles and descriptions; a permission without an entry is shown by its name. */
const TEXTS = {
  EXECUTIONS_READ: ["Read runs", "Lists, details and statistics"],
  EXECUTIONS_REVEAL: ["See secrets", "Values that are masked for others. The audit records each view."],
  EXECUTIONS_EXPORT: ["Export", "Download masked runs as a file"],
  EXECUTIONS_WRITE: ["Write runs", "For exporters of OpenTelemetry traces"],
  EXECUTIONS_CANCEL: ["Cancel runs", "Including their sub-flows"],
  EXECUTIONS_PIN: ["Pin runs", "Keep them beyond the team's retention"],
  EXECUTIONS_DELETE: ["Delete runs", "Permanently, also all runs of a flow"],
  TOKENS_MANAGE: ["Manage access", "Create and revoke tokens, change roles"],
  SETTINGS_MANAGE: ["Manage settings", "Masking, retention, stalled runs and trace profiles"],
  AUDIT_READ: ["Read the audit", "Who did what"],
};

/** The title of a permission, and what it allows. @param {string} permission */
export function permissionText(permission) {
  const [name, note] = TEXTS[permission] ?? [permission, ""];
  return { name, note };
}
