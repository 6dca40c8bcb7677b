import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { InvalidRecord, StepEnded, RunEnded, IdTaken, Writer, WriterClosed } from 'flowtrail-writer';
import { clientOf, startProxy, startServer } from './support.mjs';

const START = Date.parse('2026-02-17T10:30:00.000Z');

let server;
let writer;
let now = START;
const clock = () => now;

before(async () => {
  server = await startServer();
  writer = new Writer('flowtrail', { client: server.client, clock });
});

after(async () => {
  await writer?.close();
  await server?.stop();
});

test('the requests of a run of eight steps within one flush are three', async () => {
  const proxy = await startProxy(server.tableUrl);
  const counted = new Writer('flowtrail', { client: clientOf(proxy.url), flushAfterMs: 60_000 });
  const run = await counted.startRun({ flowId: 'counted' });
  for (let number = 1; number <= 8; number += 1) {
    const step = await run.startStep({ stepId: `step-${number}`, input: { number } });
    await step.complete({ number });
  }
  assert.deepEqual(await run.complete(), { written: true });
  await counted.close();
  await proxy.refuse();

  const operations = proxy.requests.map((request) => request.operation);
  assert.deepEqual(operations, ['PutItem', 'BatchWriteItem', 'UpdateItem']);
  const details = await server.ask(`/flow-executions/${run.executionId}`);
  assert.equal(details.data.metadata.status, 'COMPLETED');
  // Those of the same millisecond come in the order of their ids.
  const numbers = details.data.steps.map((step) => step.sequenceNumber).sort();
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a run is in the table when its start returns', async () => {
  const run = await writer.startRun({
    flowId: 'written',
    teamId: 'default',
    createdAt: '2026-02-17T11:29:59.5+01:00',
    flowVersion: '1.4',
    timeoutAt: new Date(START + 60_000),
    expiresAt: 1_900_000_000,
    labels: { order: 'größer' },
  });
  const { EXECUTION: execution } = await server.itemsOf(run.executionId);
  assert.deepEqual(execution, {
    pk: { S: `EXEC#${run.executionId}` },
    sk: { S: 'EXECUTION' },
    executionId: { S: run.executionId },
    teamId: { S: 'default' },
    flowId: { S: 'written' },
    flowVersion: { S: '1.4' },
    createdAt: { S: '2026-02-17T10:29:59.500Z' },
    startTime: { S: '2026-02-17T10:30:00.000Z' },
    status: { S: 'RUNNING' },
    timeoutAt: { S: '2026-02-17T10:31:00.000Z' },
    expiresAt: { N: '1900000000' },
    labels: { M: { order: { S: 'größer' } } },
  });
});

test('a run that is open is resumed, with nothing of it written anew', async () => {
  const first = await writer.startRun({ flowId: 'resumed', flowName: 'First', input: 1 });
  assert.equal(first.resumed, false);
  await first.startStep({ stepId: 'a' });
  await writer.flush();
  const before = await server.itemsOf(first.executionId);

  now = START + 5_000;
  const { executionId } = first;
  const second = await writer.startRun({ flowId: 'resumed', executionId, flowName: 'Second', input: 2 });
  assert.equal(second.resumed, true);
  assert.equal(second.createdAt, first.createdAt);
  assert.equal(second.startTime, '2026-02-17T10:30:00.000Z');
  await writer.flush();
  assert.deepEqual(await server.itemsOf(executionId), before);

  await second.startStep({ stepId: 'b', id: 'unnumbered' });
  await second.startStep({ stepId: 'c', id: 'seventh', sequenceNumber: 7 });
  await second.startStep({ stepId: 'd', id: 'eighth' });
  assert.deepEqual(await second.complete(), { written: true });
  now = START;
  const steps = await server.stepsOf(executionId);
  assert.equal(steps.unnumbered.sequenceNumber, undefined);
  assert.deepEqual(steps.eighth.sequenceNumber, { N: '8' });
  const { EXECUTION: execution } = await server.itemsOf(executionId);
  assert.deepEqual(execution.durationMs, { N: '5000' });
  assert.equal(execution.stepSummary, undefined);
});

