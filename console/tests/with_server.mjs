// Runs the tests beside it against a server of their own: `node with_server.mjs FLOWTRAIL`.
//
// The server is the program as it is built, on ports that are free, with demo data in
// a folder that goes with it. The tests learn of it from the environment:
// FLOWTRAIL_URL, FLOWTRAIL_TABLE_URL, FLOWTRAIL_TOKEN of the demo's admin,
// FLOWTRAIL_VIEWER_TOKEN of its viewer, and FLOWTRAIL_EMPTY_TOKEN of the admin of a team
// without any runs, FLOWTRAIL_EMPTY_TEAM.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const DEADLINE_MS = 120_000;

/** The lines of the greeting that the tests need, by what they begin with. */
const WANTED = { 'HTTP API': 'FLOWTRAIL_URL', Table: 'FLOWTRAIL_TABLE_URL', 'Admin token': 'FLOWTRAIL_TOKEN' };

const here = dirname(fileURLToPath(import.meta.url));
const [program] = process.argv.slice(2);
const data = await mkdtemp(join(tmpdir(), 'flowtrail-console-'));
const server = spawn(program, ['serve', '--data', data, '--port', '0', '--table-port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});

/** Reads the greeting until it has told all. */
async function greeted() {
  const found = {};
  for await (const line of createInterface({ input: server.stdout })) {
    for (const [label, variable] of Object.entries(WANTED)) {
      const match = line.match(new RegExp(`^ +${label} +(\\S+)`));
      if (match) found[variable] = match[1];
    }
    if (Object.keys(found).length === Object.keys(WANTED).length) return found;
  }
  throw new Error('the server has ended');
}

/** Makes a token: it stands alone on the last line. */
async function tokenOf(team, role) {
  const args = ['token', 'create', '--team', team, '--role', role, '--data', data];
  const { stdout } = await promisify(execFile)(program, args);
  return stdout.trim().split('\n').at(-1).trim();
}

let status = 1;
try {
  const timer = setTimeout(() => server.kill(), DEADLINE_MS);
  const found = await greeted();
  clearTimeout(timer);
  // Nobody reads the rest, which must not fill the pipe.
  server.stdout.resume();
  Object.assign(found, {
    FLOWTRAIL_VIEWER_TOKEN: await tokenOf('default', 'viewer'),
    FLOWTRAIL_EMPTY_TEAM: 'empty',
    FLOWTRAIL_EMPTY_TOKEN: await tokenOf('empty', 'admin'),
  });
  const tests = (await readdir(here)).filter((name) => name.endsWith('.test.mjs'));
  const files = tests.map((name) => join(here, name));
  const run = spawn(process.execPath, ['--test', '--test-concurrency=1', ...files], {
    stdio: 'inherit',
    env: { ...process.env, ...found },
  });
  [status] = await once(run, 'exit');
} finally {
  server.kill();
  await rm(data, { recursive: true, force: true });
}
process.exit(status ?? 1);
