// Runs the tests beside it against a server of their own: `node with_server.mjs FLOWTRAIL`.
//
// The server has demo data. The tests learn of it from the environment: FLOWTRAIL_URL,
// FLOWTRAIL_TABLE_URL, FLOWTRAIL_TOKEN of the demo's admin, FLOWTRAIL_VIEWER_TOKEN of its
// viewer, and FLOWTRAIL_EMPTY_TOKEN of the admin of a team without any runs,
// FLOWTRAIL_EMPTY_TEAM; and FLOWTRAIL_PROGRAM, for those that start one as they need it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from './server.mjs';

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
    FLOWTRAIL_VIEWER_TOKEN: await server.tokenOf('default', 'viewer'),
    FLOWTRAIL_EMPTY_TEAM: 'empty',
    FLOWTRAIL_EMPTY_TOKEN: await server.tokenOf('empty', 'admin'),
  };
  const tests = (await readdir(here)).filter((name) => name.endsWith('.test.mjs'));
  const files = tests.map((name) => join(here, name));
  const run = spawn(process.execPath, ['--test', '--test-concurrency=1', ...files], {
    stdio: 'inherit',
    env: { ...process.env, ...found },
  });
  [status] = await once(run, 'exit');
} finally {
  await server.stop();
}
process.exit(status ?? 1);
