// The package, installed from its folder.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

let folder;

before(async () => {
  // Inside the package, where the installed copy finds the SDK.
  folder = await mkdtemp(fileURLToPath(new URL('package-', import.meta.url)));
  await writeFile(`${folder}/package.json`, '{ "private": true }');
});

after(() => rm(folder, { recursive: true }));

test('an installation from the folder builds the package', async () => {
  const source = fileURLToPath(new URL('..', import.meta.url));
  await rm(`${source}/dist`, { recursive: true });
  const options = ['--install-links', '--offline', '--legacy-peer-deps', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...options, source], { cwd: folder });

  const program = "import { Writer } from 'flowtrail-writer'; console.log(Writer.name)";
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder });
  assert.equal(stdout, 'Writer\n');
  await access(`${folder}/node_modules/flowtrail-writer/dist/index.d.ts`);
});
