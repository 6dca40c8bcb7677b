// Owns what this tab remembers of a sign-in at an OpenID Connect issuer: the secrets of one
// that is under way while the browser is there, and what came with the ID token.
import { ApiError, get } from "./api.js";
import { now } from "./format.js";

const UNDER_WAY = "flowtrail.sign-in";
const GRANT = "flowtrail.grant";
/** How long after a renewal that failed the next is tried, while the token still serves. */
const TRIED_EVERY_MS = 10_000;

/** The renewal that is under way. @type {?Promise<void>} */
let renewing = null;

const protocol = () => import("./oidc-protocol.js").catch(() => {
  throw new ApiError("The server cannot be reached.", { code: "NETWORK", status: 0 });
});

/** How people sign in at an issuer; null where they do not. @returns {Promise<?import("./oidc-protocol.js").Settings>} */
export async function signInSettings() {
  const { oidc } = await get("config.json", { asks: false });
  return oidc ?? null;
}

/** Leaves for the issuer, which leads back here. @param {import("./oidc-protocol.js").Settings} settings */
export async function leaveForIssuer(settings) {
  const { authorization } = await protocol();
  const { url, secrets } = await authorization(settings);
  write(UNDER_WAY, { ...secrets, place: location.hash });
  location.assign(url);
}

/**
 * The answer with which an issuer led here. It leaves the address at once, and the place
 * that was wanted returns.
 * @returns {?{parameters: URLSearchParams, begun: ?Object}} `begun` is null where this tab did not ask
 */
export function takeAnswer() {
  const parameters = new URLSearchParams(location.search);
  if (!parameters.has("code") && !parameters.has("error")) return null;
  const begun = read(UNDER_WAY);
  sessionStorage.removeItem(UNDER_WAY);
  const isOwn = begun !== null && begun.state === parameters.get("state");
  history.replaceState(null, "", location.pathname + (isOwn ? begun.place : location.hash));
  return { parameters, begun: isOwn ? begun : null };
}

/**
 * What the issuer gives for its answer, or the ApiError that says why nothing.
 * @returns {Promise<import("./oidc-protocol.js").Given>}
 */
export async function redeem({ parameters, begun }) {
  // Its answer also tells the server's time, by which the ID token is judged.
  const settings = await signInSettings();
  if (!settings || !begun) {
    throw new ApiError("This sign-in was not begun in this tab, or is over. Sign in again.", { code: "SIGN_IN_REFUSED", status: 401 });
  }
  const { exchange } = await protocol();
  return exchange(settings, parameters, begun);
}

/** What goes with the ID token; null for who is signed in otherwise. @returns {?import("./oidc-protocol.js").Grant} */
export const heldGrant = () => read(GRANT);

/** @param {?import("./oidc-protocol.js").Grant} grant null forgets it */
export const keepGrant = (grant) => write(GRANT, grant);

/**
 * Does what copies this tab's memory into another, and leaves the refresh token out: an
 * issuer that sees one used twice takes it for stolen, and ends the sessions of both.
 * @template T @param {() => T} work @returns {T}
 */
export function withoutRefreshToken(work) {
  const grant = heldGrant();
  if (!grant?.refreshToken) return work();
  keepGrant({ ...grant, refreshToken: null });
  try {
    return work();
  } finally {
    keepGrant(grant);
  }
}

/**
 * Renews the ID token that is about to end. Requests wait for that only once it has ended.
 * @param {(given: import("./oidc-protocol.js").Given) => void} onRenewed
 */
export async function renewWhenDue(onRenewed) {
  const grant = heldGrant();
  if (!grant?.refreshToken || now() < Math.min(grant.renewAt, grant.expiresAt)) return;
  renewing ??= renew(grant, onRenewed).finally(() => { renewing = null; });
  const settled = renewing.catch((error) => error);
  if (now() < grant.expiresAt) return;
  const error = await settled;
  // What is refused for good the API refuses as well, which ends the session.
  if (error?.transient) throw error;
}

/** Leaves the grant as it is to be tried next, where nothing comes of it. */
async function renew(grant, onRenewed) {
  const isStillHeld = () => heldGrant()?.refreshToken === grant.refreshToken;
  try {
    // Its answer also tells the server's time, by which the new token is judged.
    await signInSettings();
    const renewed = await (await protocol()).renew(grant);
    if (isStillHeld()) onRenewed(renewed);
  } catch (error) {
    const later = error.isFinal ? { refreshToken: null } : { renewAt: now() + TRIED_EVERY_MS };
    if (isStillHeld()) keepGrant({ ...grant, ...later });
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
