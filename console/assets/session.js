// Owns who is signed in: the token, for this tab's session alone, and the caller that
// the server makes of it. When a token is refused later on, the session ends, and the
// address stays, so that signing in again returns to the same place.
import { useEffect, useState } from "preact/hooks";
import { get, setToken } from "./api.js";

const KEY = "flowtrail.token";
const listeners = new Set();
/** The team of who was signed in last. @type {?string} */
let team = null;

/**
 * @typedef {{teamId: string, principal: string, permissions: string[], flows: ?string[]}} Caller
 * @typedef {{state: "starting"|"signed-out"|"signed-in"|"unreachable", caller: ?Caller,
 *   notice: ?string, error: ?Error, can: (permission: string) => boolean}} Session
 */

/** @type {Session} */
let session = make({ state: "starting" });

function make(members) {
  const caller = members.caller ?? null;
  return {
    caller: null, notice: null, error: null, ...members,
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

/** Takes up the token of the link that led here or, without one, of this tab. */
export function resumeSession() {
  return resumeWith(tokenOfLink() ?? sessionStorage.getItem(KEY));
}

async function resumeWith(token) {
  if (!token) return become({ state: "signed-out" });
  become({ state: "starting" });
  try {
    await signIn(token);
  } catch (error) {
    if (error.status === 401) return;
    become({ state: "unreachable", error });
  }
}

// A link that is pasted into an open console loads nothing anew. Who is signed in stays so.
addEventListener("hashchange", () => {
  const linked = tokenOfLink();
  if (linked && session.state === "signed-out") resumeWith(linked);
});

/**
 * Signs in, or throws the ApiError that says why not.
 * @param {string} token
 */
export async function signIn(token) {
  setToken(token, tokenRefused);
  const { caller } = await get("api/caller");
  sessionStorage.setItem(KEY, token);
  // What the pages have in memory is of the team before.
  if (team !== null && team !== caller.teamId) return location.reload();
  team = caller.teamId;
  become({ state: "signed-in", caller });
}

/** Forgets the token. @param {?string} [notice] why, for the sign-in page */
export function signOut(notice = null) {
  setToken(null);
  sessionStorage.removeItem(KEY);
  become({ state: "signed-out", notice });
}

function tokenRefused() {
  const wasIn = session.state !== "signed-out";
  signOut(wasIn ? "Your token is no longer accepted: it has expired or was revoked. Sign in again to return to where you were." : null);
}