test('a run that has ended is not resumed', async () => {
  const run = await writer.startRun({ flowId: 'ended' });
  await run.cancel('somebody', 'enough');
  const again = writer.startRun({ flowId: 'ended', executionId: run.executionId });
  await assert.rejects(again, (error) => {
    assert.ok(error instanceof RunEnded);
    const endTime = '2026-02-17T10:30:00.000Z';
    const who = { cancelledBy: 'somebody', cancelReason: 'enough' };
    assert.deepEqual(error.ended, { status: 'CANCELLED', ...who, endTime });
    return true;
  });
});

test('an id of another team or flow is taken', async () => {
  const { executionId } = await writer.startRun({ flowId: 'mine' });
  await assert.rejects(writer.startRun({ flowId: 'yours', executionId }), IdTaken);
  await assert.rejects(writer.startRun({ flowId: 'mine', teamId: 'other', executionId }), IdTaken);
});

test('a cancel through the API comes back on a heartbeat and on the end', async () => {
  const run = await writer.startRun({ flowId: 'cancelled' });
  assert.equal(await run.heartbeat(), null);
  assert.equal(run.ended(), null);
  await server.cancel(run.executionId, 'Just a try.');

  const ended = await run.heartbeat();
  assert.equal(ended.status, 'CANCELLED');
  assert.equal(ended.cancelReason, 'Just a try.');
  assert.ok(ended.cancelledBy);
  assert.ok(ended.endTime);
  assert.deepEqual(run.ended(), ended);
  assert.equal(run.isOpen, false);

  assert.deepEqual(await run.complete('late'), { written: false, ended });
  const { EXECUTION: execution } = await server.itemsOf(run.executionId);
  assert.equal(execution.status.S, 'CANCELLED');
  assert.equal(execution.cancelReason.S, 'Just a try.');
});

test('an end after a cancel tells who won', async () => {
  const run = await writer.startRun({ flowId: 'cancelled' });
  await server.cancel(run.executionId, 'First.');
  const outcome = await run.fail('late');
  assert.equal(outcome.written, false);
  assert.equal(outcome.ended.cancelReason, 'First.');
  assert.deepEqual(run.ended(), outcome.ended);
});

test('neither a heartbeat nor an end brings a deleted run back', async () => {
  const run = await writer.startRun({ flowId: 'deleted' });
  await server.ask(`/api/history/executions/${run.executionId}`, { method: 'DELETE' });
  const gone = { status: null, cancelledBy: null, cancelReason: null, endTime: null };
  assert.deepEqual(await run.heartbeat(), gone);
  assert.deepEqual(await run.complete(), { written: false, ended: gone });
  assert.equal((await server.itemsOf(run.executionId)).EXECUTION, undefined);
});

test('the first end of a run is the one that counts', async () => {
  const run = await writer.startRun({ flowId: 'twice' });
  const [first, second] = await Promise.all([run.complete('done'), run.fail('no')]);
  assert.deepEqual([first, second], [{ written: true }, { written: true }]);
  assert.deepEqual(await run.cancel(), { written: true });
  const { EXECUTION: execution } = await server.itemsOf(run.executionId);
  assert.equal(execution.status.S, 'COMPLETED');
  assert.equal(execution.errorMessage, undefined);
});

test('a step is its id and its start', async () => {
  const executionId = 'same-step';
  for (const startTime of ['2026-02-17T11:30:00+01:00', new Date(START)]) {
    const run = await writer.startRun({ flowId: 'same', executionId });
    const step = await run.startStep({ stepId: 'step', id: 'step', startTime });
    await step.complete();
  }
  await writer.flush();
  const details = await server.ask(`/flow-executions/${executionId}`);
  const starts = details.data.steps.map((step) => [step.stepInstanceId, step.startTime, step.status]);
  assert.deepEqual(starts, [['step', '2026-02-17T10:30:00.000Z', 'COMPLETED']]);
});

test('a step ends once', async () => {
  const run = await writer.startRun({ flowId: 'steps' });
  const step = await run.startStep({ stepId: 'a' });
  assert.equal(step.isOpen, true);
  now = START - 1_000;
  await step.complete('first');
  now = START;
  assert.equal(step.isOpen, false);
  await step.complete('second');
  await assert.rejects(step.fail('no'), StepEnded);
  await assert.rejects(step.skip(), StepEnded);
  await assert.rejects(step.setData(1), StepEnded);
  await assert.rejects(step.startSubflow({ flowId: 'late' }), StepEnded);
  await run.complete();
  const { [step.id]: item } = await server.stepsOf(run.executionId);
  assert.deepEqual(item.output, { S: 'first' });
  // The clock went back.
  assert.deepEqual(item.durationMs, { N: '0' });
});

