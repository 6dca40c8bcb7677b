// Owns the address: the path and the query in the hash. app.js passes the table of pages
// (setRoutes), so that pages and the router do not import each other. Filters, tabs and page
// numbers are in the query, so that a reload, a bookmark and Back keep them.
import { useEffect, useState } from "preact/hooks";
import { withoutRefreshToken } from "./oidc.js";

/** The pages that were passed to setRoutes. */
let routes = [];

/**
 * Sets the table of pages. Call it before the first address is read.
 * @param {Array<{path: string, title: string, open?: boolean, load: () => Promise}>} table
 */
export function setRoutes(table) {
  routes = table;
}

/** The page for an address without a path. */
export const HOME = "/runs";

/**
 * The address of a link.
 * @param {string} path for example `/runs`; the caller encodes ids, or uses runPath
 * @param {Object<string, ?string|number>} [query] members that are null or "" are omitted
 */
export function href(path, query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return `#${path}${text ? `?${text}` : ""}`;
}

/** The path of a run's page; ids can contain slashes. @param {string} runId */
export function runPath(runId) {
  return `/runs/${encodeURIComponent(runId)}`;
}

/**
 * Opens a page. With `replace`, Back does not return to the current page.
 * @param {string} path @param {Object} [query] @param {{replace?: boolean}} [options]
 */
export function navigate(path, query = {}, { replace = false } = {}) {
  const target = href(path, query);
  if (target === location.hash) return;
  if (replace) {
    const oldURL = location.href;
    history.replaceState(null, "", target);
    dispatchEvent(new HashChangeEvent("hashchange", { oldURL, newURL: location.href }));
  } else {
    location.hash = target;
  }
}

/**
 * Opens a console address in a new tab. Only a tab that is opened this way receives a copy of the
 * session; afterwards the two are independent.
 * @param {string} target an address from href
 */
export function openInNewTab(target) {
  const tab = withoutRefreshToken(() => window.open(target, "_blank"));
  if (tab) tab.opener = null;
}

/** Whether a click requests a new tab. @param {MouseEvent} event */
export const requestsNewTab = (event) => event.button === 1 || (event.button === 0 && (event.ctrlKey || event.metaKey));

/** Passes the session to tabs that are opened from links, which browsers do not do. */
export function useNewTabLinks() {
  useEffect(() => {
    const click = (event) => {
      const link = event.target.closest?.("a[href^='#']");
      if (!link || event.defaultPrevented || !requestsNewTab(event)) return;
      event.preventDefault();
      openInNewTab(link.hash);
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
 * The route of an address.
 * @param {string} hash
 * @returns {{route: ?Object, path: string, params: Object<string, string>, query: Object<string, string>}}
 */
export function parseHash(hash) {
  const [rawPath, ...rest] = hash.replace(/^#/, "").split("?");
  const path = rawPath && rawPath !== "/" ? rawPath : HOME;
  const query = Object.fromEntries(new URLSearchParams(rest.join("?")));
  for (const route of routes) {
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
    return text; // Typed by hand; shown unchanged.
  }
}

/** The current route; re-renders when the address changes. */
export function useRoute() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    follow(); // The address may have changed since the first read.
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return parseHash(hash);
}
