// Owns a server for the tests: the built program, on free ports, with a temporary folder.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const DEADLINE_MS = 120_000;

/** The lines of the greeting that the tests need, by their labels. */
const WANTED = { Console: "link", "HTTP API": "url", Table: "tableUrl" };

/**
 * @param {string} program
 * @param {string[]} [options] for `flowtrail serve`
 */
export async function startServer(program, options = []) {
  const data = await mkdtemp(join(tmpdir(), "flowtrail-console-"));
  const ports = ["--port", "0", "--table-port", "0", "--grpc-port", "0"];
  const server = spawn(program, ["serve", "--data", data, ...ports, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });

  /** Creates a token. It is the only text on the last line. */
  async function tokenOf(team, role) {
    const args = ["token", "create", "--team", team, "--role", role, "--data", data];
    const { stdout } = await promisify(execFile)(program, args);
    return stdout.trim().split("\n").at(-1).trim();
  }

  async function stop() {
    server.kill();
    await rm(data, { recursive: true, force: true });
  }

  const timer = setTimeout(() => server.kill(), DEADLINE_MS);
  try {
    const found = await greeting(server.stdout);
    const token = await readFile(join(data, "admin-token"), "utf8");
    return { ...found, token, data, tokenOf, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(timer);
    // The rest is discarded, so that the pipe does not fill up.
    server.stdout.resume();
  }
}

/** Reads the greeting until all lines have been found. */
async function greeting(input) {
  const found = {};
  for await (const line of createInterface({ input })) {
    for (const [label, name] of Object.entries(WANTED)) {
      const match = line.match(new RegExp(`^ +${label} +(\\S+)`));
      if (match) found[name] = match[1];
    }
    if (Object.keys(found).length === Object.keys(WANTED).length) return found;
  }
  throw new Error("the server has stopped");
}
