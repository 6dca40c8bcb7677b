// The steps on the page of one run: the first failure, lanes, the axis, new steps, and runs with
// very many steps. Run it with with_server.mjs; SHOTS is a folder for screenshots.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, overflow } from "./browser.mjs";
import { branchStep, execution, FORK, iso, payload, put, putAll, step, T0 } from "./records.mjs";
import { BASE, begin, end, open, rowOf, runs, shot } from "./run-page.mjs";

const RUN = `timeline-${Date.now().toString(36)}`;

before(begin);
after(end);

/** A run whose fork fails because two of its three workers fail, the second one first. */
async function failedWorkers(id) {
  const message = "2 of 3 workers failed";
  const worker = (n, from, to, more) =>
    branchStep(id, "fan-out", 500, `b${9 - n}`, `store-${n}`, from, to, {
      branchId: "worker",
      stepName: `Store part ${n}`,
      ...more,
    });
  await putAll([
    execution(id, {
      status: "FAILED",
      errorMessage: message,
      stepSummary: { total: 25_000, passed: 24_998, failed: 2 },
    }),
    step(id, "fan-out", 500, 9000, {
      ...FORK,
      stepName: "Fan out",
      status: "FAILED",
      errorMessage: message,
      retryCount: 1234,
    }),
    step(id, "done", 9000, null, { status: "SKIPPED" }),
    worker(0, 600, 8000),
    worker(1, 700, 7000, { status: "FAILED", errorMessage: "disk 1 is full" }),
    worker(2, 800, 4000, { status: "FAILED", errorMessage: "disk 2 is full" }),
    ...Array.from({ length: 20 }, (_, n) =>
      branchStep(id, "fan-out", 500, "b9", `read-${n}`, 610 + n, 7000, { branchId: "worker" }),
    ),
  ]);
}

test("the step that failed first is shown instead of its fork", async () => {
  const id = `${RUN}-first`;
  await failedWorkers(id);
  const { page, finish } = await open(runs(id));
  await page.locator(".tl-selected", { hasText: "Store part 2" }).waitFor();
  await page.locator(".run-cause", { hasText: "First failed step: Store part 2 in worker 3" }).waitFor();
  assert.equal(await page.locator(".tl-first").getAttribute("title"), "First failed step: Store part 2");
  await axe(page);
  await shot(page, "first-failure");
  await page.keyboard.press("Escape");
  await page.locator(".inspector").waitFor({ state: "detached" });
  const go = page.locator(".tl-failures");
  assert.match(await go.textContent(), /2 failed/);
  await go.click();
  await page.locator(".tl-selected", { hasText: "Store part 2" }).waitFor();
  await go.click();
  await page.locator(".tl-selected", { hasText: "Store part 1" }).waitFor();
  await finish();
});

test("going to the failure expands a collapsed fork", async () => {
  const id = `${RUN}-closed`;
  await failedWorkers(id);
  await putAll(Array.from({ length: 20 }, (_, n) => step(id, `calm-${n}`, 10 + n, 300)));
  const { page, finish } = await open(runs(id, "?step=done"));
  await page.locator(".run-cause").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await rowOf(page, "Store part 2").count(), 0);
  await page.locator(".tl-failures").click();
  await page.locator(".tl-selected", { hasText: "Store part 2" }).waitFor();
  await finish();
});

test("branches with the same name are numbered by start time", async () => {
  const id = `${RUN}-lanes`;
  await failedWorkers(id);
  const { page, finish } = await open(runs(id, "?step=store-1&open=fan-out"), { height: 1500 });
  await rowOf(page, "Store part 1").waitFor();
  await page.locator(".tl-lane", { hasText: "worker 3" }).waitFor();
  assert.deepEqual(await page.locator(".tl-lane .tl-label").allTextContents(), ["worker 1", "worker 2", "worker 3"]);
  await page.locator(".inspector").getByText("worker 2", { exact: true }).waitFor();
  await finish();
});

test("large numbers have separators", async () => {
  const id = `${RUN}-numbers`;
  await failedWorkers(id);
  const { page, finish } = await open(runs(id, "?step=fan-out"));
  await page.getByText("24,998 of 25,000 passed").waitFor();
  await page.locator(".tl-retry", { hasText: "1,235" }).waitFor();
  await page.locator(".inspector").getByText("1,235").waitFor();
  await finish();
});

