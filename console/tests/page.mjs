// Common parts of page tests: a page in a fresh browser context, and records in the server's table.
// Every test fails on a console error, a page error or a violation of the content security policy.
import { after, before } from "node:test";
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";

export { until } from "./browser.mjs";

export const BASE = `${process.env.FLOWTRAIL_URL}/`;
const TABLE = `${process.env.FLOWTRAIL_TABLE_URL}/`;
export const TOKEN = process.env.FLOWTRAIL_TOKEN;
const DEADLINE = 15_000;
/** Marks all records that a test file writes. */
export const MARK = `e2e-${Date.now()}`;

let browser;
before(async () => {
  assert.ok(TOKEN, "run it with with_server.mjs");
  browser = await launch();
});
after(() => browser?.close());

/** Runs a test in a fresh browser context; `expected` console errors are ignored. */
export async function withPage(options, work) {
  const { token = TOKEN, hash = "#/runs", expected = [], ...contextOptions } = options;
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...contextOptions });
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  const bad = [];
  page.on("pageerror", (error) => bad.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.some((text) => message.text().includes(text))) bad.push(message.text());
  });
  page.on("dialog", (dialog) => {
    bad.push(`dialog ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  if (token) {
    await page.addInitScript((text) => {
      if (!sessionStorage.seeded) {
        sessionStorage.seeded = "1";
        sessionStorage.setItem("flowtrail.token", text);
      }
    }, token);
  }
  try {
    await page.goto(BASE + hash);
    await work(page, context);
    assert.deepEqual(bad, []);
  } finally {
    await context.close();
  }
}

export const rows = (page) => page.locator("tr.run");
export const query = (page) => new URLSearchParams(new URL(page.url()).hash.split("?")[1] ?? "");

/** Converts texts, numbers and maps to DynamoDB's format. */
function attributesOf(record) {
  const valueOf = (value) => {
    if (typeof value === "object") return { M: attributesOf(value) };
    return typeof value === "number" ? { N: String(value) } : { S: value };
  };
  const given = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, valueOf(value)]));
}

export async function put(fields) {
  const now = new Date().toISOString();
  const record = {
    sk: "EXECUTION",
    teamId: "default",
    status: "RUNNING",
    createdAt: now,
    startTime: now,
    flowId: MARK,
    ...fields,
    pk: `EXEC#${fields.executionId}`,
  };
  const Item = attributesOf(record);
  const answer = await fetch(TABLE, {
    method: "POST",
    body: JSON.stringify({ TableName: "flowtrail", Item }),
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "DynamoDB_20120810.PutItem",
      authorization:
        "AWS4-HMAC-SHA256 Credential=any/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    },
  });
  assert.equal(answer.status, 200, await answer.text());
  return record;
}
