// Nested steps on the page of one run: lanes below their parents, at any depth, and their payloads.
// Run it with with_server.mjs; SHOTS is a folder for screenshots.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, overflow } from "./browser.mjs";
import { execution, payload, put, putAll, step, T0 } from "./records.mjs";
import { begin, end, open, rowOf, runs, shot } from "./run-page.mjs";

const RUN = `nested-${Date.now().toString(36)}`;

before(begin);
after(end);

const nested = (id, name, parent, from, to, more = {}) =>
  step(id, name, from, to, { parentStepInstanceId: parent, ...more });

/** An agent that calls a model and two tools at the same time; one tool calls a service. */
const agentRun = (id) => [
  execution(id, { status: "FAILED", errorMessage: "the search failed" }),
  step(id, "agent", 0, 9000, { stepType: "AGENT", status: "FAILED", errorMessage: "the search failed" }),
  nested(id, "plan", "agent", 100, 2000, { stepType: "LLM" }),
  nested(id, "search", "agent", 2100, 8000, { stepType: "TOOL", status: "FAILED", errorMessage: "the search failed" }),
  nested(id, "weather", "agent", 2200, 4000, { stepType: "TOOL" }),
  nested(id, "request", "search", 2300, 7000, {
    stepType: "CLIENT",
    status: "FAILED",
    errorMessage: "the search failed",
  }),
  step(id, "report", 9100, 9900),
];

test("nested steps are in lanes below their parents", async () => {
  const id = `${RUN}-lanes`;
  await putAll(agentRun(id));
  const { page, finish } = await open(runs(id));
  // The step that failed first is the innermost one, so its parents are expanded.
  await page.locator(".run-cause", { hasText: "First failed step: request in lane-1" }).waitFor();
  await page.locator(".tl-selected", { hasText: "request" }).waitFor();
  const labels = await page.locator(".tl-label").allTextContents();
  const expected = ["agent", "lane-1", "plan", "search", "lane-1", "request", "lane-2", "weather", "report"];
  assert.deepEqual(labels, expected);
  assert.equal(await rowOf(page, "agent").locator(".tl-type").first().textContent(), "AGENT");
  await axe(page);
  await overflow(page);
  await shot(page, "nested-steps");
  await finish();
});

/** A trace: the root is the run itself, and three of the steps below it overlap. */
const traceRun = (id) => [
  execution(id, { status: "FAILED", errorMessage: "out of stock" }),
  nested(id, "validate", "root", 0, 1000),
  nested(id, "pack-a", "root", 1000, 4000),
  nested(id, "pack-b", "root", 1000, 5000, { status: "FAILED", errorMessage: "out of stock" }),
  nested(id, "pack-c", "root", 4500, 6000),
  nested(id, "ship", "root", 7000, 9000),
];

test("overlapping steps of the root are lanes of a fork", async () => {
  const id = `${RUN}-added`;
  await putAll(traceRun(id));
  await put(payload(id, "step:pack-c:output", { box: "large", map: "x".repeat(20_000) }));
  const { page, finish } = await open(runs(id));
  await page.locator(".run-cause", { hasText: "First failed step: pack-b in lane-2" }).waitFor();
  await page.locator(".tl-selected", { hasText: "pack-b" }).waitFor();
  const labels = await page.locator(".tl-label").allTextContents();
  const lanes = ["lane-1", "pack-a", "pack-c", "lane-2", "pack-b"];
  assert.deepEqual(labels, ["validate", "3 overlapping steps", ...lanes, "ship"]);
  assert.equal(await rowOf(page, "3 overlapping steps").locator(".tl-type").first().textContent(), "fork");
  await rowOf(page, "pack-c").click();
  await page.locator(".inspector").getByText("large").first().waitFor();
  await axe(page);
  await shot(page, "nested-added-fork");
  await page.getByRole("tab", { name: "Table" }).or(page.getByRole("link", { name: "Table" })).first().click();
  await page.locator(".st-row", { hasText: "3 overlapping steps" }).first().waitFor();
  await finish();
});

test("the payload of a nested step is loaded by its lane", async () => {
  const id = `${RUN}-payload`;
  await putAll(agentRun(id));
  await put(payload(id, "step:weather:output", { forecast: "sun and rain", map: "x".repeat(20_000) }));
  const { page, finish } = await open(runs(id, "?step=weather&open=agent"));
  await page.locator(".inspector").getByText("sun and rain").first().waitFor();
  await finish();
});

test("a step moves to another lane when an earlier one is written", async () => {
  const id = `${RUN}-moves`;
  const running = { status: "RUNNING" };
  // A run that has changed a moment ago is read again soon.
  const now = Date.now() - T0;
  await putAll([
    execution(id, { ...running, endTime: undefined }),
    step(id, "parent", now - 9000, null, running),
    nested(id, "second", "parent", now - 7000, now - 4000),
  ]);
  const { page, finish } = await open(runs(id, "?open=parent"));
  await page.locator(".tl-label", { hasText: "second" }).waitFor();
  await put(nested(id, "first", "parent", now - 8000, now - 5000));
  await page.locator(".tl-label", { hasText: "lane-2" }).waitFor();
  const labels = await page.locator(".tl-label").allTextContents();
  assert.deepEqual(labels, ["parent", "lane-1", "first", "lane-2", "second"]);
  await finish();
});

test("a step leaves the top level when its parent is written", async () => {
  const id = `${RUN}-parent`;
  const running = { status: "RUNNING" };
  const now = Date.now() - T0;
  await putAll([
    execution(id, { ...running, endTime: undefined }),
    nested(id, "child", "parent", now - 5000, now - 4000),
  ]);
  const { page, finish } = await open(runs(id, "?open=parent"));
  await page.locator(".tl-label", { hasText: "child" }).waitFor();
  await put(step(id, "parent", now - 6000, null, running));
  await page.locator(".tl-label", { hasText: "lane-1" }).waitFor();
  const labels = await page.locator(".tl-label").allTextContents();
  assert.deepEqual(labels, ["parent", "lane-1", "child"]);
  await finish();
});

test("steps below a step that has ended appear while the run is open", async () => {
  const id = `${RUN}-background`;
  const now = Date.now() - T0;
  await putAll([
    execution(id, { status: "RUNNING", endTime: undefined }),
    step(id, "request", now - 9000, now - 8000),
    nested(id, "first", "request", now - 8900, now - 8500),
  ]);
  const { page, finish } = await open(runs(id, "?open=request"));
  await page.locator(".tl-label", { hasText: "first" }).waitFor();
  await put(nested(id, "second", "request", now - 7000, now - 4000));
  await page.locator(".tl-label", { hasText: "second" }).waitFor();
  await finish();
});