/** The time of a tick in milliseconds. */
function timeOf(label) {
  const units = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
  const parts = [...label.matchAll(/([\d.]+) (ms|s|min|h|d)(?= |$)/g)];
  assert.equal(parts.map(([text]) => text).join(" "), label, `"${label}" is no time`);
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit], 0);
}

test("the axis has round steps in ms, s, min and h", async () => {
  const id = `${RUN}-axis`;
  const { page, finish } = await open("#/settings/tokens");
  for (const [length, step_] of [
    [930, 100],
    [8_700, 1000],
    [47_000, 5000],
    [200_000, 30_000],
    [2_820_000, 300_000],
    [31_000_000, 3_600_000],
  ]) {
    const name = `${id}-${length}`;
    await putAll([execution(name, { endTime: iso(length) }), step(name, "all", 0, length)]);
    await page.goto(BASE + runs(name));
    await page.locator(".tl-bar").waitFor();
    await page.locator(".tl-tick").nth(2).waitFor();
    const times = (await page.locator(".tl-tick").allTextContents()).map(timeOf);
    const steps = times.slice(1).map((time, index) => Math.round(time - times[index]));
    assert.deepEqual([...new Set(steps)], [step_], `${length} ms: ${times}`);
  }
  await finish();
});

test("an open step of an ended run ends with the run", async () => {
  const id = `${RUN}-open`;
  await putAll([execution(id), step(id, "first", 0, 5000), step(id, "second", 5000, 6000)]);
  const { page, finish } = await open("#/settings/tokens");
  await page.route(`**/flow-executions/${id}?**`, async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    Object.assign(json.data.steps[1], { status: "RUNNING", endTime: null, durationMs: null });
    await route.fulfill({ response, json });
  });
  await page.goto(BASE + runs(id));
  await rowOf(page, "second").waitFor();
  assert.equal(await page.locator(".bar-running").count(), 0);
  const last = timeOf((await page.locator(".tl-tick").allTextContents()).at(-1));
  assert.ok(last <= 10_000, `the axis ends at ${last} ms`);
  assert.match(await rowOf(page, "second").locator(".tl-took").textContent(), /^5\.00 s$/);
  await finish();
});

test("a live run is followed, and new steps are counted", async () => {
  const id = `${RUN}-follow`;
  const from = Date.now() - T0 - 60_000;
  const named = (n) => step(id, `s-${n}`, from + n * 500, from + n * 500 + 400, { stepName: `Step ${n}.` });
  await putAll([
    execution(id, {
      status: "RUNNING",
      startTime: iso(from),
      endTime: undefined,
      heartbeatAt: new Date().toISOString(),
    }),
    ...Array.from({ length: 60 }, (_, n) => named(n)),
  ]);
  const { page, finish } = await open(runs(id));
  // It starts at the end, and follows new steps.
  await rowOf(page, "Step 59.").waitFor();
  await putAll([60, 61, 62].map(named));
  await rowOf(page, "Step 62.").waitFor();
  assert.equal(await page.locator(".tl-new button").count(), 0);
  const scroller = page.locator(".tl-scroll");
  await scroller.evaluate((box) => {
    box.scrollTop = 320;
  });
  await rowOf(page, "Step 62.").waitFor({ state: "detached" });
  await putAll([63, 64].map(named));
  const button = page.getByRole("button", { name: "2 new steps" });
  await button.waitFor();
  assert.equal(await scroller.evaluate((box) => box.scrollTop), 320);
  await axe(page);
  await shot(page, "new-steps");
  await button.click();
  await rowOf(page, "Step 64.").waitFor();
  await button.waitFor({ state: "detached" });
  await put(named(65));
  await rowOf(page, "Step 65.").waitFor();
  await finish();
});

