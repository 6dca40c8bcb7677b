// Owns the words of the audit for people.

/** The actions of the API. */
export const ACTIONS = {
  EXECUTION_CANCELLED: "Run cancelled", EXECUTION_DELETED: "Run deleted", FLOW_EXECUTIONS_DELETED: "Runs of a flow deleted",
  EXECUTIONS_EXPORTED: "Runs exported", EXECUTION_REVEALED: "Secrets seen", TOKEN_CREATED: "Token made",
  TOKEN_REVOKED: "Token revoked", ROLES_CHANGED: "Roles changed", MASKING_CHANGED: "Masking changed",
  RETENTION_CHANGED: "Retention changed",
  STALLED_CHANGED: "Stalled runs changed", EXECUTION_PINNED: "Run pinned", EXECUTION_UNPINNED: "Run unpinned",
};

/** @param {string} action */
export const actionText = (action) => ACTIONS[action] ?? action;

const OUTCOMES = {
  DONE: "It was done.",
  FAILED: "It is certain that nothing was done.",
  STARTED: "It was begun; its end was not seen, or it goes on by itself.",
};

/** @param {string} outcome */
export const outcomeText = (outcome) => OUTCOMES[outcome] ?? outcome;

/** `deletedCount` is "Deleted count". @param {string} name */
export function detailText(name) {
  const words = name.replace(/([A-Z])/g, " $1").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
