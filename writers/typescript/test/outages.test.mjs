// Tables that fail, answer late, or refuse connections.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { RecordRefused, Unavailable, Writer, WriterClosed } from 'flowtrail-writer';
import {
  clientOf,
  gate,
  isSettled,
  refusal,
  sortKeysOf,
  startChild,
  startProxy,
  startServer,
  until,
} from './support.mjs';

/** Longer than any test, so that records are never sent because of their age. */
const NEVER_MS = 600_000;

let server;
let proxy;
let client;
let warnings;
const keepWarning = (warning) => warnings.push(warning.message);

before(async () => {
  server = await startServer();
});

after(() => server?.stop());

beforeEach(async () => {
  warnings = [];
  process.on('warning', keepWarning);
  proxy = await startProxy(server.tableUrl);
  client = clientOf(proxy.url, { maxAttempts: 1 });
});

afterEach(async () => {
  process.off('warning', keepWarning);
  client.destroy();
  await proxy.refuse();
});

/** Applies a rule to the first request of each of some operations, and forwards all other requests. */
function firstOf(operations, rule) {
  const left = new Set(operations);
  return (request, forward) => (left.delete(request.operation) ? rule(request, forward) : forward());
}

/** Forwards the request, and drops the answer. */
async function loseAnswer(_, forward) {
  await forward();
  return undefined;
}

test('writes with lost answers are recognized', async () => {
  for (const maxAttempts of [1, 3]) {
    const own = clientOf(proxy.url, { maxAttempts });
    const writer = new Writer('flowtrail', { client: own, flushAfterMs: 0 });
    proxy.requests.length = 0;
    proxy.rule = firstOf(['PutItem', 'BatchWriteItem', 'UpdateItem'], loseAnswer);
    const given = { labels: { order: '1' }, flowVersion: 3, expiresAt: 1_900_000_000, input: 1 };
    const run = await writer.startRun({ flowId: 'lost', ...given });
    assert.equal(run.resumed, false);
    const step = await run.startStep({ stepId: 'a' });
    await step.complete();
    assert.deepEqual(await run.complete(), { written: true });
    assert.equal(run.ended(), null);
    await writer.close();
    own.destroy();

    assert.equal(proxy.count('PutItem'), 2);
    assert.equal(proxy.count('UpdateItem'), 2);
    const items = await server.itemsOf(run.executionId);
    assert.equal(items.EXECUTION.status.S, 'COMPLETED');
    assert.ok(items['PAYLOAD#input#0000']);
    assert.equal((await server.stepsOf(run.executionId))[step.id].status.S, 'COMPLETED');
  }
});

test('throttled and failed requests are retried', async () => {
  const answers = [
    refusal(400, 'ProvisionedThroughputExceededException'),
    refusal(400, 'ThrottlingException'),
    refusal(500, 'InternalServerError'),
    { status: 503, body: {} },
  ];
  for (const answer of answers) {
    proxy.rule = firstOf(['PutItem', 'BatchWriteItem', 'UpdateItem'], () => answer);
    const writer = new Writer('flowtrail', { client });
    const run = await writer.startRun({ flowId: 'throttled' });
    const step = await run.startStep({ stepId: 'a' });
    await step.complete();
    assert.deepEqual(await run.complete(), { written: true });
    await writer.close();
    assert.equal((await server.stepsOf(run.executionId))[step.id].status.S, 'COMPLETED');
  }
});

test('an error that is not transient is thrown unchanged', async () => {
  const writer = new Writer('flowtrail', { client });
  proxy.rule = () => refusal(400, 'ResourceNotFoundException');
  await assert.rejects(writer.startRun({ flowId: 'none' }), { name: 'ResourceNotFoundException' });
  assert.equal(proxy.requests.length, 1);
  proxy.rule = () => refusal(400, 'ValidationException', 'too long');
  await assert.rejects(writer.startRun({ flowId: 'none', executionId: 'none' }), (error) => {
    assert.ok(error instanceof RecordRefused);
    assert.deepEqual(error.refusals, [{ pk: 'EXEC#none', sk: 'EXECUTION', message: 'too long' }]);
    return true;
  });
  await writer.close();
});