test('a run tells of its steps, those of branches among them, how they ended', async () => {
  const run = await writer.startRun({ flowId: 'summary' });
  const fork = await run.fork({ stepId: 'each' });
  const branch = fork.branch('one');
  await (await branch.startStep({ stepId: 'a', id: 'a' })).complete();
  await (await branch.startStep({ stepId: 'b', id: 'b' })).fail('no');
  await (await branch.startStep({ stepId: 'c' })).skip();
  await (await branch.startStep({ stepId: 'd' })).cancel();
  await fork.fail('one of them failed');
  await run.fail('no');
  const { EXECUTION: execution } = await server.itemsOf(run.executionId);
  assert.deepEqual(execution.stepSummary, { M: { total: { N: '5' }, passed: { N: '1' }, failed: { N: '2' } } });
  const steps = await server.stepsOf(run.executionId);
  assert.deepEqual(steps[fork.id].errorMessage, { S: 'one of them failed' });
  assert.deepEqual(steps.a.sequenceNumber, { N: '1' });
  assert.deepEqual(steps.b.sequenceNumber, { N: '2' });
});

test('work as a step and as a run ends both', async () => {
  const executionId = 'convenient';
  const result = await writer.run({ flowId: 'work', executionId }, async (run) => {
    await run.step({ stepId: 'own-end', id: 'own-end' }, (step) => step.skip());
    return run.step({ stepId: 'work', id: 'work' }, () => 42);
  });
  assert.equal(result, 42);
  const steps = await server.stepsOf(executionId);
  assert.equal(steps['own-end'].status.S, 'SKIPPED');
  assert.equal(steps.work.status.S, 'COMPLETED');
  assert.equal(steps.work.output, undefined);
  assert.equal((await server.itemsOf(executionId)).EXECUTION.status.S, 'COMPLETED');
});

test('an error in the work fails the step and the run, and is raised on', async () => {
  const executionId = 'inconvenient';
  const failure = new TypeError('no such box');
  const work = writer.run({ flowId: 'work', executionId }, (run) =>
    run.step({ stepId: 'work', id: 'work' }, () => {
      throw failure;
    }),
  );
  await assert.rejects(work, (error) => error === failure);
  const steps = await server.stepsOf(executionId);
  assert.equal(steps.work.status.S, 'FAILED');
  assert.equal(steps.work.errorMessage.S, 'no such box');
  const { EXECUTION: execution } = await server.itemsOf(executionId);
  assert.equal(execution.status.S, 'FAILED');
  assert.equal(execution.errorMessage.S, 'no such box');
});

test('whatever is thrown becomes the text of an error', async () => {
  const thrown = { a: 'text', b: new RangeError(), c: Object.create(null), d: undefined };
  const run = await writer.startRun({ flowId: 'thrown' });
  for (const [id, value] of Object.entries(thrown)) {
    const work = run.step({ stepId: id, id }, () => Promise.reject(value));
    await work.then(assert.fail, (error) => assert.equal(error, value));
  }
  await run.complete();
  const steps = await server.stepsOf(run.executionId);
  const texts = Object.keys(thrown).map((id) => steps[id].errorMessage.S);
  assert.deepEqual(texts, ['text', 'RangeError', '[Object: null prototype] {}', 'undefined']);
});

test('errors are cut on the boundary of a character', async () => {
  const run = await writer.startRun({ flowId: 'errors' });
  const step = await run.startStep({ stepId: 'a' });
  await step.fail('x'.repeat(16_384));
  const cut = await run.startStep({ stepId: 'b' });
  await cut.fail(`${'x'.repeat(16_380)}😀😀`);
  await run.fail('ü'.repeat(1_000));
  const steps = await server.stepsOf(run.executionId);
  assert.equal(steps[step.id].errorMessage.S, 'x'.repeat(16_384));
  assert.equal(steps[cut.id].errorMessage.S, `${'x'.repeat(16_380)}…`);
  const { EXECUTION: execution } = await server.itemsOf(run.executionId);
  assert.equal(execution.errorMessage.S, `${'ü'.repeat(510)}…`);
});

