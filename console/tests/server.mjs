// Owns a server of the tests: the program as it is built, on ports that are free, with a
// folder that goes with it.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const DEADLINE_MS = 120_000;

/** The lines of the greeting that the tests need, by what they begin with. */
const WANTED = { 'HTTP API': 'url', Table: 'tableUrl', 'Admin token': 'token' };

/**
 * @param {string} program
 * @param {string[]} [options] of `flowtrail serve`
 */
export async function startServer(program, options = []) {
  const data = await mkdtemp(join(tmpdir(), 'flowtrail-console-'));
  const ports = ['--port', '0', '--table-port', '0'];
  const server = spawn(program, ['serve', '--data', data, ...ports, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });

  /** Makes a token: it stands alone on the last line. */
  async function tokenOf(team, role) {
    const args = ['token', 'create', '--team', team, '--role', role, '--data', data];
    const { stdout } = await promisify(execFile)(program, args);
    return stdout.trim().split('\n').at(-1).trim();
  }

  async function stop() {
    server.kill();
    await rm(data, { recursive: true, force: true });
  }

  const timer = setTimeout(() => server.kill(), DEADLINE_MS);
  try {
    return { ...(await greeting(server.stdout)), tokenOf, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(timer);
    // Nobody reads the rest, which must not fill the pipe.
    server.stdout.resume();
  }
}

/** Reads the greeting until it has told all. */
async function greeting(input) {
  const found = {};
  for await (const line of createInterface({ input })) {
    for (const [label, name] of Object.entries(WANTED)) {
      const match = line.match(new RegExp(`^ +${label} +(\\S+)`));
      if (match) found[name] = match[1];
    }
    if (Object.keys(found).length === Object.keys(WANTED).length) return found;
  }
  throw new Error('the server has ended');
}
