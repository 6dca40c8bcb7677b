// Owns the words for permissions, and whether a caller may open a part of Settings.

/** The parts, in order. `whole`: not for tokens that are limited to flows. */
export const SECTIONS = [
  { id: "tokens", label: "Tokens", permission: "TOKENS_MANAGE", whole: true },
  { id: "roles", label: "Roles", permission: "TOKENS_MANAGE", whole: true },
  { id: "masking", label: "Masking", permission: "SETTINGS_MANAGE", whole: false },
  { id: "audit", label: "Audit", permission: "AUDIT_READ", whole: true },
];

/** @param {Object} section @param {import("../session.js").Session} session */
export function mayOpen(section, session) {
  return session.can(section.permission) && !(section.whole && session.caller.flows);
}

const PERMISSIONS = {
  EXECUTIONS_READ: ["Read runs", "Lists, details and statistics"],
  EXECUTIONS_REVEAL: ["See secrets", "Values that are masked for others; each look is in the audit"],
  EXECUTIONS_EXPORT: ["Export", "Take runs along as a file, masked"],
  EXECUTIONS_WRITE: ["Write runs", "By exporters of OpenTelemetry traces"],
  EXECUTIONS_CANCEL: ["Cancel runs", "And their sub-flows"],
  EXECUTIONS_PIN: ["Pin runs", "Against the team's retention"],
  EXECUTIONS_DELETE: ["Delete runs", "For good, also all of a flow"],
  TOKENS_MANAGE: ["Manage access", "Make and revoke tokens, change roles"],
  SETTINGS_MANAGE: ["Manage settings", "What is masked, how long runs are kept, when they are stalled"],
  AUDIT_READ: ["Read the audit", "Who did what"],
};

/** For people: name and what it allows. @param {string} permission */
export function permissionText(permission) {
  const [name, note] = PERMISSIONS[permission] ?? [permission, ""];
  return { name, note };
}
