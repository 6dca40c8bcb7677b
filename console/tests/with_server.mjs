// Runs the tests in this folder with a new server: `node with_server.mjs FLOWTRAIL`.
//
// The server has demo data. The tests get these environment variables: FLOWTRAIL_URL,
// FLOWTRAIL_TABLE_URL, FLOWTRAIL_TOKEN of the demo's admin, FLOWTRAIL_VIEWER_TOKEN of its viewer,
// FLOWTRAIL_EMPTY_TEAM, a team without runs, FLOWTRAIL_EMPTY_TOKEN of its admin, FLOWTRAIL_LINK,
// the sign-in link that the server printed, FLOWTRAIL_DATA, its folder, and FLOWTRAIL_PROGRAM, for
// tests that start their own server.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const [program] = process.argv.slice(2);
const server = await startServer(program);

let status = 1;
try {
  const found = {
    FLOWTRAIL_PROGRAM: program,
    FLOWTRAIL_URL: server.url,
    FLOWTRAIL_TABLE_URL: server.tableUrl,
    FLOWTRAIL_TOKEN: server.token,
    FLOWTRAIL_LINK: server.link,
    FLOWTRAIL_DATA: server.data,
    FLOWTRAIL_VIEWER_TOKEN: await server.tokenOf("default", "viewer"),
    FLOWTRAIL_EMPTY_TEAM: "empty",
    FLOWTRAIL_EMPTY_TOKEN: await server.tokenOf("empty", "admin"),
  };
  const tests = (await readdir(here)).filter((name) => name.endsWith(".test.mjs"));
  // First, because the printed link works for ten minutes only.
  const first = tests.filter((name) => name === "sign-in.test.mjs");
  const others = tests.filter((name) => !first.includes(name));
  const statuses = [await runTests(first, found), await runTests(others, found)];
  status = statuses.find((one) => one !== 0) ?? 0;
} finally {
  await server.stop();
}
process.exit(status);

/** Runs test files one after another. Returns the exit status. */
async function runTests(names, found) {
  const files = names.map((name) => join(here, name));
  const run = spawn(process.execPath, ["--test", "--test-concurrency=1", ...files], {
    stdio: "inherit",
    env: { ...process.env, ...found },
  });
  const [status] = await once(run, "exit");
  return status ?? 1;
}
