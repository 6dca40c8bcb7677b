// The scenario that all writers are held to: see ../../conformance.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Writer } from 'flowtrail-writer';
import { decoded, plain, startServer } from './support.mjs';

const RUNS = ['conformance-run', 'conformance-sub'];

let server;

before(async () => {
  server = await startServer();
});

after(() => server?.stop());

test('the scenario makes the records and the answers of every writer', async () => {
  await play(await read('scenario.json'));
  assert.deepEqual(await records(), await read('records.json'));
  const expected = await read('answers.json');
  for (const [path, body] of Object.entries(expected)) {
    const { requestId, timestamp, ...answer } = await server.ask(path);
    assert.deepEqual(answer, body, path);
  }
});

/** What each operation of the scenario is here, by its name there. */
const OPERATIONS = {
  start_run: (writer, options) => writer.startRun(options),
  start_step: (place, options) => place.startStep(options),
  fork: (place, options) => place.fork(options),
  branch: (fork, { branchId, id }) => fork.branch(branchId, id),
  join: (fork) => fork.join(),
  set_data: (step, { data }) => step.setData(data),
  complete_step: (step, { output }) => step.complete(output),
  fail_step: (step, { errorMessage, output }) => step.fail(errorMessage, output),
  skip_step: (step) => step.skip(),
  start_subflow: (step, options) => step.startSubflow(options),
  heartbeat: (run) => run.heartbeat(),
  complete_run: (run, { output, context }) => run.complete(output, context),
  fail_run: (run, { errorMessage, output, context }) => run.fail(errorMessage, output, context),
};

async function play(scenario) {
  let now;
  const writer = new Writer('flowtrail', { client: server.client, clock: () => now });
  const handles = { undefined: writer };
  for (const operation of scenario) {
    const { at, do: verb, as: name, in: place, on: target, of: fork, expect: expected, ...given } = operation;
    now = Date.parse(at);
    const result = await OPERATIONS[verb](handles[place ?? target ?? fork], inCamelCase(given));
    if (name) handles[name] = result;
    if (expected) assertOutcome(result, expected, operation);
  }
  await writer.close();
}

/** The names of parameters, of the first level alone. */
function inCamelCase(given) {
  const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [camelCase(name), value]));
}

function assertOutcome(result, expected, operation) {
  const about = JSON.stringify(operation);
  if (expected === 'alive') assert.equal(result, null, about);
  else if (expected === 'written') assert.deepEqual(result, { written: true }, about);
  else assert.deepEqual({ ...result, ...expected }, result, about);
}

/** The records as plain JSON by key, the parts of a payload in bytes as one. */
async function records() {
  const all = [];
  for (const executionId of RUNS) {
    const items = await server.itemsOf(executionId);
    for (const [sk, item] of Object.entries(items)) {
      const [, payload, part] = sk.match(/^(.*)#(\d{4})$/) ?? [];
      if (!item.bytes) all.push(plain({ M: item }));
      else if (Number(part) === 0) all.push({ pk: item.pk.S, sk: payload, json: decoded(items, payload) });
    }
  }
  const order = ({ pk, sk }) => `${pk} ${sk}`;
  return all.sort((one, other) => (order(one) < order(other) ? -1 : 1));
}

async function read(name) {
  const text = await readFile(new URL(`../../conformance/${name}`, import.meta.url), 'utf8');
  return JSON.parse(text, (_, value) => {
    if (!value?.text_times) return value;
    const [times, repeated] = value.text_times;
    return repeated.repeat(times);
  });
}
