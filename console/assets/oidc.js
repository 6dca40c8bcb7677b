// Owns this tab's memory of a sign-in at an OpenID Connect issuer: the secrets of a sign-in in
// progress, and what the issuer returned with the ID token.
import { ApiError } from "./api.js";
import { readConfig } from "./config.js";
import { now } from "./format.js";

const IN_PROGRESS = "flowtrail.sign-in";
const GRANT = "flowtrail.grant";
/** The time between a failed renewal and the next attempt while the token is still valid. */
const RETRY_MS = 10_000;

/** The renewal in progress. @type {?Promise<void>} */
let renewing = null;

const protocol = () =>
  import("./oidc-protocol.js").catch(() => {
    throw new ApiError("The server cannot be reached.", { code: "NETWORK", status: 0 });
  });

/**
 * The settings for signing in at an issuer, or null.
 * @returns {Promise<?import("./oidc-protocol.js").Settings>}
 */
export async function signInSettings() {
  const { oidc } = await readConfig();
  return oidc ?? null;
}

/** Opens the issuer's page, which returns here. @param {import("./oidc-protocol.js").Settings} settings */
export async function openIssuer(settings) {
  const { authorization } = await protocol();
  const { url, secrets } = await authorization(settings);
  write(IN_PROGRESS, { ...secrets, place: location.hash });
  location.assign(url);
}

/**
 * Reads an issuer's answer, removes it from the address immediately, and restores the page that was
 * requested before the sign-in.
 * @returns {?{parameters: URLSearchParams, started: ?Object}}
 *   `started` is null if this tab did not start the sign-in
 */
export function readAnswer() {
  const parameters = new URLSearchParams(location.search);
  if (!parameters.has("code") && !parameters.has("error")) return null;
  const started = read(IN_PROGRESS);
  sessionStorage.removeItem(IN_PROGRESS);
  const isOwn = started !== null && started.state === parameters.get("state");
  history.replaceState(null, "", location.pathname + (isOwn ? started.place : location.hash));
  return { parameters, started: isOwn ? started : null };
}

/**
 * Exchanges the issuer's answer for tokens. Throws an ApiError with the reason if that fails.
 * @returns {Promise<import("./oidc-protocol.js").Given>}
 */
export async function redeem({ parameters, started }) {
  // The response also sets the server's time, with which the ID token is checked.
  const settings = await signInSettings();
  if (!settings || !started) {
    throw new ApiError("This sign-in was not started in this tab, or it is over. Sign in again.", {
      code: "SIGN_IN_REFUSED",
      status: 401,
    });
  }
  const { exchange } = await protocol();
  return exchange(settings, parameters, started);
}

/**
 * What belongs to the ID token; null for other ways to sign in.
 * @returns {?import("./oidc-protocol.js").Grant}
 */
export const currentGrant = () => read(GRANT);

/** @param {?import("./oidc-protocol.js").Grant} grant null removes it */
export const storeGrant = (grant) => write(GRANT, grant);

/**
 * Runs work that copies this tab's memory into another tab, without the refresh token: an issuer
 * treats a refresh token that is used twice as stolen, and ends both sessions.
 * @template T @param {() => T} work
 * @returns {T}
 */
export function withoutRefreshToken(work) {
  const grant = currentGrant();
  if (!grant?.refreshToken) return work();
  storeGrant({ ...grant, refreshToken: null });
  try {
    return work();
  } finally {
    storeGrant(grant);
  }
}

/**
 * Renews the ID token shortly before it expires. Requests wait for the renewal only after the token
 * has expired.
 * @param {(given: import("./oidc-protocol.js").Given) => void} onRenewed
 */
export async function renewWhenDue(onRenewed) {
  const grant = currentGrant();
  if (!grant?.refreshToken || now() < Math.min(grant.renewAt, grant.expiresAt)) return;
  renewing ??= renew(grant, onRenewed).finally(() => {
    renewing = null;
  });
  const settled = renewing.catch((error) => error);
  if (now() < grant.expiresAt) return;
  const error = await settled;
  // If the refusal is final, the API refuses the token too, which ends the session.
  if (error?.transient) throw error;
}

/** Renews once. After a failure the grant is kept for the next attempt. */
async function renew(grant, onRenewed) {
  const isStillHeld = () => currentGrant()?.refreshToken === grant.refreshToken;
  try {
    // The response also sets the server's time, with which the new token is checked.
    await signInSettings();
    const renewed = await (await protocol()).renew(grant);
    if (isStillHeld()) onRenewed(renewed);
  } catch (error) {
    const later = error.isFinal ? { refreshToken: null } : { renewAt: now() + RETRY_MS };
    if (isStillHeld()) storeGrant({ ...grant, ...later });
    throw error;
  }
}

function read(key) {
  return JSON.parse(sessionStorage.getItem(key) ?? "null");
}

function write(key, value) {
  if (value === null) sessionStorage.removeItem(key);
  else sessionStorage.setItem(key, JSON.stringify(value));
}
