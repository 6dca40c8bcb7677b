// Owns the table of pages.

/**
 * The pages. `:name` matches one segment; a last segment `:name?` is optional. Each module is
 * loaded on first use and has `export default function Page({params, query, session})`. Pages that
 * are `open` need no session.
 */
export const ROUTES = [
  { path: "/runs", title: "Runs", load: () => import("./pages/runs.js") },
  { path: "/runs/:runId", title: "Run", load: () => import("./pages/run.js") },
  { path: "/statistics", title: "Statistics", load: () => import("./pages/statistics.js") },
  { path: "/settings/:section?", title: "Settings", load: () => import("./pages/settings.js") },
  { path: "/api/:operation?", title: "HTTP API", open: true, load: () => import("./pages/api.js") },
];
