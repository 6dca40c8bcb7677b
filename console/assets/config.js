// Owns what the server tells the console in config.json: the limits of the API, the names of
// permissions, audit actions and masking rules, and how people sign in. Pages are shown only after
// it was loaded.
import { get } from "./api.js";
import { plural } from "./format.js";

/**
 * @typedef {{auditDays: number, cancelReasonLength: number, labelBytes: number, maskingEntries: number,
 *   pageSize: number, retentionDays: number, revokedTokenDays: number, roles: number, rules: number,
 *   searchedLabels: number, settingsPropagationSeconds: number, stalledMinSeconds: number,
 *   stalledMaxSeconds: number, statisticsDays: number, tokenNameLength: number,
 *   tokenPropagationSeconds: number}} Limits
 * @typedef {{limits: Limits, permissions: string[], auditActions: string[], maskingRules: string[],
 *   oidc?: import("./oidc-protocol.js").Settings}} Config
 */

/** The latest response. @type {?Config} */
let current = null;

/** Reads config.json again. The response also updates the server's time. @returns {Promise<Config>} */
export async function readConfig() {
  current = await get("config.json", { needsToken: false });
  return current;
}

/** Reads config.json unless it was already read. */
export async function loadConfig() {
  if (!current) await readConfig();
}

/** @returns {Config} */
export const config = () => current;

/** @returns {Limits} */
export const limits = () => current.limits;

/** The time until changed settings take effect, as text: within 60 seconds. */
export const settingsDelay = () => `within ${plural(limits().settingsPropagationSeconds, "second")}`;

/** The time until changed roles and revoked tokens take effect, as text. */
export const tokenDelay = () => `within ${plural(limits().tokenPropagationSeconds, "second")}`;
