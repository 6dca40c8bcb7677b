// Owns the address: what stands in the hash, as a path and a query, and the table of
// pages. State that matters (filters, tabs, pages) lives in the query, so that a reload,
// a bookmark and Back keep it.
import { useEffect, useState } from "preact/hooks";
import { withoutRefreshToken } from "./oidc.js";

/**
 * The pages. `:name` matches one segment; a last segment `:name?` may be missing. Each
 * module is loaded when it is first needed and has
 * `export default function Page({params, query, session})`. What is `open` is there without a
 * session.
 */
export const ROUTES = [
  { path: "/runs", title: "Runs", load: () => import("./pages/runs.js") },
  { path: "/runs/:runId", title: "Run", load: () => import("./pages/run.js") },
  { path: "/statistics", title: "Statistics", load: () => import("./pages/statistics.js") },
  { path: "/settings/:section?", title: "Settings", load: () => import("./pages/settings.js") },
  { path: "/api/:operation?", title: "HTTP API", open: true, load: () => import("./pages/api.js") },
];

/** Where one lands without a path. */
export const HOME = "/runs";

/**
 * A link's address.
 * @param {string} path such as `/runs`; encode ids yourself, or use runPath
 * @param {Object<string, ?string|number>} [query] members that are null or "" are left out
 */
export function href(path, query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return `#${path}${text ? `?${text}` : ""}`;
}

/** The path of a run's page; ids may hold slashes. @param {string} runId */
export function runPath(runId) {
  return `/runs/${encodeURIComponent(runId)}`;
}

/**
 * Goes to a page. With `replace` Back does not return to the present one.
 * @param {string} path
 * @param {Object} [query]
 * @param {{replace?: boolean}} [options]
 */
export function navigate(path, query = {}, { replace = false } = {}) {
  const target = href(path, query);
  if (target === location.hash) return;
  if (replace) {
    history.replaceState(null, "", target);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = target;
  }
}

/**
 * Opens an address of the console in a tab beside this one. A tab takes the session along
 * from the one that opens it, and from no other way of opening; then it is on its own.
 * @param {string} target as of href
 */
export function openBeside(target) {
  const tab = withoutRefreshToken(() => window.open(target, "_blank"));
  if (tab) tab.opener = null;
}

/** Whether a click asks for another tab. @param {MouseEvent} event */
export const asksForTab = (event) => event.button === 1 || (event.button === 0 && (event.ctrlKey || event.metaKey));

/** Has links that are opened in another tab keep the session there, where browsers would not. */
export function useLinksBeside() {
  useEffect(() => {
    const click = (event) => {
      const link = event.target.closest?.("a[href^='#']");
      if (!link || event.defaultPrevented || !asksForTab(event)) return;
      event.preventDefault();
      openBeside(link.hash);
    };
    document.addEventListener("click", click);
    document.addEventListener("auxclick", click);
    return () => {
      document.removeEventListener("click", click);
      document.removeEventListener("auxclick", click);
    };
  }, []);
}

/**
 * The route that an address names.
 * @param {string} hash
 * @returns {{route: ?Object, path: string, params: Object<string, string>, query: Object<string, string>}}
 */
export function parseHash(hash) {
  const [rawPath, ...rest] = hash.replace(/^#/, "").split("?");
  const path = rawPath && rawPath !== "/" ? rawPath : HOME;
  const query = Object.fromEntries(new URLSearchParams(rest.join("?")));
  for (const route of ROUTES) {
    const params = match(route.path, path);
    if (params) return { route, path, params, query };
  }
  return { route: null, path, params: {}, query };
}

function match(pattern, path) {
  const wanted = pattern.split("/").slice(1);
  const given = path.replace(/\/$/, "").split("/").slice(1);
  if (given.length > wanted.length) return null;
  const params = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index];
    if (part.startsWith(":")) {
      if (text === undefined && !part.endsWith("?")) return null;
      if (text !== undefined) params[part.replace(/[:?]/g, "")] = decode(text);
    } else if (part !== text) return null;
  }
  return params;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Typed by hand; shown as it is.
  }
}

/** The present route; re-renders when the address changes. */
export function useRoute() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    follow(); // It may have changed since it was first read.
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return parseHash(hash);
}
