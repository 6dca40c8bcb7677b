// What the tests share: a server of their own, clients of its table and of its API, and a proxy
// before the table that can be told to fail.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { startServer as start } from '../../../console/tests/server.mjs';

const DEADLINE_MS = 30_000;
const POLL_MS = 10;

/** The program `flowtrail`, on an empty table. */
export async function startServer() {
  const program = process.env.FLOWTRAIL_PROGRAM;
  assert.ok(program, 'FLOWTRAIL_PROGRAM names the program flowtrail');
  const server = await start(program, ['--no-demo']);
  const client = clientOf(server.tableUrl);

  /** Asks the API; a path or a method that it refuses is a mistake of the test. */
  async function ask(path, options = {}) {
    const headers = { authorization: `Bearer ${server.token}` };
    const answer = await fetch(`${server.url.replace(/\/$/, '')}${path}`, { ...options, headers });
    const body = await answer.text();
    assert.ok(answer.ok, `${path}: ${answer.status} ${body}`);
    return body === '' ? undefined : JSON.parse(body);
  }

  /** All items of a run, by sort key. */
  async function itemsOf(executionId) {
    const items = {};
    let ExclusiveStartKey;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: 'flowtrail',
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: `EXEC#${executionId}` } },
          ExclusiveStartKey,
        }),
      );
      for (const item of page.Items) items[item.sk.S] = item;
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
    return items;
  }

  /** The run's steps, by id. */
  async function stepsOf(executionId) {
    const items = Object.values(await itemsOf(executionId));
    const steps = items.filter((item) => item.stepInstanceId);
    return Object.fromEntries(steps.map((step) => [step.stepInstanceId.S, step]));
  }

  const cancel = (executionId, reason) =>
    ask(`/api/executions/${executionId}/cancel`, { method: 'POST', body: JSON.stringify({ reason }) });

  async function stop() {
    client.destroy();
    await server.stop();
  }
  return { ...server, client, ask, cancel, itemsOf, stepsOf, stop };
}

/** A client of a table's endpoint. `maxAttempts: 1` shows each failure to the writer. */
export function clientOf(endpoint, options = {}) {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  return new DynamoDBClient({ endpoint, region: 'local', credentials, ...options });
}

/** Waits until a condition holds. */
export async function until(condition) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const result = await condition();
    if (result) return result;
    assert.ok(Date.now() < deadline, `in vain: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whether a promise has an outcome by now. */
export async function isSettled(promise) {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

/** A promise, and how to resolve it. */
export function gate() {
  let open;
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/**
 * A proxy before a table's endpoint. It keeps each request that it gets, as `{ operation, body }`,
 * and has `rule(request, forward)` answer it, with `{ status, body }`; without an answer the
 * connection breaks.
 */
export async function startProxy(target) {
  const proxy = { requests: [], rule: (_, forward) => forward() };

  async function answer(request, response) {
    const chunks = await request.toArray();
    const body = Buffer.concat(chunks);
    const operation = request.headers['x-amz-target'].split('.').at(-1);
    const received = { operation, body: JSON.parse(body) };
    proxy.requests.push(received);

    async function forward(changed = received.body) {
      const { host, 'content-length': length, connection, ...headers } = request.headers;
      const reply = await fetch(target, { method: 'POST', headers, body: JSON.stringify(changed) });
      return { status: reply.status, body: await reply.json() };
    }
    const reply = await proxy.rule(received, forward);
    if (!reply) {
      response.destroy();
      return;
    }
    response.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(reply.body));
  }

  let server;
  let port = 0;
  /** Takes connections, on the same port each time. */
  proxy.listen = async () => {
    server = createServer(answer);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = server.address().port;
    proxy.url = `http://127.0.0.1:${port}`;
  };
  /** Breaks all connections, and refuses new ones. */
  proxy.refuse = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  proxy.count = (operation) => proxy.requests.filter((request) => request.operation === operation).length;
  await proxy.listen();
  return proxy;
}

/** The sort keys of the items of a batch. */
export function sortKeysOf({ body }) {
  return Object.values(body.RequestItems).flat().map((request) => request.PutRequest.Item.sk.S);
}

/** An error as DynamoDB answers it. */
export function refusal(status, name, message = name) {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message } };
}

/** A program of the folder `children`, with what it has written so far. */
export function startChild(name, ...args) {
  const path = fileURLToPath(new URL(`children/${name}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  return { child, ended, lines: () => output.split('\n').slice(0, -1) };
}

/** An attribute as JSON. */
export function plain(attribute) {
  const [[type, value]] = Object.entries(attribute);
  if (type === 'N') return Number(value);
  if (type === 'NULL') return null;
  if (type === 'L') return value.map(plain);
  if (type !== 'M') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

/** The JSON text of a payload in bytes, from its items by sort key. */
export function textOfPayload(items, payload) {
  const keys = Object.keys(items).filter((sk) => sk.startsWith(`${payload}#`)).sort();
  const first = items[keys[0]];
  assert.equal(Number(first.parts.N), keys.length);
  const bytes = Buffer.concat(keys.map((sk) => items[sk].bytes.B));
  return first.encoding.S === 'json+zstd' ? zlib.zstdDecompressSync(bytes).toString() : bytes.toString();
}

export function decoded(items, payload) {
  return JSON.parse(textOfPayload(items, payload));
}