test('only unprocessed items of a batch are sent again', async () => {
  const writer = new Writer('flowtrail', { client, flushAfterMs: NEVER_MS });
  proxy.rule = async (request, forward) => {
    if (request.operation !== 'BatchWriteItem') return forward();
    const { flowtrail: requests } = request.body.RequestItems;
    const reply = await forward({ RequestItems: { flowtrail: requests.slice(0, 1) } });
    return { ...reply, body: { UnprocessedItems: requests.length > 1 ? { flowtrail: requests.slice(1) } : {} } };
  };
  const run = await writer.startRun({ flowId: 'unprocessed' });
  for (const id of ['a', 'b', 'c']) await run.startStep({ stepId: id, id });
  await writer.flush();
  const batches = proxy.requests.filter((request) => request.operation === 'BatchWriteItem');
  const sizes = batches.map((request) => sortKeysOf(request).length);
  assert.deepEqual(sizes, [3, 2, 1]);
  assert.deepEqual(Object.keys(await server.stepsOf(run.executionId)).sort(), ['a', 'b', 'c']);
  await writer.close();
});

test('a refused record is dropped and reported, others are written', async () => {
  const writer = new Writer('flowtrail', { client, flushAfterMs: NEVER_MS });
  proxy.rule = (request, forward) => {
    const isBad = request.operation === 'BatchWriteItem' && sortKeysOf(request).some((sk) => sk.endsWith('#bad'));
    return isBad ? refusal(400, 'ValidationException', 'no good') : forward();
  };
  const run = await writer.startRun({ flowId: 'refused' });
  for (const id of ['a', 'bad', 'c']) await run.startStep({ stepId: id, id });
  const isRefused = (error) => {
    assert.ok(error instanceof RecordRefused);
    assert.equal(error.refusals.length, 1);
    const [{ pk, sk, message }] = error.refusals;
    assert.equal(pk, `EXEC#${run.executionId}`);
    assert.match(sk, /#bad$/);
    assert.equal(message, 'no good');
    return true;
  };
  await assert.rejects(writer.flush(), isRefused);
  assert.deepEqual(Object.keys(await server.stepsOf(run.executionId)).sort(), ['a', 'c']);
  assert.ok(warnings.some((warning) => warning.includes('#bad')));
  await writer.flush();

  // The end is written nevertheless, because the run must not stay open.
  await run.startStep({ stepId: 'bad', id: 'bad' });
  await assert.rejects(run.complete(), isRefused);
  assert.deepEqual(await run.complete(), { written: true });
  assert.equal((await server.itemsOf(run.executionId)).EXECUTION.status.S, 'COMPLETED');
  await writer.close();
});

test('an outage delays writes and loses no record', async () => {
  const writer = new Writer('flowtrail', { client, flushAfterMs: 10 });
  const run = await writer.startRun({ flowId: 'outage' });
  const early = await run.startStep({ stepId: 'early', id: 'early' });
  await proxy.refuse();
  const refused = client.send.bind(client);
  let failures = 0;
  client.send = (...args) => refused(...args).catch((error) => {
    failures += 1;
    throw error;
  });
  await early.complete();
  const starting = writer.startRun({ flowId: 'outage' });
  const beating = run.heartbeat();
  for (let number = 0; number < 100; number += 1) await run.startStep({ stepId: 'late', id: `late-${number}` });
  const flushing = writer.flush();
  const ending = run.complete('output');
  await until(() => failures >= 10);
  for (const call of [starting, beating, flushing, ending]) assert.equal(await isSettled(call), false);

  await proxy.listen();
  assert.equal(await beating, null);
  await flushing;
  assert.deepEqual(await ending, { written: true });
  const steps = await server.stepsOf(run.executionId);
  assert.equal(Object.keys(steps).length, 101);
  assert.equal(steps.early.status.S, 'COMPLETED');
  const items = await server.itemsOf(run.executionId);
  assert.equal(items.EXECUTION.status.S, 'COMPLETED');
  assert.ok(items['PAYLOAD#output#0000']);
  assert.ok((await server.itemsOf((await starting).executionId)).EXECUTION);
  await writer.close();
});

test('calls time out, and buffered records are retried', async () => {
  const writer = new Writer('flowtrail', { client, writeTimeoutMs: 1_000 });
  const run = await writer.startRun({ flowId: 'unavailable' });
  await run.startStep({ stepId: 'a', id: 'a' });
  await proxy.refuse();
  const calls = [writer.startRun({ flowId: 'unavailable' }), run.heartbeat(), writer.flush(), run.complete('output')];
  for (const { reason } of await Promise.allSettled(calls)) {
    assert.ok(reason instanceof Unavailable);
    assert.equal(reason.cause.code, 'ECONNREFUSED');
  }
  await proxy.listen();
  await until(async () => (await server.stepsOf(run.executionId)).a);
  assert.deepEqual(await run.complete('output'), { written: true });
  await writer.close();
});

test('a call times out if the table never answers', async () => {
  const { opened, open } = gate();
  proxy.rule = () => opened;
  const writer = new Writer('flowtrail', { client, writeTimeoutMs: 200 });
  const began = performance.now();
  await assert.rejects(writer.startRun({ flowId: 'silent' }), Unavailable);
  assert.ok(performance.now() - began < 5_000);
  open();
  await writer.close();
});

test('an end with a lost answer is recognized', async () => {
  let now = 1_000;
  const writer = new Writer('flowtrail', { client, writeTimeoutMs: 300, clock: () => now });
  const run = await writer.startRun({ flowId: 'late' });
  proxy.rule = loseAnswer;
  await assert.rejects(run.complete(), Unavailable);
  proxy.rule = (_, forward) => forward();
  now = 5_000;
  assert.deepEqual(await run.complete(), { written: true });
  assert.equal((await server.itemsOf(run.executionId)).EXECUTION.endTime.S, '1970-01-01T00:00:01.000Z');
  await writer.close();
});

test('a flush does not time out while it makes progress', async () => {
  const writer = new Writer('flowtrail', { client, flushAfterMs: NEVER_MS, writeTimeoutMs: 1_000 });
  const run = await writer.startRun({ flowId: 'slow' });
  // One batch is answered every 250 ms.
  let nextAt = performance.now();
  proxy.rule = async (request, forward) => {
    if (request.operation === 'BatchWriteItem') {
      const at = (nextAt += 250);
      await until(() => performance.now() >= at);
    }
    return forward();
  };
  const began = performance.now();
  for (let number = 0; number < 150; number += 1) await run.startStep({ stepId: 'a', id: `a-${number}` });
  await writer.flush();
  assert.ok(performance.now() - began > 1_000);
  assert.equal(Object.keys(await server.stepsOf(run.executionId)).length, 150);
  await writer.close();
});

test('a key in flight is not sent again', async () => {
  const { opened, open } = gate();
  proxy.rule = firstOf(['BatchWriteItem'], async (_, forward) => {
    await opened;
    return forward();
  });
  const writer = new Writer('flowtrail', { client, flushAfterMs: 0 });
  const run = await writer.startRun({ flowId: 'order' });
  const step = await run.startStep({ stepId: 'a', id: 'a' });
  await until(() => proxy.count('BatchWriteItem') === 1);
  await step.setData('replaced');
  await step.complete('new');
  // Another key is not held up.
  await run.startStep({ stepId: 'b', id: 'b' });
  await until(async () => (await server.stepsOf(run.executionId)).b);
  assert.equal(proxy.count('BatchWriteItem'), 2);
  const flushing = writer.flush();
  assert.equal(await isSettled(flushing), false);

  open();
  await flushing;
  assert.equal(proxy.count('BatchWriteItem'), 3);
  const { a } = await server.stepsOf(run.executionId);
  assert.equal(a.status.S, 'COMPLETED');
  assert.deepEqual(a.executionData, { S: 'replaced' });
  await writer.close();
});

test('a newer record replaces an older one that failed', async () => {
  const { opened, open } = gate();
  proxy.rule = firstOf(['BatchWriteItem'], async () => {
    await opened;
    return refusal(500, 'InternalServerError');
  });
  const writer = new Writer('flowtrail', { client, flushAfterMs: 0 });
  const run = await writer.startRun({ flowId: 'order' });
  const step = await run.startStep({ stepId: 'a', id: 'a' });
  const flushing = writer.flush();
  await until(() => proxy.count('BatchWriteItem') === 1);
  await step.complete();
  open();
  await flushing;
  const [, again] = proxy.requests.filter((request) => request.operation === 'BatchWriteItem');
  const [{ PutRequest: put }] = again.body.RequestItems.flowtrail;
  assert.equal(put.Item.status.S, 'COMPLETED');
  assert.equal((await server.stepsOf(run.executionId)).a.status.S, 'COMPLETED');
  await writer.close();
});

test('a flush waits only for earlier records', async () => {
  const { opened, open } = gate();
  proxy.rule = firstOf(['BatchWriteItem'], async (_, forward) => {
    await opened;
    return forward();
  });
  const writer = new Writer('flowtrail', { client, flushAfterMs: NEVER_MS });
  const run = await writer.startRun({ flowId: 'flush' });
  const step = await run.startStep({ stepId: 'a', id: 'a' });
  const flushing = writer.flush();
  await until(() => proxy.count('BatchWriteItem') === 1);
  await step.complete();
  await run.startStep({ stepId: 'b', id: 'b' });
  open();
  await flushing;
  assert.equal(proxy.count('BatchWriteItem'), 1);
  const steps = await server.stepsOf(run.executionId);
  assert.deepEqual([Object.keys(steps), steps.a.status.S], [['a'], 'RUNNING']);
  await writer.flush();
  assert.equal((await server.stepsOf(run.executionId)).a.status.S, 'COMPLETED');
  await writer.close();
});

test('records are sent after flushAfterMs and in full batches', async () => {
  const waiting = new Writer('flowtrail', { client, flushAfterMs: 20 });
  const run = await waiting.startRun({ flowId: 'due' });
  await run.startStep({ stepId: 'a', id: 'a' });
  await until(async () => (await server.stepsOf(run.executionId)).a);
  await waiting.close();

  const filling = new Writer('flowtrail', { client, flushAfterMs: NEVER_MS });
  const full = await filling.startRun({ flowId: 'due' });
  for (let number = 0; number < 26; number += 1) await full.startStep({ stepId: 'a', id: `a-${number}` });
  await until(async () => Object.keys(await server.stepsOf(full.executionId)).length === 25);
  await filling.close();
  const batches = proxy.requests.filter((request) => request.operation === 'BatchWriteItem');
  const sizes = batches.map((request) => sortKeysOf(request).length);
  assert.deepEqual(sizes, [1, 25, 1]);
});

test('a batch has at most 12 MB', async () => {
  const writer = new Writer('flowtrail', { client, flushAfterMs: NEVER_MS, maxBufferedBytes: 2 ** 30 });
  const run = await writer.startRun({ flowId: 'large' });
  const sizes = [];
  proxy.rule = (request, forward) => {
    if (request.operation !== 'BatchWriteItem') return forward();
    sizes.push(JSON.stringify(request.body).length);
    return { status: 200, body: {} };
  };
  // Random numbers, which compression hardly makes smaller: more than one batch of parts.
  await run.complete(Array.from({ length: 45_000 }, () => Array.from({ length: 30 }, () => Math.random())));
  assert.ok(sizes.length > 1);
  assert.ok(Math.max(...sizes) < 12_100_000, `${sizes}`);
  await writer.close();
});

test('steps wait while the buffer is full', async () => {
  const writer = new Writer('flowtrail', { client, flushAfterMs: NEVER_MS, maxBufferedBytes: 2_000 });
  const run = await writer.startRun({ flowId: 'full' });
  await proxy.refuse();
  const calls = Array.from({ length: 20 }, (_, number) => run.startStep({ stepId: 'a', id: `a-${number}` }));
  // This record is larger than the buffer.
  calls.push(run.startStep({ stepId: 'a', id: 'large', input: 'x'.repeat(4_000) }));
  const settled = await Promise.all(calls.map(isSettled));
  const accepted = settled.filter(Boolean).length;
  assert.ok(accepted > 0 && accepted < 10, `${accepted}`);
  assert.deepEqual(settled, [...settled].sort().reverse());

  await proxy.listen();
  const steps = await Promise.all(calls);
  assert.equal(steps[20].sequenceNumber, 21);
  assert.deepEqual(await run.complete(), { written: true });
  assert.equal(Object.keys(await server.stepsOf(run.executionId)).length, 21);
  await writer.close();
});

test('a close times out and throws', async () => {
  const writer = new Writer('flowtrail', { client, writeTimeoutMs: 1_000, maxBufferedBytes: 100 });
  const run = await writer.startRun({ flowId: 'lost' });
  await proxy.refuse();
  await run.startStep({ stepId: 'a', id: 'a' });
  const waiting = run.startStep({ stepId: 'b', id: 'b' });
  const ending = run.complete();
  const outcomes = Promise.allSettled([waiting, ending, writer.close(), writer.close()]);
  const [step, end, ...closes] = (await outcomes).map(({ reason }) => reason);
  assert.ok(step instanceof WriterClosed);
  assert.ok(end instanceof Unavailable);
  for (const close of closes) assert.ok(close instanceof Unavailable);
  await proxy.listen();
  assert.deepEqual(await server.stepsOf(run.executionId), {});
});

test('a close during an outage writes all records after it', async () => {
  const writer = new Writer('flowtrail', { client, flushAfterMs: NEVER_MS });
  const run = await writer.startRun({ flowId: 'close' });
  await run.startStep({ stepId: 'a', id: 'a' });
  await proxy.refuse();
  const closing = writer.close();
  assert.equal(await isSettled(closing), false);
  await proxy.listen();
  await closing;
  assert.ok((await server.stepsOf(run.executionId)).a);
});

test('the run of a killed process is readable', async () => {
  const { child, ended, lines } = startChild('steps.mjs', server.tableUrl);
  await until(() => lines().length > 30);
  child.kill('SIGKILL');
  await ended;
  const [executionId, ...flushed] = lines();
  const { data } = await server.ask(`/flow-executions/${executionId}`);
  assert.equal(data.metadata.status, 'RUNNING');
  const shown = new Set(data.steps.filter((step) => step.status === 'COMPLETED').map((step) => step.stepInstanceId));
  for (const id of flushed) assert.ok(shown.has(id), id);

  const writer = new Writer('flowtrail', { client });
  const run = await writer.startRun({ flowId: 'killed', executionId });
  assert.equal(run.resumed, true);
  assert.deepEqual(await run.fail('it was killed'), { written: true });
  await writer.close();
});

test('buffered records do not keep a process alive', async () => {
  const { child, ended } = startChild('idle.mjs', server.tableUrl);
  const [status] = await ended;
  assert.deepEqual([status, child.killed], [0, false]);
});

test('a waiting call keeps its process alive', async () => {
  for (const call of ['end', 'room']) {
    proxy.requests.length = 0;
    const { ended, lines } = startChild('waiting.mjs', proxy.url, call);
    await until(() => lines().length === 1);
    await proxy.refuse();
    const isOver = ended.then(() => true);
    await until(() => lines().includes('waits'));
    await proxy.listen();
    await isOver;
    assert.deepEqual(lines().slice(1), ['waits', 'done']);
    assert.equal((await ended)[0], 0);
  }
});
