// Owns the session: the token, which is kept for this tab only, and the authenticated caller. The
// token was pasted, was exchanged for the code of a sign-in link, or is the ID token of an issuer.
// When the server refuses it later, the session ends but the address stays, so that signing in
// again returns to the same page.
import { useEffect, useState } from "preact/hooks";
import { get, post, setToken, watchToken } from "./api.js";
import { loadConfig } from "./config.js";
import { currentGrant, storeGrant, redeem, renewWhenDue, readAnswer } from "./oidc.js";

const KEY = "flowtrail.token";
const OLD_LINK =
  "This sign-in link is from an earlier version and no longer works. Get a new link with: flowtrail sign-in";
const listeners = new Set();
/** The code of a sign-in link, until it is known whether this tab has a session. @type {?string} */
let waitingCode = null;
/** The team of the last session. @type {?string} */
let team = null;

/**
 * @typedef {{teamId: string, principal: string, permissions: string[], flows: ?string[]}} Caller
 * @typedef {{state: "starting"|"signed-out"|"signed-in"|"unreachable", caller: ?Caller, notice: ?string,
 *   endSessionUrl: ?string, error: ?Error, offeredCode: ?string, can: (permission: string) => boolean}} Session
 *   `offeredCode` is the code of a sign-in link that could replace the session
 */

/** @type {Session} */
let session = make({ state: "starting" });

function make(members) {
  const caller = members.caller ?? null;
  return {
    caller: null,
    notice: null,
    endSessionUrl: null,
    error: null,
    offeredCode: null,
    ...members,
    can: (permission) => Boolean(caller?.permissions.includes(permission)),
  };
}

function become(members) {
  session = make(members);
  for (const listener of listeners) listener(session);
}

/** The current session; re-renders when it changes. @returns {Session} */
export function useSession() {
  const [value, setValue] = useState(session);
  useEffect(() => {
    listeners.add(setValue);
    setValue(session);
    return () => listeners.delete(setValue);
  }, []);
  return value;
}

/**
 * Reads a sign-in link, such as `flowtrail serve` prints, and removes it from the address
 * immediately.
 * @param {string} place the hash that replaces it
 * @returns {?{code: ?string}} the code is null in a link from an earlier version
 */
function readLink(place) {
  if (!/^#\/sign-in(\?|$)/.test(location.hash)) return null;
  const code = location.hash.match(/^#\/sign-in\?code=([\w-]{1,128})$/)?.[1] ?? null;
  const isLink = location.hash.includes("=");
  history.replaceState(null, "", place);
  return isLink ? { code } : null;
}

/** Continues with the issuer's answer, this tab's token, or a sign-in link. */
export function resumeSession() {
  const link = readLink("#/runs");
  const answer = readAnswer();
  const kept = sessionStorage.getItem(KEY);
  // The tab's history can contain an old answer.
  if (answer && (answer.started || !kept)) return resumeFrom(answer);
  if (link) waitingCode = link.code;
  if (!kept && link && !link.code) return become({ state: "signed-out", notice: OLD_LINK });
  return kept ? resumeWith(kept, currentGrant()) : signInWithWaitingCode();
}

/** Signs in with the waiting code if there is no session. */
async function signInWithWaitingCode() {
  const code = waitingCode;
  waitingCode = null;
  if (!code) return become({ state: "signed-out" });
  become({ state: "starting" });
  try {
    await signInWithCode(code);
  } catch (error) {
    become({ state: "signed-out", notice: error.message });
  }
}

/**
 * Signs in with the code of a sign-in link, and replaces the current session. Throws an ApiError
 * with the reason if that fails. A refused code changes nothing.
 * @param {string} code
 */
export async function signInWithCode(code) {
  const { token } = await exchange(code);
  await signIn(token);
}

async function exchange(code) {
  try {
    return await post("sign-in", { code }, { needsToken: false });
  } catch (error) {
    // The console on AWS Lambda does not support sign-in links.
    if ([404, 405].includes(error.status)) {
      error.message = "Sign-in links work only with flowtrail serve. Sign in another way.";
    }
    throw error;
  }
}

/** Keeps the session; the link stays unused. */
export function declineCode() {
  become({ ...session, offeredCode: null });
}

async function resumeFrom(answer) {
  become({ state: "starting" });
  try {
    const { idToken, grant } = await redeem(answer);
    await resumeWith(idToken, grant);
    if (session.state === "signed-out") become({ ...session, notice: notAccepted(grant) });
  } catch (error) {
    become({ state: "signed-out", notice: error.message });
  }
}

const notAccepted = (grant) =>
  `${new URL(grant.settings.issuer).host} signed you in, but Flowtrail did not accept the sign-in. ` +
  "Ask the operator of Flowtrail to look for the reason in its log.";

async function resumeWith(token, grant) {
  if (!token) return become({ state: "signed-out" });
  become({ state: "starting" });
  try {
    await signIn(token, grant);
  } catch (error) {
    if (error.status === 401) return waitingCode ? signInWithWaitingCode() : undefined;
    become({ state: "unreachable", error });
  }
}

/** Uses the token for every further request, also after a reload. */
function keep(token, grant) {
  setToken(token);
  sessionStorage.setItem(KEY, token);
  storeGrant(grant);
}

// A link that is pasted into an open console does not reload the page, and the open page stays. A
// session is never replaced without asking.
addEventListener("hashchange", (event) => {
  const before = new URL(event.oldURL).hash || "#/runs";
  // A public page would hide the sign-in.
  const isOpenPage = session.state === "signed-out" && before.startsWith("#/api");
  const link = readLink(isOpenPage ? "#/runs" : before);
  if (!link) return;
  if (session.state === "signed-in") {
    if (link.code) become({ ...session, offeredCode: link.code });
  } else if (link.code) {
    waitingCode = link.code;
    if (session.state === "signed-out") signInWithWaitingCode();
  } else if (session.state === "signed-out") become({ ...session, notice: OLD_LINK });
});

watchToken({
  whenRefused: tokenRefused,
  whenUsed: () => renewWhenDue(({ idToken, grant }) => keep(idToken, grant)),
});

/**
 * Signs in. Throws an ApiError with the reason if that fails.
 * @param {string} token
 * @param {?import("./oidc-protocol.js").Grant} [grant] what the issuer returned with an ID token
 */
export async function signIn(token, grant = null) {
  keep(token, grant);
  const [{ caller }] = await Promise.all([get("api/caller"), loadConfig()]);
  // The pages' memory still has data of the previous team.
  if (team !== null && team !== caller.teamId) return location.reload();
  team = caller.teamId;
  become({ state: "signed-in", caller, offeredCode: waitingCode });
  waitingCode = null;
}

/** Forgets the token. @param {?string} [notice] the reason, for the sign-in page */
export function signOut(notice = null) {
  const endSessionUrl = currentGrant()?.endSessionUrl ?? null;
  setToken(null);
  sessionStorage.removeItem(KEY);
  storeGrant(null);
  become({ state: "signed-out", notice, endSessionUrl });
}

function tokenRefused() {
  if (session.state === "signed-out") return signOut();
  const why = currentGrant()
    ? "Your session has ended."
    : "Your token is no longer accepted: it expired or was revoked.";
  signOut(`${why} Sign in again to return to this page.`);
}