test('after its close a writer writes nothing', async () => {
  const own = new Writer('flowtrail', { client: server.client });
  const run = await own.startRun({ flowId: 'closed' });
  const step = await run.startStep({ stepId: 'a' });
  await Promise.all([own.close(), own.close()]);
  assert.equal((await server.stepsOf(run.executionId))[step.id].status.S, 'RUNNING');
  const calls = [
    own.startRun({ flowId: 'closed' }),
    own.flush(),
    run.startStep({ stepId: 'b' }),
    run.heartbeat(),
    run.complete(),
    step.complete(),
    step.setData(1),
    step.startSubflow({ flowId: 'closed' }),
  ];
  for (const call of calls) await assert.rejects(call, WriterClosed);
});

test('calls that are under way when the writer closes come to their end', async () => {
  const own = new Writer('flowtrail', { client: server.client, flushAfterMs: 60_000 });
  const run = await own.startRun({ flowId: 'closing' });
  const starting = own.startRun({ flowId: 'closing', input: 'given' });
  await run.startStep({ stepId: 'a' });
  const ending = run.complete('output');
  await own.close();
  assert.deepEqual(await ending, { written: true });
  const started = await starting;
  assert.ok((await server.itemsOf(started.executionId))['PAYLOAD#input#0000']);
});

const CIRCLE = {};
CIRCLE.self = CIRCLE;

const NONSENSE = {
  id: ['', 'a#b', 'ü', 'x'.repeat(129), 7, null, {}, [], Symbol('a'), () => 'a'],
  text: [7, null, {}, [], true, Symbol('a')],
  count: [-1, 1.5, Number.NaN, Infinity, '1', null, {}, 1n, 2 ** 53],
  time: [
    ...['', 'yesterday', '2026-02-17', '2026-02-28T10:30', '2026-13-17T10:30:00Z'],
    ...[5, null, {}, new Date(Number.NaN), new Date(8.64e15)],
  ],
  value: [Symbol('a'), () => 1, CIRCLE],
};

test('nonsense in a parameter of a run is refused by its name', async () => {
  const fields = {
    flowId: [...NONSENSE.id, undefined],
    teamId: NONSENSE.id,
    executionId: NONSENSE.id,
    deviceId: NONSENSE.id,
    createdAt: NONSENSE.time,
    timeoutAt: NONSENSE.time,
    flowName: NONSENSE.text,
    trigger: NONSENSE.text,
    flowVersion: [1.5, Number.NaN, null, {}, true, 1n],
    expiresAt: [...NONSENSE.count, START],
    labels: [7, null, 'a', [], { '': 'a' }],
    input: NONSENSE.value,
  };
  for (const [field, values] of Object.entries(fields)) {
    for (const value of values) {
      await refused(writer.startRun({ flowId: 'nonsense', [field]: value }), field, value);
    }
  }
  await refused(writer.startRun({ flowId: 'nonsense', labels: { order: 7 } }), 'labels.order', 7);
  for (const value of [undefined, null, 7, 'a']) await refused(writer.startRun(value), 'options', value);
});

test('nonsense in a parameter of a step is refused by its name, and takes no number', async () => {
  const run = await writer.startRun({ flowId: 'nonsense' });
  const branch = (await run.fork({ stepId: 'fork' })).branch('branch');
  const fields = {
    stepId: [...NONSENSE.id, undefined],
    id: NONSENSE.id,
    name: NONSENSE.text,
    type: NONSENSE.text,
    retryCount: NONSENSE.count,
    sequenceNumber: NONSENSE.count,
    input: NONSENSE.value,
    data: NONSENSE.value,
  };
  for (const [field, values] of Object.entries(fields)) {
    for (const value of values) {
      const name = field === 'data' ? 'executionData' : field;
      await refused(run.startStep({ stepId: 'a', [field]: value }), name, value);
      await refused(branch.startStep({ stepId: 'a', [field]: value }), name, value);
      // A fork's type is not the caller's.
      if (field !== 'type') await refused(run.fork({ stepId: 'a', [field]: value }), name, value);
    }
  }
  for (const value of [undefined, null, 7]) {
    await refused(run.startStep(value), 'options', value);
    await refused(run.fork(value), 'options', value);
  }
  assert.equal((await run.startStep({ stepId: 'b' })).sequenceNumber, 2);
});

