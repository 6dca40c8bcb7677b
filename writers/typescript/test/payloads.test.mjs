// Payloads: values as attributes or as JSON text.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as zlib from 'node:zlib';
import { PayloadTooLarge, Writer } from 'flowtrail-writer';
import { plain, startServer, textOfPayload } from './support.mjs';

let server;
let writer;

before(async () => {
  server = await startServer();
  writer = new Writer('flowtrail', { client: server.client });
});

after(async () => {
  await writer?.close();
  await server?.stop();
});

/** Writes a value as the output of a step and of its run, and returns what is stored and shown. */
async function writeOutput(output) {
  const run = await writer.startRun({ flowId: 'payloads' });
  const step = await run.startStep({ stepId: 'a', id: 'a' });
  await step.complete(output);
  await run.complete(output);
  const items = await server.itemsOf(run.executionId);
  const details = await server.ask(`/flow-executions/${run.executionId}`);
  const { outputData } = await server.ask(`/api/executions/${run.executionId}`);
  const step_ = Object.values(items).find((item) => item.stepInstanceId);
  return { items, step: step_, shown: [details.data.steps[0].output, outputData] };
}

function nested(levels) {
  let value = 'core';
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { value };
  return value;
}

test('a small value is an attribute', async () => {
  const value = {
    text: 'größer',
    empty: '',
    numbers: [0, -0.5, 1e21, 1.5e-100, 9007199254740993n, 12345678901234567890123456789012345678n, 10n ** 100n],
    others: [true, false, null, [], {}],
  };
  const { items, step } = await writeOutput(value);
  assert.deepEqual(step.output.M.numbers.L.slice(4, 6), [
    { N: '9007199254740993' },
    { N: '12345678901234567890123456789012345678' },
  ]);
  const expected = { ...value, numbers: value.numbers.map(Number) };
  assert.deepEqual(plain(step.output), expected);
  assert.deepEqual(plain(items['PAYLOAD#output#0000'].value), expected);
  assert.equal(items['PAYLOAD#step:a:output#0000'], undefined);
});

test('values are read as JSON.stringify reads them', async () => {
  class Box {
    size = 1;
    #secret = 2;
  }
  const value = {
    date: new Date(0),
    left: undefined,
    call: () => 1,
    list: [undefined, () => 1, Number.NaN, -Infinity],
    boxed: [new Number(1), new String('a'), new Boolean(false), Object(1n)],
    box: new Box(),
    keyed: { toJSON: (key) => `by ${key}` },
  };
  const { step, shown } = await writeOutput(value);
  const { boxed, ...others } = plain(step.output);
  const { boxed: _, ...given } = value;
  assert.deepEqual(others, JSON.parse(JSON.stringify(given)));
  assert.deepEqual(boxed, [1, 'a', false, 1]);
  assert.deepEqual(shown[0], plain(step.output));
});

test('both encoders write the same JSON text', async () => {
  const value = {
    texts: ['"\\ \n\u2028', '\\ud800', 'ü😀', ''],
    numbers: [0, -0, 1e21, 1e-7, 0.1, -5, 2 ** 53, Number.NaN],
    others: [true, null, undefined, [], {}, new Date(0), new String('a'), { left: undefined, 'k"': 1 }, [, 1]],
    long: 'x'.repeat(9_000),
  };
  // Only the slower encoder accepts a bigint.
  const [{ items }, { items: walked }] = [await writeOutput({ first: 1, value }), await writeOutput({ first: 1n, value })];
  const text = textOfPayload(items, 'PAYLOAD#output');
  assert.equal(text, JSON.stringify({ first: 1, value }));
  assert.equal(textOfPayload(walked, 'PAYLOAD#output'), text);
});

test('a value above the limit is a payload item', async () => {
  const native = 'x'.repeat(8_190);
  assert.deepEqual((await writeOutput(native)).step.output, { S: native });
  const { step, items, shown } = await writeOutput(`${native}x`);
  assert.equal(step.output, undefined);
  assert.equal(textOfPayload(items, 'PAYLOAD#step:a:output'), `"${native}x"`);
  assert.equal(textOfPayload(items, 'PAYLOAD#output'), `"${native}x"`);
  assert.deepEqual(shown, [`${native}x`, `${native}x`]);
});

