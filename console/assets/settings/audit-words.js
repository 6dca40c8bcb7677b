// Owns the texts of the audit.
import { config } from "../config.js";

/** Titles; an action without an entry is shown by its name. */
const TITLES = {
  EXECUTION_CANCELLED: "Run cancelled",
  EXECUTION_DELETED: "Run deleted",
  FLOW_EXECUTIONS_DELETED: "Runs of a flow deleted",
  EXECUTIONS_EXPORTED: "Runs exported",
  EXECUTION_REVEALED: "Secrets viewed",
  TOKEN_CREATED: "Token created",
  TOKEN_REVOKED: "Token revoked",
  ROLES_CHANGED: "Roles changed",
  MASKING_CHANGED: "Masking changed",
  RETENTION_CHANGED: "Retention changed",
  STALLED_CHANGED: "Stalled runs changed",
  PROFILES_CHANGED: "Trace profiles changed",
  EXECUTION_PINNED: "Run pinned",
  EXECUTION_UNPINNED: "Run unpinned",
};

/** The actions of the API, as options. */
export const actionOptions = () => config().auditActions.map((value) => ({ value, label: actionText(value) }));

/** @param {string} action */
export const actionText = (action) => TITLES[action] ?? action;

const OUTCOMES = {
  DONE: "Completed.",
  FAILED: "Failed. Nothing was changed.",
  STARTED: "Started. It is still running, or its end was not recorded.",
};

/** @param {string} outcome */
export const outcomeText = (outcome) => OUTCOMES[outcome] ?? outcome;

/** `deletedCount` is "Deleted count". @param {string} name */
export function detailText(name) {
  const words = name.replace(/([A-Z])/g, " $1").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
