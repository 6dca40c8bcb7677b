// Helpers of the tests: a server, clients for its table and its API, and a proxy in front of the
// table that can simulate failures.

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

/** Starts the program `flowtrail` with an empty table. */
export async function startServer() {
  const program = process.env.FLOWTRAIL_PROGRAM;
  assert.ok(program, 'Set FLOWTRAIL_PROGRAM to the path of the program flowtrail');
  const server = await start(program, ['--no-demo']);
  const client = clientOf(server.tableUrl);

  /** Sends a request to the API. A refused request fails the test. */
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

/** A client for a table's endpoint. With `maxAttempts: 1` the writer sees each failure. */
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
    assert.ok(Date.now() < deadline, `not within ${DEADLINE_MS} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whether a promise is already resolved or rejected. */
export async function isSettled(promise) {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

/** A promise, and the function that resolves it. */
export function gate() {
  let open;
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/**
 * A proxy in front of a table's endpoint. It records each request as `{ operation, body }`, and calls
 * `rule(request, forward)` for the answer, `{ status, body }`. Without an answer it breaks the
 * connection.
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
  /** Accepts connections, always on the same port. */
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

/** An error in DynamoDB's format. */
export function refusal(status, name, message = name) {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message } };
}

/** Starts a program of the folder `children`. `lines` returns its output so far. */
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

/** The plain value of an attribute. */
export function plain(attribute) {
  const [[type, value]] = Object.entries(attribute);
  if (type === 'N') return Number(value);
  if (type === 'NULL') return null;
  if (type === 'L') return value.map(plain);
  if (type !== 'M') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

/** The JSON text of a payload, joined from its items. */
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