test('nonsense in the parameters of an end is refused, and ends nothing', async () => {
  const run = await writer.startRun({ flowId: 'nonsense' });
  const step = await run.startStep({ stepId: 'a' });
  const fork = await run.fork({ stepId: 'b' });
  for (const value of NONSENSE.value) {
    await refused(step.complete(value), 'output', value);
    await refused(step.fail('no', value), 'output', value);
    await refused(step.setData(value), 'executionData', value);
    await refused(run.complete(value), 'output', value);
    await refused(run.complete(1, value), 'context', value);
  }
  await refused(step.setData(undefined), 'executionData');
  for (const value of [undefined, ...NONSENSE.text]) {
    await refused(step.fail(value), 'errorMessage', value);
    await refused(fork.fail(value), 'errorMessage', value);
    await refused(run.fail(value), 'errorMessage', value);
  }
  for (const value of NONSENSE.text) {
    await refused(run.cancel(value), 'by', value);
    await refused(run.cancel('me', value), 'reason', value);
  }
  for (const value of [undefined, ...NONSENSE.id]) {
    assert.throws(() => fork.branch(value), InvalidRecord, String(value));
    if (value !== undefined) assert.throws(() => fork.branch('a', value), InvalidRecord, String(value));
  }
  await step.complete();
  await fork.join();
  assert.deepEqual(await run.complete(), { written: true });
});

test('nonsense in an option of the writer is refused', async () => {
  const options = {
    client: [7, null, {}, 'a'],
    clock: [7, null, {}, 'a'],
    flushAfterMs: [-1, 1.5, Number.NaN, Infinity, '1', null],
    maxBufferedBytes: [0, -1, 1.5, Number.NaN, Infinity, '1', null],
    inlinePayloadBytes: [-1, 65_537, 1.5, Number.NaN, '1', null],
    writeTimeoutMs: [0, -1, 1.5, Number.NaN, Infinity, '1', null],
  };
  const { client } = server;
  for (const [field, values] of Object.entries(options)) {
    for (const value of values) {
      const make = () => new Writer('flowtrail', { client, [field]: value });
      assert.throws(make, (error) => error instanceof InvalidRecord && error.field === field, `${field} ${value}`);
    }
  }
  for (const table of [undefined, null, '', 7]) assert.throws(() => new Writer(table, { client }), InvalidRecord);
  for (const value of [null, 7, 'a']) assert.throws(() => new Writer('flowtrail', value), InvalidRecord);

  const timeless = new Writer('flowtrail', { client, clock: () => Number.NaN });
  await refused(timeless.startRun({ flowId: 'nonsense' }), 'clock');
  await timeless.close();

  let time = START;
  const failing = new Writer('flowtrail', { client, clock: () => time });
  const run = await failing.startRun({ flowId: 'nonsense' });
  time = Number.NaN;
  await refused(run.complete(), 'clock');
  time = START;
  assert.deepEqual(await run.complete(), { written: true });
  await failing.close();
});

test('texts with half a character are mended', async () => {
  const run = await writer.startRun({ flowId: 'mended', flowName: 'a\ud800b', labels: { 'c\ud800': '\udc00' } });
  await (await run.startStep({ stepId: 'a', input: { 'x\ud800': 'y\ud800' } })).fail('z\ud800');
  await run.complete({ 'x\ud800': 'y\ud800'.repeat(9_000) });
  const { EXECUTION: execution } = await server.itemsOf(run.executionId);
  assert.equal(execution.flowName.S, 'a\ufffdb');
  assert.deepEqual(execution.labels, { M: { 'c\ufffd': { S: '\ufffd' } } });
  const details = await server.ask(`/flow-executions/${run.executionId}`);
  assert.deepEqual(details.data.steps[0].input, { 'x\ufffd': 'y\ufffd' });
  assert.ok(JSON.stringify(details).includes('z\ufffd'));
  const { outputData } = await server.ask(`/api/executions/${run.executionId}`);
  assert.deepEqual(outputData, { 'x\ufffd': 'y\ufffd'.repeat(9_000) });
});

/** Asserts that a call is refused because of a field. */
async function refused(call, field, value) {
  const isOfField = (error) => error instanceof InvalidRecord && error.field === field;
  await assert.rejects(call, isOfField, `${field}: ${String(value)}`);
}
