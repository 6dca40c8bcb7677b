// A run's input and output on its page, and the search in values. Run it with with_server.mjs;
// SHOTS is a folder for screenshots.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { axe, overflow } from "./browser.mjs";
import { execution, payload, putAll, putParts, step } from "./records.mjs";
import { begin, end, open, runs, shot } from "./run-page.mjs";

const RUN = `payloads-${Date.now().toString(36)}`;

before(begin);
after(end);

const card = (page, name) =>
  page.locator(".run-payload", { has: page.getByRole("button", { name: new RegExp(`^${name}`) }) });

/** Whether a search hit is visible in its element and not covered. */
const isSeen = (mark) =>
  mark.evaluate((element) => {
    const [own, box] = [element.getBoundingClientRect(), element.closest(".json-box").getBoundingClientRect()];
    const top = document.elementFromPoint(own.left + own.width / 2, own.top + own.height / 2);
    return own.width > 0 && own.left >= box.left && own.right <= box.right && element.contains(top);
  });

test("a small input, output and data are expanded and masked", async () => {
  const id = `${RUN}-small`;
  await putAll([
    execution(id),
    step(id, "work", 0, 9000),
    payload(id, "input", { orderId: 42, password: "hunter2" }),
    payload(id, "output", { invoice: { id: "INV-1" } }),
    payload(id, "data", { "queue.name": "orders", token: "hunter2" }),
    payload(id, "context", { last: "one" }),
  ]);
  const { page, finish } = await open(runs(id));
  await card(page, "Input").locator(".json-row", { hasText: "orderId" }).waitFor();
  await card(page, "Input").getByText("masked: secret").waitFor();
  await card(page, "Output").locator(".json-row", { hasText: "INV-1" }).waitFor();
  await card(page, "Data").locator(".json-row", { hasText: "orders" }).waitFor();
  await card(page, "Data").getByText("masked: secret").waitFor();
  assert.equal(await card(page, "Context").locator(".json-row").count(), 0);
  await axe(page);
  await shot(page, "payloads-small");
  await card(page, "Context")
    .getByRole("button", { name: /^Context/ })
    .click();
  await card(page, "Context").locator(".json-row", { hasText: "one" }).waitFor();
  await page.getByRole("button", { name: "More actions" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: /Download as JSON/ }).click(),
  ]);
  const run = JSON.parse(readFileSync(await download.path(), "utf8"));
  assert.deepEqual([run.input.orderId, run.output], [42, { invoice: { id: "INV-1" } }]);
  assert.equal(run.executionData["queue.name"], "orders");
  await finish();
});

test("a large input is collapsed, a larger one loads on request", async () => {
  const id = `${RUN}-large`;
  await putAll([
    execution(id),
    step(id, "work", 0, 9000),
    payload(id, "input", { note: "first", lines: Array.from({ length: 300 }, (_, n) => ({ n })) }),
  ]);
  await putParts(
    id,
    "output",
    Array.from({ length: 30_000 }, (_, n) => `line ${n} of a long list`),
  );
  const { page, finish } = await open(runs(id), { width: 360, height: 740 });
  await card(page, "Input")
    .getByText(/lines: \[300\], note: first/)
    .waitFor();
  assert.equal(await page.locator(".run-payloads .json-row").count(), 0);
  await card(page, "Output")
    .getByText(/^\d+\.\d kB$/)
    .waitFor();
  await card(page, "Input")
    .getByRole("button", { name: /^Input/ })
    .click();
  await card(page, "Input").getByText("300 items").waitFor();
  let asked = 0;
  page.on("request", (request) => {
    asked += request.url().includes("runPayloads=output") ? 1 : 0;
  });
  await card(page, "Output")
    .getByRole("button", { name: /^Output/ })
    .click();
  const load = card(page, "Output").getByRole("button", { name: "Load" });
  await load.waitFor();
  assert.equal(asked, 0);
  await load.click();
  await card(page, "Output").getByText("line 0 of").waitFor();
  assert.ok((await overflow(page)) <= 0);
  await axe(page);
  await shot(page, "payloads-large");
  await finish();
});

test("a run without input and output does not show them", async () => {
  const id = `${RUN}-none`;
  await putAll([execution(id), step(id, "work", 0, 9000)]);
  const { page, finish } = await open(runs(id));
  await page.locator(".tl-row").first().waitFor();
  assert.equal(await page.locator(".run-payloads").count(), 0);
  await finish();
});

test("a hit anywhere in a value or a name is visible", async () => {
  const id = `${RUN}-hits`;
  const words = "some words before it ".repeat(40);
  const input = {
    line: `${"a line that is shorter than the cut but not than the pane ".repeat(2)}needle`,
    long: `${words}NEEDLE ${words}needle`,
    lines: `${"one more line\n".repeat(30)}needle at the end`,
    [`${"a_long_name_".repeat(9)}needle`]: 1,
  };
  await putAll([execution(id), step(id, "work", 0, 9000, { input })]);
  const { page, finish } = await open(runs(id, "?step=work"));
  const tree = page.locator(".inspector .json");
  await tree.getByRole("searchbox").fill("needle");
  for (let at = 1; at <= 5; at += 1) {
    await tree.getByText(`${at} of 5`).waitFor();
    const mark = tree.locator(".json-hit mark").first();
    await mark.waitFor();
    assert.equal((await mark.textContent()).toLowerCase(), "needle");
    assert.ok(await isSeen(mark), `hit ${at} is not seen`);
    if (at < 5) await tree.getByRole("button", { name: "Next" }).click();
  }
  await shot(page, "payloads-hits");
  await finish();
});

test("a hit across two unfolded lines is marked in both", async () => {
  const id = `${RUN}-over`;
  const text = Array.from({ length: 400 }, (_, n) => `<${String(n).padStart(3, "0")}>`).join("");
  await putAll([execution(id), step(id, "work", 0, 9000, { input: { text } })]);
  const { page, finish } = await open(runs(id, "?step=work"));
  const tree = page.locator(".inspector .json");
  await tree.locator(".json-row", { hasText: "<000>" }).click();
  const [first, second] = await tree.locator(".json-text").allTextContents();
  const over = first.slice(-4) + second.slice(0, 4);
  await tree.getByRole("searchbox").fill(over);
  await tree.getByText("1 of 1").waitFor();
  await tree.locator("mark").nth(1).waitFor();
  assert.deepEqual(await tree.locator("mark").allTextContents(), [first.slice(-4), second.slice(0, 4)]);
  await finish();
});

test("a hit beyond the maximum number of rows is shown", async () => {
  const id = `${RUN}-rows`;
  await putAll([execution(id), step(id, "work", 0, 9000)]);
  await putParts(
    id,
    "context",
    Array.from({ length: 260_000 }, (_, n) => `n-${n}.`),
  );
  const { page, finish } = await open(runs(id, "?view=context"));
  await page.locator(".run-json").getByRole("button", { name: "Load" }).click();
  const tree = page.locator(".run-json .json");
  await tree.getByText("The first 200,000 rows are shown.").waitFor();
  await tree.getByRole("searchbox").fill("n-259998.");
  await tree.getByText("1 of 1").waitFor();
  const mark = tree.locator(".json-hit mark");
  await mark.waitFor();
  assert.ok(await isSeen(mark));
  await tree.getByRole("button", { name: "Go to the beginning" }).click();
  await tree.locator(".json-row", { hasText: "n-1." }).first().waitFor();
  await finish();
});
