// The page of one run in a browser. Run it with with_server.mjs; CHROMIUM is the path of another
// browser, SHOTS a folder for screenshots.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { axe, overflow, until } from "./browser.mjs";
import { branchStep, execution, FORK, iso, put, putAll, putParts, step, T0 } from "./records.mjs";
import { BASE, begin, end, open, rowOf, runs, shot, TOKEN } from "./run-page.mjs";

const RUN = `e2e-${Date.now().toString(36)}`;

/** A run that failed in a step of its sub-flow: the demo data may have none. */
async function failedReport() {
  const [id, region] = [`${RUN}-report`, `${RUN}-region`];
  const out = "Renderer ran out of memory";
  const failed = { status: "FAILED", endTime: iso(9000) };
  await putAll([
    execution(id, {
      ...failed,
      flowId: "nightly-report",
      flowName: "Nightly report",
      errorMessage: `Render EMEA: Render the pages: ${out}`,
    }),
    step(id, "collect", 0, 2000, { stepName: "Collect the day" }),
    step(id, "emea", 2000, 9000, {
      status: "FAILED",
      stepName: "Render EMEA",
      stepType: "SUBFLOW",
      subflowExecutionId: region,
      errorMessage: `Render the pages: ${out}`,
    }),
    execution(region, {
      ...failed,
      flowId: "render-region",
      flowName: "Render one region",
      executionType: "SUBFLOW",
      startTime: iso(2000),
      parentExecutionId: id,
      parentStepInstanceId: "emea",
      errorMessage: `Render the pages: ${out}`,
    }),
    step(region, "query", 2000, 4000, { stepName: "Query the figures" }),
    step(region, "render", 4000, 9000, {
      status: "FAILED",
      stepName: "Render the pages",
      errorMessage: out,
      retryCount: 2,
      input: { region: "EMEA" },
    }),
  ]);
  return id;
}