test("the failed step is shown before all pages are read", async () => {
  const id = `${RUN}-many`;
  const [count, bad] = [1500, 1234];
  await put(execution(id, { status: "FAILED", endTime: iso(count * 100), errorMessage: "no more room" }));
  await putAll(
    Array.from({ length: count }, (_, n) =>
      step(id, `s-${n}`, n * 100, n * 100 + 90, {
        stepName: `Step ${n}.`,
        ...(n === bad ? { status: "FAILED", errorMessage: "no more room", input: { bad } } : {}),
      }),
    ),
  );
  const { page, finish } = await open("#/settings/tokens");
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  await page.route("**/flow-executions/**", async (route) => {
    const { searchParams } = new URL(route.request().url());
    if (searchParams.has("nextToken") && !searchParams.has("stepStatus")) await held;
    await route.continue();
  });
  await page.goto(BASE + runs(id));
  await page.locator(".inspector .error-text", { hasText: "no more room" }).waitFor();
  await page.locator(".inspector .json-row", { hasText: String(bad) }).waitFor();
  await page.locator(".tl-selected", { hasText: `Step ${bad}.` }).waitFor();
  assert.equal(await rowOf(page, "Step 800.").count(), 0);
  release();
  await page.locator(".tl-progress", { hasText: "1,500 rows" }).waitFor();
  // It stays visible while earlier rows arrive.
  await page.locator(".tl-selected", { hasText: `Step ${bad}.` }).waitFor();
  await rowOf(page, `Step ${bad - 1}.`).waitFor();
  await finish();
});

test("ids and names of 128 characters do not widen the page", async () => {
  const of = (sign) => sign.repeat(128);
  const id = `${RUN}-${of("r")}`.slice(0, 128);
  const error = { status: "FAILED", errorMessage: of("E") };
  await putAll([
    execution(id, {
      ...error,
      flowId: of("f"),
      flowName: of("N"),
      flowVersion: of("v"),
      deviceId: of("d"),
      trigger: of("T"),
      labels: { [of("k")]: of("l") },
    }),
    step(id, of("s"), 0, 5000, { ...error, stepName: of("S"), stepType: of("Y"), input: { [of("i")]: of("j") } }),
    step(id, "fork", 5000, 9000, FORK),
    branchStep(id, "fork", 5000, of("b"), "inside", 5000, 6000, { branchId: of("B") }),
    payload(id, "input", { [of("q")]: of("w") }),
    payload(id, "output", of("o")),
  ]);
  for (const width of [360, 1440]) {
    const { page, finish } = await open(runs(id, "?open=fork"), { width, height: 740 });
    await page.locator(".inspector .error-text").waitFor();
    for (const view of ["Timeline", "Table", "Context", "Raw JSON"]) {
      await page.getByRole("link", { name: view, exact: true }).click();
      const over = await overflow(page);
      assert.ok(over <= 0, `${view} at ${width}: ${over} px too wide`);
    }
    await shot(page, `long-${width}`);
    await finish();
  }
});

test("names and times are not truncated next to the open step", async () => {
  const id = `${RUN}-whole`;
  await putAll([
    execution(id, {
      status: "FAILED",
      errorMessage: "Payment provider did not answer within 10 s",
      endTime: iso(7_000_000),
    }),
    step(id, "fork", 0, 6_900_000, { ...FORK, stepName: "Fulfil in parallel", status: "FAILED" }),
    branchStep(id, "fork", 0, "b1", "charge", 3_000_000, 6_900_000, {
      stepName: "Charge the card",
      stepType: "HTTP_REQUEST",
      status: "FAILED",
      retryCount: 2,
      errorMessage: "Payment provider did not answer within 10 s",
    }),
  ]);
  const { page, finish } = await open(runs(id));
  await page.locator(".inspector .error-text").waitFor();
  const cut = () =>
    page
      .locator(".tl-label, .st-number, .inspector-facts dd")
      .evaluateAll((all) =>
        all
          .filter((each) => each.scrollWidth > each.clientWidth && each.clientWidth > 0)
          .map((each) => each.textContent),
      );
  await rowOf(page, "Charge the card").waitFor();
  assert.deepEqual(await cut(), []);
  await page.getByRole("link", { name: "Table", exact: true }).click();
  await page.locator(".st-row", { hasText: "Charge the card" }).waitFor();
  assert.deepEqual(await cut(), []);
  const table = page.locator(".st-scroll");
  assert.ok(await table.evaluate((box) => box.scrollWidth <= box.clientWidth), "the table scrolls sideways");
  await finish();
});
