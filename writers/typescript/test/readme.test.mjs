// The README's examples: they compile, and give the expected result.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startServer } from './support.mjs';

const run = promisify(execFile);

let server;
let folder;

before(async () => {
  server = await startServer();
  // Inside the package, where the examples can import it by its name.
  folder = await mkdtemp(fileURLToPath(new URL('readme-', import.meta.url)));
});

after(async () => {
  await server?.stop();
  if (folder) await rm(folder, { recursive: true });
});

test('the examples of the README work', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [first, more] = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  const end = 'await run.complete(';
  assert.ok(first.includes(end));
  await writeFile(`${folder}/engine.mts`, first.replace(end, `${more}\n${end}`));

  const tsc = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url));
  const types = ['--ignoreConfig', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
  await run(tsc, [...types, `${folder}/engine.mts`]);
  const environment = {
    AWS_ENDPOINT_URL_DYNAMODB: server.tableUrl,
    AWS_REGION: 'local',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
  };
  const { stdout } = await run(process.execPath, [`${folder}/engine.mjs`], { env: { ...process.env, ...environment } });
  assert.equal(stdout, 'on its way\n');

  const { data } = await server.ask('/flow-executions?flowDefinitionId=order-pipeline');
  assert.equal(data.items.length, 1);
  const [{ flowExecutionId, status }] = data.items;
  assert.equal(status, 'COMPLETED');
  const details = await server.ask(`/flow-executions/${flowExecutionId}`);
  const statuses = details.data.steps.map((step) => `${step.stepId} ${step.status}`).sort();
  assert.deepEqual(statuses, ['each-item COMPLETED', 'ship COMPLETED', 'ship FAILED', 'validate COMPLETED']);
});
