// Owns who is signed in: the token, for this tab's session alone, and the caller that
// the server makes of it. The token is one that was pasted, or the ID token of an issuer.
// When it is refused later on, the session ends, and the address stays, so that signing in
// again returns to the same place.
import { useEffect, useState } from "preact/hooks";
import { get, setToken, watchToken } from "./api.js";
import { heldGrant, keepGrant, redeem, renewWhenDue, takeAnswer } from "./oidc.js";

const KEY = "flowtrail.token";
const listeners = new Set();
/** The team of who was signed in last. @type {?string} */
let team = null;

/**
 * @typedef {{teamId: string, principal: string, permissions: string[], flows: ?string[]}} Caller
 * @typedef {{state: "starting"|"signed-out"|"signed-in"|"unreachable", caller: ?Caller,
 *   notice: ?string, endSessionUrl: ?string, error: ?Error, can: (permission: string) => boolean}} Session
 */

/** @type {Session} */
let session = make({ state: "starting" });

function make(members) {
  const caller = members.caller ?? null;
  return {
    caller: null, notice: null, endSessionUrl: null, error: null, ...members,
    can: (permission) => Boolean(caller?.permissions.includes(permission)),
  };
}

function become(members) {
  session = make(members);
  for (const listener of listeners) listener(session);
}

/** The present session; re-renders when it changes. @returns {Session} */
export function useSession() {
  const [value, setValue] = useState(session);
  useEffect(() => {
    listeners.add(setValue);
    setValue(session);
    return () => listeners.delete(setValue);
  }, []);
  return value;
}

/** The token of a link such as `flowtrail serve` prints, which leaves the address at once. */
function tokenOfLink() {
  const [, linked] = location.hash.match(/^#\/sign-in\?token=([\w.-]+)$/) ?? [];
  if (linked) history.replaceState(null, "", "#/runs");
  return linked ?? null;
}

/** Takes up the issuer's answer or the link that led here or, without them, this tab's token. */
export function resumeSession() {
  const answer = takeAnswer();
  const kept = sessionStorage.getItem(KEY);
  // Going back in the tab's history leads to an old answer.
  if (answer && (answer.begun || !kept)) return resumeFrom(answer);
  const linked = tokenOfLink();
  return linked ? resumeWith(linked, null) : resumeWith(kept, heldGrant());
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

const notAccepted = (grant) => `${new URL(grant.settings.issuer).host} has signed you in, but Flowtrail does not accept it. Whoever runs Flowtrail finds the reason in its log.`;

async function resumeWith(token, grant) {
  if (!token) return become({ state: "signed-out" });
  become({ state: "starting" });
  try {
    await signIn(token, grant);
  } catch (error) {
    if (error.status === 401) return;
    become({ state: "unreachable", error });
  }
}

/** From now on every request has it, and so has a reload. */
function keep(token, grant) {
  setToken(token);
  sessionStorage.setItem(KEY, token);
  keepGrant(grant);
}

// A link that is pasted into an open console loads nothing anew. Who is signed in stays so.
addEventListener("hashchange", () => {
  const linked = tokenOfLink();
  if (linked && session.state === "signed-out") resumeWith(linked, null);
});

watchToken({
  whenRefused: tokenRefused,
  whenUsed: () => renewWhenDue(({ idToken, grant }) => keep(idToken, grant)),
});

/**
 * Signs in, or throws the ApiError that says why not.
 * @param {string} token
 * @param {?import("./oidc-protocol.js").Grant} [grant] what came with an ID token
 */
export async function signIn(token, grant = null) {
  keep(token, grant);
  const { caller } = await get("api/caller");
  // What the pages have in memory is of the team before.
  if (team !== null && team !== caller.teamId) return location.reload();
  team = caller.teamId;
  become({ state: "signed-in", caller });
}

/** Forgets the token. @param {?string} [notice] why, for the sign-in page */
export function signOut(notice = null) {
  const endSessionUrl = heldGrant()?.endSessionUrl ?? null;
  setToken(null);
  sessionStorage.removeItem(KEY);
  keepGrant(null);
  become({ state: "signed-out", notice, endSessionUrl });
}

function tokenRefused() {
  if (session.state === "signed-out") return signOut();
  const why = heldGrant() ? "Your session has ended." : "Your token is no longer accepted: it has expired or was revoked.";
  signOut(`${why} Sign in again to return to where you were.`);
}
