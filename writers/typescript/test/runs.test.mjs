// Runs and steps: their records, their ends, and the checks of parameters.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { InvalidRecord, StepEnded, RunEnded, IdTaken, OtherTeam, Writer, WriterClosed } from 'flowtrail-writer';
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

test('a run of eight steps needs three requests', async () => {
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
  // Steps of the same millisecond are sorted by id.
  const numbers = details.data.steps.map((step) => step.sequenceNumber).sort();
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a run is in the table when startRun returns', async () => {
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

test('an open run is resumed without changes', async () => {
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

test('an ended run is not resumed', async () => {
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

test('the id of a run of another flow is refused', async () => {
  const { executionId } = await writer.startRun({ flowId: 'mine' });
  await assert.rejects(writer.startRun({ flowId: 'yours', executionId }), (error) => {
    return error instanceof IdTaken && !(error instanceof OtherTeam);
  });
});

test('a team cannot take over a run of another', async () => {
  for (const isOpen of [true, false]) {
    const victim = await writer.startRun({ flowId: 'flow', teamId: 'victim', input: { secret: 1 } });
    if (!isOpen) await victim.complete();
    await writer.flush();
    const { executionId } = victim;
    const before = await server.itemsOf(executionId);
    const thief = writer.startRun({ flowId: 'flow', teamId: 'thief', executionId, input: { mine: 2 } });
    await assert.rejects(thief, (error) => {
      assert.ok(error instanceof OtherTeam && error instanceof IdTaken);
      assert.equal(error.message, `the execution id ${executionId} belongs to another team: use another id`);
      return true;
    });
    const parent = await writer.startRun({ flowId: 'flow', teamId: 'thief' });
    const step = await parent.startStep({ stepId: 'a' });
    await assert.rejects(step.startSubflow({ flowId: 'flow', executionId }), OtherTeam);
    await writer.flush();
    assert.deepEqual(await server.itemsOf(executionId), before);
  }
});

test('an id that another team reused is not written', async () => {
  for (const write of ['heartbeat', 'complete', 'fail', 'cancel']) {
    const run = await writer.startRun({ flowId: 'flow', teamId: 'first' });
    assert.equal(await run.heartbeat(), null);
    const { executionId } = run;
    const Key = { pk: { S: `EXEC#${executionId}` }, sk: { S: 'EXECUTION' } };
    await server.client.send(new DeleteItemCommand({ TableName: 'flowtrail', Key }));
    assert.deepEqual(await run.heartbeat(), { status: null, cancelledBy: null, cancelReason: null, endTime: null });
    await writer.startRun({ flowId: 'flow', teamId: 'second', executionId });
    const before = await server.itemsOf(executionId);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(run[write](...(write === 'fail' ? ['late'] : [])), OtherTeam, write);
    }
    assert.deepEqual(await server.itemsOf(executionId), before);
  }
});

test('heartbeat and end report a cancel through the API', async () => {
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

test('an end after a cancel reports the cancel', async () => {
  const run = await writer.startRun({ flowId: 'cancelled' });
  await server.cancel(run.executionId, 'First.');
  const outcome = await run.fail('late');
  assert.equal(outcome.written, false);
  assert.equal(outcome.ended.cancelReason, 'First.');
  assert.deepEqual(run.ended(), outcome.ended);
});

test('a deleted run is not written again', async () => {
  const run = await writer.startRun({ flowId: 'deleted' });
  await server.ask(`/api/history/executions/${run.executionId}`, { method: 'DELETE' });
  const gone = { status: null, cancelledBy: null, cancelReason: null, endTime: null };
  assert.deepEqual(await run.heartbeat(), gone);
  assert.deepEqual(await run.complete(), { written: false, ended: gone });
  assert.equal((await server.itemsOf(run.executionId)).EXECUTION, undefined);
});

test('a second end of a run changes nothing', async () => {
  const run = await writer.startRun({ flowId: 'twice' });
  const [first, second] = await Promise.all([run.complete('done'), run.fail('no')]);
  assert.deepEqual([first, second], [{ written: true }, { written: true }]);
  assert.deepEqual(await run.cancel(), { written: true });
  const { EXECUTION: execution } = await server.itemsOf(run.executionId);
  assert.equal(execution.status.S, 'COMPLETED');
  assert.equal(execution.errorMessage, undefined);
});

test('a step is identified by its id and start', async () => {
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

test('a step has one end', async () => {
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
  // The clock was set back before the end.
  assert.deepEqual(item.durationMs, { N: '0' });
});

test('the step summary includes steps of branches', async () => {
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

test('step and run end with the result of their function', async () => {
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

test('an error fails step and run, and is thrown again', async () => {
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

test('every thrown value becomes an error message', async () => {
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

test('a long error message is cut between characters', async () => {
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

test('a closed writer writes nothing', async () => {
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

test('close waits for pending calls', async () => {
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

const INVALID = {
  id: ['', 'a#b', 'ü', 'x'.repeat(129), 7, null, {}, [], Symbol('a'), () => 'a'],
  text: [7, null, {}, [], true, Symbol('a')],
  count: [-1, 1.5, Number.NaN, Infinity, '1', null, {}, 1n, 2 ** 53],
  time: [
    ...['', 'yesterday', '2026-02-17', '2026-02-28T10:30', '2026-13-17T10:30:00Z'],
    ...[5, null, {}, new Date(Number.NaN), new Date(8.64e15)],
  ],
  value: [Symbol('a'), () => 1, CIRCLE],
};

test('a step below another one names only its parent', async () => {
  const run = await writer.startRun({ flowId: 'nested' });
  const fork = await run.fork({ stepId: 'fork', id: 'fork' });
  const top = await run.startStep({ stepId: 'top', id: 'top' });
  const branch = fork.branch('branch');
  const steps = [
    await run.startStep({ stepId: 'below', id: 'n-1', parent: top }),
    await branch.startStep({ stepId: 'below', id: 'n-2', parent: top }),
    await run.startStep({ stepId: 'below', id: 'n-3', parent: 'unknown' }),
  ];
  for (const step of steps) await step.complete();
  await run.fork({ stepId: 'below', id: 'n-4', parent: fork });
  await run.complete();
  const below = Object.values(await server.itemsOf(run.executionId)).filter((item) => item.stepId?.S === 'below');
  assert.ok(below.every((item) => item.sk.S.startsWith('STEP#') && !item.branchExecutionId));
  const places = below.map((item) => [item.stepInstanceId.S, item.parentStepInstanceId.S, item.sequenceNumber?.N]);
  const expected = [
    ['n-1', 'top', '1'],
    ['n-2', 'top', '2'],
    ['n-3', 'unknown', undefined],
    ['n-4', 'fork', '1'],
  ];
  assert.deepEqual(places.sort(), expected);
  const other = await writer.startRun({ flowId: 'nested' });
  await assertRefused(other.startStep({ stepId: 'a', parent: top }), 'parent');
});

test('an invalid run option is refused by name', async () => {
  const fields = {
    flowId: [...INVALID.id, undefined],
    teamId: INVALID.id,
    executionId: INVALID.id,
    deviceId: INVALID.id,
    createdAt: INVALID.time,
    timeoutAt: INVALID.time,
    flowName: INVALID.text,
    trigger: INVALID.text,
    flowVersion: [1.5, Number.NaN, null, {}, true, 1n],
    expiresAt: [...INVALID.count, START],
    labels: [7, null, 'a', [], { '': 'a' }],
    input: INVALID.value,
  };
  for (const [field, values] of Object.entries(fields)) {
    for (const value of values) {
      await assertRefused(writer.startRun({ flowId: 'invalid', [field]: value }), field, value);
    }
  }
  await assertRefused(writer.startRun({ flowId: 'invalid', labels: { order: 7 } }), 'labels.order', 7);
  for (const value of [undefined, null, 7, 'a']) await assertRefused(writer.startRun(value), 'options', value);
});

test('an invalid step option is refused by name', async () => {
  const run = await writer.startRun({ flowId: 'invalid' });
  const branch = (await run.fork({ stepId: 'fork' })).branch('branch');
  const fields = {
    stepId: [...INVALID.id, undefined],
    parent: INVALID.id,
    id: INVALID.id,
    name: INVALID.text,
    type: INVALID.text,
    retryCount: INVALID.count,
    sequenceNumber: INVALID.count,
    input: INVALID.value,
    data: INVALID.value,
  };
  for (const [field, values] of Object.entries(fields)) {
    for (const value of values) {
      const name = field === 'data' ? 'executionData' : field;
      await assertRefused(run.startStep({ stepId: 'a', [field]: value }), name, value);
      await assertRefused(branch.startStep({ stepId: 'a', [field]: value }), name, value);
      // A fork has no option `type`.
      if (field !== 'type') await assertRefused(run.fork({ stepId: 'a', [field]: value }), name, value);
    }
  }
  for (const value of [undefined, null, 7]) {
    await assertRefused(run.startStep(value), 'options', value);
    await assertRefused(run.fork(value), 'options', value);
  }
  assert.equal((await run.startStep({ stepId: 'b' })).sequenceNumber, 2);
});

test('an unknown option is refused with a suggestion', async () => {
  const run = await writer.startRun({ flowId: 'unknown' });
  const step = await run.startStep({ stepId: 'a' });
  await writer.flush();
  const before = await server.itemsOf(run.executionId);
  const { executionId } = run;
  const calls = [
    [() => writer.startRun({ flowid: 'a' }), "'flowid'; did you mean 'flowId'?"],
    [() => writer.startRun({ flowId: 'a', executionId, flow_nam: 'a' }), "'flow_nam'; did you mean 'flowName'?"],
    [() => writer.run({ flowId: 'a', executionId, lables: {} }, () => 1), "'lables'; did you mean 'labels'?"],
    [() => run.startStep({ stepID: 'a' }), "'stepID'; did you mean 'stepId'?"],
    [() => run.step({ stepId: 'a', inptu: 1 }, () => 1), "'inptu'; did you mean 'input'?"],
    [() => run.fork({ stepId: 'a', retry_count: 1 }), "'retry_count'; did you mean 'retryCount'?"],
    [() => step.startSubflow({ flowId: 'a', flowVerson: 1 }), "'flowVerson'; did you mean 'flowVersion'?"],
    [async () => new Writer('flowtrail', { flushAfter: 1 }), "'flushAfter'; did you mean 'flushAfterMs'?"],
    // A fork has a fixed type, and a sub-flow the team of its parent.
    [
      () => run.fork({ stepId: 'a', type: 'a' }),
      "'type'; the options are stepId, name, input, parent, id, retryCount, sequenceNumber, startTime, data",
    ],
    [
      () => step.startSubflow({ flowId: 'a', teamId: 'a' }),
      "'teamId'; the options are flowId, executionId, createdAt, flowName, flowVersion, deviceId, trigger, " +
        'labels, timeoutAt, expiresAt, input',
    ],
  ];
  for (const [call, message] of calls) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof TypeError);
      assert.equal(error.message, `unknown option ${message}`);
      return true;
    });
  }
  await writer.flush();
  assert.deepEqual(await server.itemsOf(executionId), before);
});

test('an invalid parameter of an end does not end the run', async () => {
  const run = await writer.startRun({ flowId: 'invalid' });
  const step = await run.startStep({ stepId: 'a' });
  const fork = await run.fork({ stepId: 'b' });
  for (const value of INVALID.value) {
    await assertRefused(step.complete(value), 'output', value);
    await assertRefused(step.fail('no', value), 'output', value);
    await assertRefused(step.setData(value), 'executionData', value);
    await assertRefused(run.complete(value), 'output', value);
    await assertRefused(run.complete(1, value), 'context', value);
  }
  await assertRefused(step.setData(undefined), 'executionData');
  for (const value of [undefined, ...INVALID.text]) {
    await assertRefused(step.fail(value), 'errorMessage', value);
    await assertRefused(fork.fail(value), 'errorMessage', value);
    await assertRefused(run.fail(value), 'errorMessage', value);
  }
  for (const value of INVALID.text) {
    await assertRefused(run.cancel(value), 'by', value);
    await assertRefused(run.cancel('me', value), 'reason', value);
  }
  for (const value of [undefined, ...INVALID.id]) {
    assert.throws(() => fork.branch(value), InvalidRecord, String(value));
    if (value !== undefined) assert.throws(() => fork.branch('a', value), InvalidRecord, String(value));
  }
  await step.complete();
  await fork.join();
  assert.deepEqual(await run.complete(), { written: true });
});

test('an invalid writer option is refused by name', async () => {
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
  await assertRefused(timeless.startRun({ flowId: 'invalid' }), 'clock');
  await timeless.close();

  let time = START;
  const failing = new Writer('flowtrail', { client, clock: () => time });
  const run = await failing.startRun({ flowId: 'invalid' });
  time = Number.NaN;
  await assertRefused(run.complete(), 'clock');
  time = START;
  assert.deepEqual(await run.complete(), { written: true });
  await failing.close();
});

test('unpaired surrogates are replaced', async () => {
  const run = await writer.startRun({ flowId: 'surrogates', flowName: 'a\ud800b', labels: { 'c\ud800': '\udc00' } });
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
async function assertRefused(call, field, value) {
  const isOfField = (error) => error instanceof InvalidRecord && error.field === field;
  await assert.rejects(call, isOfField, `${field}: ${String(value)}`);
}
