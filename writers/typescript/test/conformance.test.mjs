// The scenario that every writer must pass: see ../../conformance.

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

test('the scenario gives the expected records and answers', async () => {
  const recorder = recordActions(server.client);
  await play(await read('scenario.json'));
  recorder.stop();
  assert.deepEqual(recorder.actions, await grantedActions(), 'the policy for engines grants exactly these actions');
  assert.deepEqual(await records(), await read('records.json'));
  const expected = await read('answers.json');
  for (const [path, body] of Object.entries(expected)) {
    const { requestId, timestamp, ...answer } = await server.ask(path);
    assert.deepEqual(answer, body, path);
  }
});

/** Records the IAM actions of a client until it is stopped, each with its kind of partition. */
function recordActions(client) {
  const actions = new Set();
  const collect = (next, { commandName }) => (args) => {
    const { RequestItems, ...request } = args.input;
    const requests = RequestItems ? Object.values(RequestItems).flat() : [request];
    for (const { PutRequest, Item = PutRequest?.Item, Key = Item } of requests) {
      actions.add(`dynamodb:${commandName.replace(/Command$/, '')} ${Key.pk.S.split('#')[0]}#*`);
    }
    return next(args);
  };
  client.middlewareStack.add(collect, { step: 'initialize', name: 'collect' });
  return { actions, stop: () => client.middlewareStack.remove('collect') };
}

/** The actions that the policy for engines in docs/writing.md grants. */
async function grantedActions() {
  const document = await readFile(new URL('../../../docs/writing.md', import.meta.url), 'utf8');
  const { Statement } = JSON.parse(document.split('```json\n')[1].split('```')[0]);
  assert.equal(Statement.length, 1);
  const [{ Action, Condition }] = Statement;
  const kinds = Condition['ForAllValues:StringLike']['dynamodb:LeadingKeys'];
  return new Set(Action.flatMap((action) => kinds.map((kind) => `${action} ${kind}`)));
}

/** The calls of this writer, by the name of the operation in the scenario. */
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
    if (given.parent) given.parent = handles[given.parent];
    now = Date.parse(at);
    const result = await OPERATIONS[verb](handles[place ?? target ?? fork], toCamelCase(given));
    if (name) handles[name] = result;
    if (expected) assertOutcome(result, expected, operation);
  }
  await writer.close();
}

/** Converts the names of parameters to camel case, on the first level only. */
function toCamelCase(given) {
  const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [camelCase(name), value]));
}

function assertOutcome(result, expected, operation) {
  const about = JSON.stringify(operation);
  if (expected === 'alive') assert.equal(result, null, about);
  else if (expected === 'written') assert.deepEqual(result, { written: true }, about);
  else assert.deepEqual({ ...result, ...expected }, result, about);
}

/** The records as plain JSON, sorted by key. The parts of a payload are joined into one record. */
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