async function newest(query) {
  const response = await fetch(new URL(`api/history/executions?limit=1&lite=true&${query}`, BASE), {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  return (await response.json()).executions[0]?.id;
}

before(begin);
after(end);

// ---- tests --------------------------------------------------------------------------

test("the header has the tokens by model and the dropped steps", async () => {
  const id = `${RUN}-usage`;
  const usage = [
    { model: "large-1", inputTokens: 12_000, outputTokens: 345 },
    { inputTokens: 5, outputTokens: 6 },
  ];
  await putAll([execution(id, { usage, droppedSteps: 1234 }), step(id, "work", 0, 9000)]);
  const { page, finish } = await open(runs(id));
  const tokens = page.locator(".run-facts > div", { hasText: "Tokens" });
  await tokens.getByText("12,005 in, 351 out").waitFor();
  const models = await tokens.locator(".run-label").allTextContents();
  const texts = models.map((text) => text.replace(/\s+/g, " ").trim());
  assert.deepEqual(texts, ["large-1 12,000 in, 345 out", "unknown model 5 in, 6 out"]);
  await page.getByText("1,234 steps of this run are missing").waitFor();
  await axe(page);
  await shot(page, "run-usage");
  await finish();
});

test("branches of nested forks expand and survive a reload", async () => {
  const { page, finish } = await open(runs(await newest("flowId=order-pipeline&status=PASSED")));
  await rowOf(page, "Fulfil in parallel").locator(".twisty").click();
  await rowOf(page, "charge_card").waitFor();
  await page.getByRole("button", { name: "Expand all" }).click();
  await page.locator("[aria-level='5']").first().waitFor();
  const rows = await page.getByRole("treeitem").count();
  await axe(page);
  await shot(page, "order-pipeline");
  await page.waitForURL(/open=/);
  await page.reload();
  await page.locator("[aria-level='5']").first().waitFor();
  assert.equal(await page.getByRole("treeitem").count(), rows);
  await page.getByRole("button", { name: "Collapse all" }).click();
  await rowOf(page, "charge_card").waitFor({ state: "detached" });
  await finish();
});

test("a failed run shows the failed step with its error first", async () => {
  const { page, finish } = await open(runs(await newest("flowId=invoice-import&status=FAILED")));
  const step = page.locator(".inspector");
  await step.getByText("Error", { exact: true }).waitFor();
  assert.ok((await step.locator("pre").first().textContent()).length > 10);
  assert.equal(await page.locator(".tl-selected .status-failed").count(), 1);
  await page.waitForURL(/step=/);
  await axe(page);
  await shot(page, "failed");
  await page.keyboard.press("Escape");
  await step.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Show step" }).click();
  await step.waitFor();
  await finish();
});

test("a sub-flow expands in place to its failed step", async () => {
  const { page, finish } = await open(runs(await failedReport()));
  await page.locator(".inspector").getByText("Error", { exact: true }).waitFor();
  await page.locator(".tl-selected[aria-level='2']").waitFor();
  await page.waitForURL(/open=/);
  await page.reload();
  await page.locator(".tl-selected[aria-level='2']").waitFor();
  await page.locator(".inspector").getByText("Error", { exact: true }).waitFor();
  await shot(page, "sub-flow");
  await page.locator(".tl-open").first().click();
  await page.getByText("sub-flow", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Parent run" }).click();
  await page.getByRole("heading", { name: "Nightly report" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Render one region" }).waitFor();
  await finish();
});

test("a running run updates and keeps the selection", async () => {
  const id = `${RUN}-live`;
  const begin = Date.now() - T0 - 4000;
  await put(execution(id, { status: "RUNNING", startTime: iso(begin), endTime: undefined, heartbeatAt: iso(begin) }));
  await put(step(id, "first", begin, begin + 1500));
  await put(step(id, "second", begin + 1600, null, { status: "RUNNING", input: { a: 1, deep: { b: [1, 2] } } }));
  const { page, finish } = await open(runs(id));
  await rowOf(page, "second").click();
  await page.locator(".json-row", { hasText: "deep" }).waitFor();
  const width = () =>
    page
      .locator(".bar-running")
      .first()
      .evaluate((bar) => bar.getBoundingClientRect().width);
  const before = await width();
  await page.locator(".json-row", { hasText: "deep" }).click();
  await shot(page, "running");
  await put(step(id, "third", Date.now() - T0, null, { status: "RUNNING" }));
  await rowOf(page, "third").waitFor();
  assert.ok((await width()) > before);
  assert.match(await page.locator(".tl-selected").textContent(), /second/);
  assert.equal(await page.locator(".json-row", { hasText: "deep" }).getAttribute("aria-expanded"), "false");
  const end = Date.now() - T0;
  await put(step(id, "second", begin + 1600, end, { output: { done: true } }));
  await put(execution(id, { startTime: iso(begin), endTime: iso(end) }));
  await page.locator(".run-state-completed").waitFor();
  await page.locator(".live").waitFor({ state: "detached" });
  await page.locator(".json-row", { hasText: "done" }).waitFor();
  await finish();
});

test("secrets are shown only on request and with permission", async () => {
  const id = `${RUN}-secret`;
  await putAll([execution(id), step(id, "login", 100, 200, { output: { password: "hunter2", user: "anna" } })]);
  const { page, finish } = await open(runs(id, "?step=login"));
  const inspector = page.locator(".inspector");
  await inspector.getByText("anna").waitFor();
  assert.equal(await page.getByText("hunter2").count(), 0);
  const choose = async (name) => {
    await page.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("button", { name }).click();
  };
  await choose(/^Show secrets/);
  await inspector.getByText("hunter2").waitFor();
  await choose(/^Hide secrets/);
  await inspector.getByText("hunter2").waitFor({ state: "detached" });
  await inspector.getByText("anna").waitFor();
  await finish();
});

test("cancel asks for a reason and reports an ended run", async () => {
  const id = `${RUN}-cancel`;
  const late = `${RUN}-late`;
  await put(execution(id, { status: "RUNNING", endTime: undefined, heartbeatAt: new Date().toISOString() }));
  await put(step(id, "work", 0, null, { status: "RUNNING" }));
  const { page, finish } = await open(runs(id), { allow: ["409"] });
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await axe(page);
  await page.getByLabel("Reason").fill("The order was <b>withdrawn</b>");
  await page.getByRole("button", { name: "Cancel run" }).click();
  await page.locator(".run-cancelled", { hasText: "withdrawn" }).waitFor();
  await rowOf(page, "work").locator(".status-cancelled").waitFor();
  await shot(page, "cancelled");
  await put(execution(late, { status: "RUNNING", endTime: undefined }));
  await page.evaluate((hash) => {
    location.hash = hash;
  }, runs(late));
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await put(execution(late));
  await page.getByRole("button", { name: "Cancel run" }).click();
  await page.getByRole("alert").filter({ hasText: "The run had already ended" }).waitFor();
  await finish();
});

test("delete requires typing the id", async () => {
  const id = `${RUN}-delete`;
  await put(execution(id));
  const { page, finish } = await open(runs(id), { allow: ["404"] });
  await page.getByRole("heading", { name: "This run has no steps" }).waitFor();
  await page.getByRole("button", { name: "More actions" }).click();
  await axe(page);
  await page.getByRole("button", { name: "Delete …" }).click();
  const sure = page.getByRole("button", { name: "Delete permanently" });
  assert.equal(await sure.isDisabled(), true);
  await page.getByLabel("Type or paste").fill(id);
  await sure.click();
  await page.waitForURL(/#\/runs$/);
  await page.evaluate((hash) => {
    location.hash = hash;
  }, runs(id));
  await page.getByRole("heading", { name: "Run not found" }).waitFor();
  await axe(page);
  await finish();
});

test("5,000 steps load in pages and scroll with few elements", async (t) => {
  const id = `${RUN}-big`;
  const failed = 4321;
  await put(
    execution(id, {
      status: "FAILED",
      endTime: iso(5_000_000),
      errorMessage: "Step 4321: no more room",
      stepSummary: { total: 5000, passed: 4999, failed: 1 },
    }),
  );
  await putAll(
    Array.from({ length: 5000 }, (_, n) =>
      step(id, `s-${n}`, n * 1000, n * 1000 + 200 + ((n * 37) % 3000), {
        stepName: `Step ${n}`,
        sequenceNumber: n,
        input: { n, text: "x".repeat(200) },
        ...(n === failed ? { status: "FAILED", errorMessage: "no more room", retryCount: 7 } : {}),
      }),
    ),
  );
  const { page, finish } = await open(runs(id));
  await rowOf(page, "Step 3").waitFor();
  await page.locator(".tl-selected", { hasText: "Step 4321" }).waitFor();
  assert.ok((await page.getByRole("treeitem").count()) < 120);
  await axe(page);
  await shot(page, "5000");
  const frames = await page.evaluate(async () => {
    const box = document.querySelector(".tl-scroll");
    const took = [];
    let last = performance.now();
    for (let n = 0; n < 60; n += 1) {
      box.scrollTop = (box.scrollHeight / 60) * n;
      await new Promise(requestAnimationFrame);
      took.push(performance.now() - last);
      last = performance.now();
    }
    took.sort((a, b) => a - b);
    return { median: took[30], slow: took[56] };
  });
  t.diagnostic(
    `a frame of 83 new rows: ${Math.round(frames.median)} ms, the slowest in twenty ${Math.round(frames.slow)} ms`,
  );
  assert.ok(frames.median < 60 && frames.slow < 150, `frames took ${JSON.stringify(frames)}`);
  // The failed step appears before the last pages: the end moves until all pages are read.
  await until(async () => {
    await page.locator(".tl-rows").press("End");
    return rowOf(page, "Step 4999").isVisible();
  }, "the last step");
  await page.locator(".tl-rows").press("Home");
  await rowOf(page, "Step 0").waitFor();
  await page.getByRole("link", { name: "Table" }).click();
  await page
    .getByRole("row", { name: /Step 0/ })
    .first()
    .waitFor();
  await axe(page);
  await shot(page, "table");
  await page.getByRole("link", { name: "Raw JSON" }).click();
  await page.locator(".json-row", { hasText: "5,000 items" }).waitFor();
  await page.getByLabel("Search in raw json").fill("no more room");
  await page.getByText("1 of 2").waitFor();
  await axe(page);
  await shot(page, "raw");
  await finish();
});

test("malicious texts are shown as plain text", async () => {
  const id = `${RUN}-hostile`;
  const evil = "<img src=x onerror=alert(1)>";
  const deep = (n) => (n === 0 ? evil : { [`level${n}`]: deep(n - 1) });
  await put(
    execution(id, {
      flowName: `${evil} \u202eevil`,
      trigger: evil,
      labels: { [evil]: "‏שלום" },
      status: "FAILED",
      errorMessage: `${evil}\n${"line\n".repeat(60)}`,
    }),
  );
  await put(
    step(id, "evil", 0, 900, {
      stepName: `${evil} שלום עולם`,
      stepType: evil,
      status: "FAILED",
      retryCount: 12,
      errorMessage: evil,
      input: {
        [evil]: evil,
        "a b/c~d": "مرحبا",
        long: "0123456789".repeat(10_000),
        lines: "one\ntwo\nthree",
        deep: deep(24),
        password: "hunter2",
        note: "before [REDACTED:email] after",
        masked: "[REDACTED:secret]",
        turn: "a\u202eb",
        empty: {},
        none: null,
        yes: true,
        big: 9007199254740993n,
      },
      output: Array.from({ length: 300 }, (_, n) => ({ n })),
    }),
  );
  await put(step(id, "untimed", 1000, null, { status: "COMPLETED" }));
  await put({ ...step(id, "no-time", 2000, null, { status: "SKIPPED" }), startTime: "soon", sk: "STEP#soon#no-time" });
  await put({
    pk: `EXEC#${id}`,
    sk: "PAYLOAD#context#0000",
    bytes: Buffer.from("{broken"),
    encoding: "json",
    parts: 1,
  });
  const { page, finish } = await open(runs(id));
  await page.locator(".run-warnings").waitFor();
  await page.locator(".tl-untimed").waitFor();
  await page.locator(".tl-took", { hasText: "end not recorded" }).waitFor();
  const tree = page.locator(".inspector .json");
  assert.equal(await page.locator("img").count(), 0);
  await tree.getByText("9007199254740993").or(tree.getByText("rounded")).first().waitFor();
  await tree.getByRole("searchbox").fill("masked");
  await tree.getByText("masked: secret").first().waitFor();
  await tree.getByRole("button", { name: "Expand all" }).click();
  await axe(page);
  await shot(page, "hostile");
  await tree.getByRole("searchbox").fill("level2");
  await tree.getByText(/1 of \d+/).waitFor();
  await tree.getByRole("button", { name: "Next" }).click();
  await tree.getByText(/2 of \d+/).waitFor();
  await tree.getByRole("searchbox").fill("three");
  await tree.locator(".json-hit mark").waitFor();
  await tree.getByRole("button", { name: "Copy the path" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "$.lines");
  await tree.getByRole("tree").press("Home");
  await tree.getByRole("tree").press("ArrowLeft");
  assert.equal(await tree.getByRole("treeitem").first().getAttribute("aria-expanded"), "false");
  await finish();
});

test("nested forks expand at any depth", async () => {
  const id = `${RUN}-nested`;
  const items = [execution(id), step(id, "fork-0", 100, 9000, FORK)];
  for (let level = 0; level < 8; level += 1) {
    const from = 100 + level * 100;
    items.push(branchStep(id, `fork-${level}`, from, `b${level}x`, `leaf-${level}`, from + 50, 8000));
    items.push(branchStep(id, `fork-${level}`, from, `b${level}y`, `fork-${level + 1}`, from + 100, 8500, FORK));
  }
  await putAll(items);
  const { page, finish } = await open(runs(id));
  await page.getByRole("button", { name: "Expand all" }).click();
  // 34 rows of 32 pixels.
  await page.locator(".tl-rows[style*='1088px']").waitFor();
  await page.locator(".tl-rows").press("End");
  await page.locator(".tl-note").filter({ hasText: "No branches are recorded" }).first().waitFor();
  await rowOf(page, "leaf-7").waitFor();
  await page.locator(".tl-rows").press("Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await axe(page);
  await shot(page, "nested");
  await finish();
});

test("refused branches are requested again only by the user", async () => {
  const id = `${RUN}-refused`;
  await putAll([
    execution(id, { status: "RUNNING", endTime: undefined, startTime: new Date().toISOString() }),
    step(id, "fork", 0, null, { ...FORK, status: "RUNNING" }),
    branchStep(id, "fork", 0, "b1", "inside", 100, 200),
  ]);
  const { page, finish } = await open("#/settings/tokens", { allow: ["403"] });
  let asked = 0;
  await page.route("**/branch-steps?**", (route) => {
    asked += 1;
    return route.fulfill({ status: 403, json: { code: "FORBIDDEN", message: "Not yours." } });
  });
  await page.goto(BASE + runs(id, "?open=fork"));
  await page.getByText("The branches could not be loaded: Not yours.").waitFor();
  for (let round = 0; round < 3; round += 1) {
    await page.waitForResponse((response) => response.url().includes(`flow-executions/${id}?`));
  }
  assert.equal(asked, 1);
  await page.unroute("**/branch-steps?**");
  await page.getByRole("button", { name: "Try again" }).click();
  await rowOf(page, "inside").waitFor();
  await finish();
});

test("expanded branches wait for a busy server", async () => {
  const id = `${RUN}-busy`;
  await putAll([execution(id), step(id, "fork", 0, 900, FORK), branchStep(id, "fork", 0, "b1", "inside", 100, 200)]);
  const { page, finish } = await open("#/settings/tokens", { allow: ["503"] });
  await page.route("**/branch-steps?**", (route) =>
    route.fulfill({ status: 503, headers: { "retry-after": "40" }, json: { code: "UNAVAILABLE", message: "Busy." } }),
  );
  await page.goto(BASE + runs(id, "?open=fork"));
  await page.getByText(/Trying again in [3-6]\d s\./).waitFor();
  await page.unroute("**/branch-steps?**");
  await page.getByRole("button", { name: "Try now" }).click();
  await rowOf(page, "inside").waitFor();
  await page.getByText("Busy.").first().waitFor({ state: "detached" });
  await finish();
});

test("pages after a moved page end are read again", async () => {
  const id = `${RUN}-moving`;
  await putAll([execution(id, { status: "RUNNING", endTime: undefined, startTime: new Date().toISOString() })]);
  const { page, finish } = await open("#/settings/tokens");
  let isRead = false;
  await page.route(`**/flow-executions/${id}?**`, async (route) => {
    const token = new URL(route.request().url()).searchParams.get("nextToken");
    const response = await route.fetch({
      url: route
        .request()
        .url()
        .replace(/&nextToken=[^&]*/, ""),
    });
    const json = await response.json();
    const of = (name) => ({
      stepInstanceId: name,
      stepId: name,
      stepName: name,
      status: "RUNNING",
      startTime: json.data.metadata.startTime,
      input: null,
      output: null,
      executionData: null,
    });
    json.data.steps = [of({ early: "second", late: "third" }[token] ?? "first")];
    // After the following page was read, another page follows.
    if (!token) json.data.nextToken = isRead ? "late" : "early";
    isRead ||= token === "early";
    await route.fulfill({ response, json });
  });
  await page.goto(BASE + runs(id));
  await rowOf(page, "third").waitFor();
  await finish();
});

test("an idle run is polled rarely until the user returns", async () => {
  const id = `${RUN}-orphan`;
  await putAll([
    execution(id, { status: "RUNNING", endTime: undefined }),
    step(id, "only", 0, null, { status: "RUNNING" }),
  ]);
  const { page, finish } = await open("#/settings/tokens");
  await page.clock.install();
  await page.goto(BASE + runs(id));
  await rowOf(page, "only").waitFor();
  let asked = 0;
  page.on("request", (request) => {
    asked += request.url().includes("flow-executions/") ? 1 : 0;
  });
  await page.clock.runFor(40_000);
  assert.equal(asked, 0);
  const looked = page.waitForRequest(`**/flow-executions/${id}?**`);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await looked;
  await finish();
});

test("a selected step stays when the cause is found later", async () => {
  const id = `${RUN}-late`;
  await putAll([
    execution(id, { status: "FAILED", errorMessage: "inside broke" }),
    step(id, "calm", 0, 50),
    step(id, "fork", 100, 900, { ...FORK, status: "FAILED" }),
    branchStep(id, "fork", 100, "b1", "inside", 200, 300, { status: "FAILED", errorMessage: "inside broke" }),
  ]);
  const { page, finish } = await open("#/settings/tokens");
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  await page.route("**/branch-steps?**", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(BASE + runs(id));
  await rowOf(page, "calm").click();
  await page.locator(".inspector").waitFor();
  release();
  await page.getByRole("button", { name: "Show step" }).waitFor();
  assert.match(await page.locator(".tl-selected").textContent(), /calm/);
  assert.doesNotMatch(page.url(), /step=inside/);
  await finish();
});

test("long runs have dates on the axis; rows have positions", async () => {
  const id = `${RUN}-long`;
  const day = 86_400_000;
  await putAll([
    execution(id, { createdAt: iso(-5 * day), startTime: iso(-5 * day), endTime: iso(0) }),
    step(id, "early", -5 * day, -4 * day),
    step(id, "fork", -3 * day, 0, FORK),
    branchStep(id, "fork", -3 * day, "b1", "inside", -3 * day, -2 * day),
  ]);
  const labels = (page) => page.locator(".tl-tick").allTextContents();
  const { page, finish } = await open(runs(id, "?open=fork"));
  await rowOf(page, "inside").waitFor();
  for (const zoom of ["", `${3 * day}-${3 * day + 7_200_000}`, `${3 * day}-${3 * day + 20_000}`]) {
    await page.goto(BASE + runs(id, `?open=fork&zoom=${zoom}`));
    await page.locator(".tl-tick").nth(2).waitFor();
    const texts = await labels(page);
    assert.equal(new Set(texts).size, texts.length, texts.join(" | "));
    assert.ok(
      texts.every((text) => /^\d{1,2} [A-Z][a-z]+/.test(text)),
      texts.join(" | "),
    );
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(BASE + runs(id));
  await page.locator(".tl-tick").nth(1).waitFor();
  await page.goto(BASE + runs(id, "?open=fork"));
  await rowOf(page, "inside").waitFor();
  const places = await page
    .getByRole("treeitem")
    .evaluateAll((items) => items.map((item) => `${item.ariaLevel}: ${item.ariaPosInSet} of ${item.ariaSetSize}`));
  assert.deepEqual(places, ["1: 1 of 2", "1: 2 of 2", "2: 1 of 1", "3: 1 of 1"]);
  await finish();
});

test("every kind of zoom is kept in the address", async () => {
  const { page, finish } = await open(runs(await newest("flowId=video-archive&status=PASSED")));
  const box = await page.locator(".tl-ticks").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 60);
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -300);
  await page.keyboard.up("Control");
  await page.waitForURL(/zoom=/);
  await page.getByRole("button", { name: "Fit" }).click();
  await page.waitForURL((url) => !url.href.includes("zoom="));
  await page.mouse.move(box.x + 100, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + 300, box.y + 10, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/zoom=/);
  const address = page.url();
  await page.reload();
  await page.locator(".tl-window").waitFor();
  assert.equal(page.url(), address);
  await shot(page, "zoomed");
  await page.locator(".tl-rows").press("0");
  await page.waitForURL((url) => !url.href.includes("zoom="));
  await finish();
});

const lines = (count) =>
  Array.from({ length: count }, (_, n) => ({ number: n, text: `line ${n} of a long list, with some words in it` }));

/** The size of each API response in bytes, by the end of its path. */
function bytesOf(page) {
  const answers = [];
  page.on("response", async (response) => {
    const { pathname } = new URL(response.url());
    if (!pathname.includes("/flow-executions/")) return;
    answers.push({ name: pathname.split("/").at(-1), bytes: (await response.body().catch(() => "")).length });
  });
  return answers;
}

test("large payloads are loaded when their step is shown", async () => {
  const id = `${RUN}-large`;
  const output = lines(50_000);
  assert.ok(JSON.stringify(output).length > 3_000_000);
  await putAll([
    execution(id),
    step(id, "small", 0, 100, { input: { a: 1 } }),
    step(id, "large", 100, 200, { input: { text: "x".repeat(30_000) } }),
    step(id, "fork", 300, 900, FORK),
    branchStep(id, "fork", 300, "b1", "inside", 310, 800, { executionData: { text: "y".repeat(100_000) } }),
  ]);
  await putParts(id, "step:large:output", output);
  await putParts(id, "context", { last: "one", lines: lines(10_000) });
  const { page, finish } = await open(runs(id), { allow: ["ERR_FAILED", "net::"] });
  const answers = bytesOf(page);
  await rowOf(page, "large").waitFor();
  assert.ok(
    answers.every(({ bytes }) => bytes < 10_000),
    JSON.stringify(answers),
  );
  await rowOf(page, "large").click();
  const inspector = page.locator(".inspector");
  // Medium payloads load automatically; large ones wait for the user.
  await inspector.locator(".json-row", { hasText: "xxxx" }).waitFor();
  const left = inspector.locator(".left-out", { hasText: /Output, 3\.\d MB/ });
  await left.waitFor();
  await axe(page);
  await shot(page, "payload-left-out");
  assert.ok(
    answers.every(({ bytes }) => bytes < 40_000),
    JSON.stringify(answers),
  );
  await page.route("**/step?**", (route) => route.abort());
  await left.getByRole("button", { name: "Load" }).click();
  const failed = inspector.getByRole("alert").filter({ hasText: "Output could not be loaded" });
  await failed.waitFor();
  await axe(page);
  await shot(page, "payload-failed");
  await page.unroute("**/step?**");
  await failed.getByRole("button", { name: "Try again" }).click();
  await inspector.locator(".json-row", { hasText: "50,000 items" }).waitFor();
  assert.equal(await inspector.locator(".left-out").count(), 0);
  await inspector.getByRole("searchbox").fill("line 49999 of");
  await inspector.getByText("1 of 1").waitFor();
  await inspector.getByTitle("Copy the value").click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^line 49999 of a long list/);
  await shot(page, "payload-loaded");
  // It is kept while another step is shown.
  let asked = 0;
  page.on("request", (request) => {
    asked += request.url().includes("stepInstanceId=large") ? 1 : 0;
  });
  await rowOf(page, "small").click();
  await inspector.getByRole("heading", { name: "small" }).waitFor();
  await rowOf(page, "large").click();
  await inspector.locator(".json-row", { hasText: "50,000 items" }).waitFor();
  assert.equal(asked, 0);
  await rowOf(page, "fork").locator(".twisty").click();
  await rowOf(page, "inside").click();
  await inspector.locator(".json-row", { hasText: "yyyy" }).waitFor();
  await page.getByRole("link", { name: "Context" }).click();
  await page.locator(".left-out", { hasText: "Context, " }).getByRole("button", { name: "Load" }).click();
  await page.locator(".json-row", { hasText: "10,000 items" }).waitFor();
  await page.getByRole("link", { name: "Raw JSON" }).click();
  await page.getByText("Long payloads are not shown here").waitFor();
  await page.getByRole("searchbox").fill("omittedPayloads");
  await page.getByText(/1 of \d+/).waitFor();
  await page.getByRole("button", { name: "More actions" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: /Download as JSON/ }).click(),
  ]);
  const run = JSON.parse(readFileSync(await download.path(), "utf8"));
  assert.equal(run.steps.find(({ stepId }) => stepId === "large").output.length, output.length);
  assert.equal(run.resolvedFinalContextData.last, "one");
  assert.ok(!JSON.stringify(run).includes("omittedPayloads"));
  await finish();
});

test("omitted payloads of a step are reloaded when it ends", async () => {
  const id = `${RUN}-grows`;
  const begin = Date.now() - T0 - 4000;
  const text = (sign) => sign.repeat(20_000);
  await put(execution(id, { status: "RUNNING", startTime: iso(begin), endTime: undefined }));
  await put(step(id, "work", begin, null, { status: "RUNNING", input: { password: text("p"), note: text("n") } }));
  const { page, finish } = await open(runs(id, "?step=work"));
  const inspector = page.locator(".inspector");
  await inspector.locator(".json-row", { hasText: "nnnn" }).waitFor();
  await inspector.getByText("masked: secret").waitFor();
  await put(step(id, "work", begin, begin + 4000, { input: { note: text("n") }, output: { note: text("o") } }));
  await put(execution(id, { startTime: iso(begin), endTime: iso(begin + 4000) }));
  await inspector.locator(".json-row", { hasText: "oooo" }).waitFor();
  await finish();
});

test("secrets in omitted payloads are shown only on request", async () => {
  const id = `${RUN}-large-secret`;
  const long = "x".repeat(30_000);
  await putAll([execution(id), step(id, "login", 100, 200, { output: { password: "hunter2", long } })]);
  const { page, finish } = await open(runs(id, "?step=login"));
  const inspector = page.locator(".inspector");
  await inspector.getByText("masked: secret").waitFor();
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("button", { name: /^Show secrets/ }).click();
  await inspector.getByText("hunter2").waitFor();
  await finish();
});

test("the downloaded run contains its branches", async () => {
  const { page, finish } = await open(runs(await newest("flowId=order-pipeline&status=PASSED")));
  await page.getByRole("button", { name: "More actions" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: /Download as JSON/ }).click(),
  ]);
  const run = JSON.parse(readFileSync(await download.path(), "utf8"));
  const fork = run.steps.find(({ stepType }) => stepType === "PARALLEL_FORK_MANAGER");
  assert.equal(Object.keys(fork.branches).length, 3);
  assert.ok(Object.values(fork.branches).some(({ steps }) => steps.some((each) => each.branches)));
  await finish();
});

test("actions need permissions; a lost server is reported", async () => {
  const created = await fetch(new URL("api/tokens", BASE), {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ role: "viewer", name: "e2e" }),
  });
  const { secret } = await created.json();
  const id = `${RUN}-viewer`;
  await put(execution(id, { status: "RUNNING", endTime: undefined, heartbeatAt: new Date().toISOString() }));
  await put(step(id, "work", 0, null, { status: "RUNNING", input: { password: "hunter2" } }));
  const { page, finish } = await open(runs(id), { token: secret, allow: ["ERR_FAILED", "net::"] });
  await rowOf(page, "work").click();
  await page.getByText("masked: secret").waitFor();
  assert.equal(await page.getByRole("button", { name: "Cancel", exact: true }).count(), 0);
  await page.getByRole("button", { name: "More actions" }).click();
  assert.equal(await page.getByRole("button", { name: /Delete|Download/ }).count(), 0);
  await page.route("**/flow-executions/**", (route) => route.abort());
  await page.locator(".banner").waitFor();
  await page.getByText("masked: secret").waitFor();
  await page.unroute("**/flow-executions/**");
  await page.getByRole("button", { name: "Try now" }).click();
  await page.locator(".banner").waitFor({ state: "detached" });
  await finish();
});

for (const [name, options] of [
  ["dark", { colorScheme: "dark" }],
  ["360", { width: 360, height: 740 }],
  ["2560", { width: 2560, height: 1300 }],
]) {
  test(`accessible and within the window: ${name}`, async () => {
    const { page, finish } = await open(runs(await failedReport()), options);
    await page.locator(".inspector .error-text").waitFor();
    await axe(page);
    const over = await overflow(page);
    assert.ok(over <= 0, `${over} px too wide`);
    await shot(page, `look-${name}`);
    for (const view of ["Table", "Context", "Raw JSON"]) {
      await page.getByRole("link", { name: view }).click();
      await page.locator(".st, .json, .empty").first().waitFor();
      await axe(page);
    }
    await finish();
  });
}
