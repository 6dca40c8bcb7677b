// Records in an engine's format, for the tests of the page of one run.
import assert from "node:assert/strict";

const TABLE = `${process.env.FLOWTRAIL_TABLE_URL}/`;
/** The maximum bytes of a part: an item is limited to 400 KB. */
const PART = 390_000;

export const T0 = Date.now() - 3_600_000;
export const iso = (ms) => new Date(T0 + ms).toISOString();

function attribute(value) {
  if (value === null) return { NULL: true };
  if (typeof value === "string") return { S: value };
  if (typeof value === "number" || typeof value === "bigint") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (value instanceof Uint8Array) return { B: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return { L: value.map(attribute) };
  return {
    M: Object.fromEntries(
      Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .map(([key, each]) => [key, attribute(each)]),
    ),
  };
}

async function table(operation, body) {
  const response = await fetch(TABLE, {
    method: "POST",
    body: JSON.stringify(body),
    headers: {
      "x-amz-target": `DynamoDB_20120810.${operation}`,
      "content-type": "application/x-amz-json-1.0",
      authorization:
        "AWS4-HMAC-SHA256 Credential=any/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    },
  });
  const text = await response.text();
  assert.ok(response.ok, `${operation}: ${text}`);
  return JSON.parse(text);
}

export const put = (item) => table("PutItem", { TableName: "flowtrail", Item: attribute(item).M });

export async function putAll(items) {
  for (let at = 0; at < items.length; at += 25) {
    await table("BatchWriteItem", {
      RequestItems: {
        flowtrail: items.slice(at, at + 25).map((item) => ({ PutRequest: { Item: attribute(item).M } })),
      },
    });
  }
}

export const execution = (id, more = {}) => ({
  pk: `EXEC#${id}`,
  sk: "EXECUTION",
  executionId: id,
  teamId: "default",
  flowId: "e2e-run",
  flowName: "Run page test",
  createdAt: iso(0),
  startTime: iso(0),
  status: "COMPLETED",
  endTime: iso(10_000),
  trigger: "API",
  ...more,
});

export const step = (run, id, from, to, more = {}) => ({
  pk: `EXEC#${run}`,
  sk: `STEP#${iso(from)}#${id}`,
  stepInstanceId: id,
  stepId: id,
  stepName: id,
  stepType: "SCRIPT",
  status: "COMPLETED",
  startTime: iso(from),
  ...(to === null ? {} : { endTime: iso(to) }),
  ...more,
});

export const branchStep = (run, fork, forkFrom, branch, id, from, to, more = {}) => ({
  ...step(run, id, from, to),
  sk: `BRANCH#${iso(forkFrom)}#${fork}#${branch}#${iso(from)}#${id}`,
  branchExecutionId: branch,
  branchId: `lane_${branch}`,
  parentStepInstanceId: fork,
  parentStepStartTime: iso(forkFrom),
  ...more,
});

export const FORK = { stepType: "PARALLEL_FORK_MANAGER" };

/** A payload of a run as a native value. */
export const payload = (run, name, value) => ({ pk: `EXEC#${run}`, sk: `PAYLOAD#${name}#0000`, value });

/** A JSON payload in parts, as an engine writes payloads that are too large for a step. */
export async function putParts(run, name, value) {
  const text = Buffer.from(JSON.stringify(value));
  const parts = Math.ceil(text.length / PART);
  for (let part = 0; part < parts; part += 1) {
    const bytes = text.subarray(part * PART, (part + 1) * PART);
    await put({
      pk: `EXEC#${run}`,
      sk: `PAYLOAD#${name}#${String(part).padStart(4, "0")}`,
      bytes,
      ...(part === 0 ? { encoding: "json", parts } : {}),
    });
  }
}