test('a value that no attribute can hold is a payload item', async () => {
  const values = [
    1e126,
    1e300,
    -1e-131,
    10n ** 126n,
    123456789012345678901234567890123456789n,
    { '': 1 },
    { inner: [{ '': 1 }] },
    JSON.parse('{"__proto__": 1}'),
    nested(29),
    nested(500),
  ];
  for (const value of values) {
    const { step, items } = await writeOutput(value);
    assert.equal(step.output, undefined);
    const text = textOfPayload(items, 'PAYLOAD#step:a:output');
    if (typeof value === 'bigint') assert.equal(text, value.toString());
    else assert.deepEqual(JSON.parse(text), value);
    assert.equal(items['PAYLOAD#output#0000'].value, undefined);
  }
  assert.ok((await writeOutput(nested(28))).step.output);
});

test('NaN as a whole value is null', async () => {
  assert.deepEqual((await writeOutput(Number.NaN)).step.output, { NULL: true });
  assert.deepEqual((await writeOutput(null)).step.output, { NULL: true });
  assert.equal((await writeOutput(undefined)).step.output, undefined);
});

test('a large payload is stored in parts', async () => {
  // Random numbers, so that zstd does not shrink them to one part.
  const value = Array.from({ length: 60_000 }, () => Math.random());
  const { items, shown } = await writeOutput(value);
  const parts = Object.values(items).filter((item) => item.sk.S.startsWith('PAYLOAD#output#'));
  assert.ok(parts.length > 1);
  assert.ok(parts.slice(0, -1).every((part) => part.bytes.B.length === 390_000));
  assert.ok(parts.slice(1).every((part) => !part.encoding && !part.parts));
  assert.deepEqual(shown[1], value);
});

test('a payload is compressed if this Node.js supports it', async () => {
  const { items } = await writeOutput({ text: 'again '.repeat(5_000) });
  const { encoding, bytes } = items['PAYLOAD#output#0000'];
  const isCompressed = typeof zlib.zstdCompress === 'function';
  assert.equal(encoding.S, isCompressed ? 'json+zstd' : 'json');
  assert.equal(bytes.B.length < 1_000, isCompressed);
});

test('each payload of a step is written once', async () => {
  const run = await writer.startRun({ flowId: 'payloads' });
  const step = await run.startStep({ stepId: 'a', id: 'a', input: 'in '.repeat(5_000), data: { small: 1 } });
  await writer.flush();
  const itemsBefore = await server.itemsOf(run.executionId);
  await step.setData('data '.repeat(5_000));
  await writer.flush();
  const large = await server.stepsOf(run.executionId);
  assert.equal(large.a.executionData, undefined);
  await step.setData({ small: 2 });
  await step.complete();
  await run.complete();

  const items = await server.itemsOf(run.executionId);
  const input = 'PAYLOAD#step:a:input#0000';
  assert.deepEqual(items[input], itemsBefore[input]);
  const { data } = await server.ask(`/flow-executions/${run.executionId}`);
  assert.deepEqual(data.steps[0].executionData, { small: 2 });
  assert.equal(data.steps[0].input, 'in '.repeat(5_000));
});

test('a value of more than 64 MiB is refused before a write', async () => {
  const tooLarge = 'ü'.repeat(32 * 1024 * 1024);
  const executionId = 'too-large';
  const isTooLarge = (field) => (error) => error instanceof PayloadTooLarge && error.field === field;
  await assert.rejects(writer.startRun({ flowId: 'large', executionId, input: tooLarge }), isTooLarge('input'));
  assert.deepEqual(await server.itemsOf(executionId), {});

  const run = await writer.startRun({ flowId: 'large', executionId });
  const step = await run.startStep({ stepId: 'a', id: 'a' });
  await assert.rejects(step.complete([tooLarge]), isTooLarge('output'));
  await assert.rejects(run.complete(1, { number: 1n, tooLarge }), isTooLarge('context'));
  await writer.flush();
  assert.equal((await server.stepsOf(executionId)).a.status.S, 'RUNNING');
  assert.equal((await server.itemsOf(executionId)).EXECUTION.status.S, 'RUNNING');

  // The step and the run can still end.
  await step.fail('too large');
  assert.deepEqual(await run.fail('too large'), { written: true });
});

test('inlinePayloadBytes sets the limit for attributes', async () => {
  const small = new Writer('flowtrail', { client: server.client, inlinePayloadBytes: 0 });
  const run = await small.startRun({ flowId: 'payloads', input: 1 });
  await small.close();
  const items = await server.itemsOf(run.executionId);
  assert.equal(textOfPayload(items, 'PAYLOAD#input'), '1');
});
