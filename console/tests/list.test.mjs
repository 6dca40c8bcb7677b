// The run list: returning to it, its columns, the search, and older open runs. Run it with
// with_server.mjs; CHROMIUM is the path of another browser.
import { test } from "node:test";
import assert from "node:assert/strict";
import { axe, overflow } from "./browser.mjs";
import { BASE, MARK, put, query, rows, until, withPage } from "./page.mjs";

const DAY = 86_400_000;
const ago = (ms) => new Date(Date.now() - ms).toISOString();
const scrolled = (page) => page.evaluate(() => scrollY);

test("Back restores the rows and the scroll position", async () => {
  await withPage({ hash: "#/runs?range=30d" }, async (page) => {
    await rows(page).nth(49).waitFor();
    await page.locator(".chart canvas").waitFor();
    await page.evaluate(() => scrollTo(0, 700));
    await until(async () => (await scrolled(page)) === 700, "the place");
    const opened = rows(page).nth(25);
    const [run, ids] = [
      await opened.getAttribute("data-run"),
      await rows(page).evaluateAll((all) => all.map((row) => row.dataset.run)),
    ];
    const { y } = await opened.boundingBox();
    await opened.locator(".run-link").click();
    await page.locator(".run-page h1").waitFor();
    const fresh = await put({ executionId: `${MARK}-while-away` });
    await page.goBack();
    const row = page.locator(`tr[data-run="${run}"]`);
    await row.waitFor();
    await until(async () => Math.abs((await row.boundingBox()).y - y) < 3, "the row where it was");
    assert.equal(await scrolled(page), 700);
    await page.getByRole("button", { name: /new runs?$/ }).waitFor();
    assert.deepEqual(await rows(page).evaluateAll((all) => all.map((each) => each.dataset.run)), ids);
    await page.goForward();
    await page.locator(".run-page h1").waitFor();
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Runs" }).click();
    await page.locator(`tr[data-run="${fresh.executionId}"]`).waitFor();
    assert.equal(await scrolled(page), 0);
  });
});

test("times, durations and failed steps are never truncated", async () => {
  const flowId = `${MARK}-columns`;
  const old = "2025-12-30T23:59:00.000Z";
  await put({
    executionId: `${flowId}-1`,
    flowId,
    status: "FAILED",
    stepSummary: { total: 46, passed: 40, failed: 6 },
    durationMs: 86_340_000,
    createdAt: old,
    startTime: old,
  });
  await put({
    executionId: `${flowId}-2`,
    flowId,
    status: "FAILED",
    stepSummary: { total: 146_000, passed: 140_234, failed: 5_766 },
    durationMs: 365 * DAY,
    deviceId: "d".repeat(90),
    trigger: "SCHEDULE",
  });
  await put({
    executionId: `${flowId}-3`,
    flowId,
    status: "COMPLETED",
    stepSummary: { total: 25_000, passed: 25_000, failed: 0 },
    durationMs: 59_990,
    flowName: "N".repeat(120),
    errorMessage: "e".repeat(400),
  });
  for (const width of [1280, 1440, 2560]) {
    await withPage({ hash: `#/runs?flow=${flowId}`, viewport: { width, height: 900 } }, async (page) => {
      await until(async () => (await rows(page).count()) === 3, "the runs");
      const steps = await page.locator("td.col-steps span[aria-hidden]").allInnerTexts();
      assert.deepEqual(steps.map((text) => text.trim()).sort(), [
        "140,234/146,000 ✕5,766",
        "25,000/25,000",
        "40/46 ✕6",
      ]);
      const cut = await page
        .locator("td.col-started, td.col-duration, td.col-steps, td.col-status, td.col-run")
        .evaluateAll((cells) =>
          cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent),
        );
      assert.deepEqual(cut, [], `cut off at ${width}`);
      await page.getByText("30 Dec 2025").first().waitFor();
      assert.equal(await overflow(page), 0);
    });
  }
});

test("a flow id of 128 characters fits a phone", async () => {
  const flowId = `${MARK}-`.padEnd(128, "f");
  await put({
    executionId: `${MARK}-wide`,
    flowId,
    status: "FAILED",
    errorMessage: "x".repeat(300),
    durationMs: 1000,
    labels: { name: "v".repeat(120) },
  });
  await put({
    executionId: `${MARK}-wide-2`,
    flowId,
    status: "COMPLETED",
    durationMs: 1000,
    labels: { name: "v".repeat(120) },
    deviceId: "d".repeat(128),
  });
  for (const hash of [
    `#/runs?flow=${flowId}`,
    `#/runs?flow=${flowId}&status=FAILED&range=7d`,
    `#/statistics?flow=${flowId}`,
    "#/statistics?range=24h",
    `#/settings/audit?target=${flowId}`,
  ]) {
    await withPage({ hash, viewport: { width: 360, height: 740 } }, async (page) => {
      await page.locator("h1").waitFor();
      if (hash.startsWith("#/runs")) await rows(page).first().waitFor();
      if (hash.startsWith("#/stat")) {
        await page.getByRole("heading", { name: hash.includes("flow") ? "Steps" : "Flows", exact: true }).waitFor();
      }
      assert.equal(await overflow(page), 0, hash);
    });
  }
});

test("rows of tabs do not scroll vertically", async () => {
  for (const width of [360, 1440]) {
    await withPage({ hash: "#/settings/audit", viewport: { width, height: 740 } }, async (page) => {
      const tabs = page.locator("nav.tabs");
      await tabs.waitFor();
      assert.equal(await tabs.evaluate((row) => row.scrollHeight - row.clientHeight), 0);
      const [row, tab] = [await tabs.boundingBox(), await tabs.locator("[aria-current]").boundingBox()];
      assert.ok(tab.x >= row.x - 1 && tab.x + tab.width <= row.x + row.width + 1, "the current tab is in view");
    });
  }
});

test("Enter chooses the only suggestion before the typed text", async () => {
  const flowId = `${MARK}-suggested`;
  await put({
    executionId: `${flowId}-1`,
    flowId,
    status: "COMPLETED",
    labels: { [`${MARK}-order`]: "42" },
    durationMs: 1,
  });
  await withPage({ hash: `#/runs?flow=${flowId}` }, async (page) => {
    await rows(page).first().waitFor();
    const label = page.getByRole("combobox", { name: "Label" });
    await label.fill(`${MARK}-ord`);
    await page.getByRole("option", { selected: true, name: `${MARK}-order=42` }).waitFor();
    await label.press("Enter");
    await until(() => query(page).get("label") === `${MARK}-order=42`, "the label");
    const flow = page.getByRole("combobox", { name: "Flow" });
    await flow.fill(flowId.slice(0, -1));
    await page.getByRole("option", { selected: true, name: flowId }).waitFor();
    await flow.press("ArrowUp");
    await page.getByRole("option", { selected: true, name: /^Exactly/ }).waitFor();
    await flow.press("Enter");
    await until(() => query(page).get("flow") === flowId.slice(0, -1), "the text as it was typed");
  });
});

test("the search finds short ids and names the searched runs", async () => {
  const flowId = `${MARK}-searched`;
  const begin = (Date.now() % 0xffffffff).toString(16).padStart(8, "0");
  const ids = [`${begin}-0000-4000-8000-000000000001`, `${flowId}-one`, `${flowId}-two`];
  for (const executionId of ids) await put({ executionId, flowId, status: "COMPLETED", durationMs: 1 });
  await withPage({ hash: `#/runs?flow=${flowId}`, expected: ["404", "400"] }, async (page) => {
    await until(async () => (await rows(page).count()) === 3, "the runs");
    const input = page.locator("#run-search");
    const search = async (text) => {
      await input.fill(text);
      await input.press("Enter");
    };
    const shown = (id) => page.locator(`tr[data-run="${id}"] .col-run code`).innerText();
    for (const id of [ids[0], ids[1]]) {
      await search(await shown(id));
      await page.waitForURL(`**/#/runs/${id}`);
      await page.goBack();
      await page.locator(`tr[data-run="${id}"]`).waitFor();
    }
    await search(flowId);
    await page.locator(".search-found").getByText("2 runs with this in the id").waitFor();
    await axe(page, "runs found");
    await page.locator(".search-found a", { hasText: "-two" }).click();
    await page.waitForURL(`**/#/runs/${ids[2]}`);
    // The run is not in the listed rows, so the newest runs are searched.
    await page.goto(`${BASE}#/runs?flow=invoice-import`);
    await rows(page).first().waitFor();
    await search(begin);
    await page.waitForURL(`**/#/runs/${ids[0]}`);
    await page.goBack();
    await rows(page).first().waitFor();
    await search("no such id");
    await page
      .getByText(/^No run has the id “no such id”, and no id of the newest [\d,]+ runs of the team contains it/)
      .waitFor();
  });
});

/** All texts of a page, for readers and screen readers. */
const said = (page) =>
  page.evaluate(() => {
    const attributes = ["title", "aria-label", "placeholder", "value"];
    const ofElements = [...document.body.querySelectorAll("*")].flatMap((element) => [
      ...attributes.map((name) => element.getAttribute(name) ?? ""),
      element.matches("input") ? element.value : "",
    ]);
    return [document.title, document.body.textContent, ...ofElements].join("\n");
  });

test("invisible and direction characters are shown as escapes", async () => {
  const flowId = `${MARK}-turned`;
  const kept = "👩\u200d💻 می\u200cخواهم क्\u200dष";
  await put({
    executionId: `${flowId}-1`,
    flowId,
    status: "FAILED",
    flowName: "pay \u202elive\u202c bill",
    errorMessage: "is \u202egnihtemos\u202c\nsecond\u200b line",
    trigger: "\u202eapi",
    deviceId: "de\u2066vice",
    durationMs: 1,
  });
  await put({
    executionId: `${flowId}-2`,
    flowId,
    status: "COMPLETED",
    flowName: kept,
    labels: { kind: "go\u202eod", kept },
    durationMs: 1,
  });
  await withPage({ hash: `#/runs?flow=${flowId}` }, async (page) => {
    await until(async () => (await rows(page).count()) === 2, "the runs");
    await page.getByText("pay \\u202elive\\u202c bill").first().waitFor();
    await page.getByText("is \\u202egnihtemos\\u202c").waitFor();
    await page.getByText(kept, { exact: true }).first().waitFor();
    await page.getByRole("link", { name: "kind=go\\u202eod" }).click();
    await page.locator(".active").getByText("kind=go\\u202eod").waitFor();
    await until(async () => (await rows(page).count()) === 1, "the run of the label");
    await page.getByRole("combobox", { name: "Device" }).click();
    await page.getByRole("option", { name: "de\\u2066vice" }).waitFor();
    assert.doesNotMatch(await said(page), /[\u202a-\u202e\u2066-\u2069\u200b]/);
  });
  await withPage({ hash: "#/statistics?range=24h" }, async (page) => {
    await page
      .getByRole("link", { name: `Statistics of ${kept}` })
      .or(page.getByRole("link", { name: "Statistics of pay \\u202elive\\u202c bill" }))
      .first()
      .waitFor();
    assert.doesNotMatch(await said(page), /[\u202a-\u202e\u2066-\u2069\u200b]/);
  });
});

test("settings show invisible characters as escapes", async () => {
  const evil = "ad\u202enim\u202c\u200b";
  const time = new Date().toISOString();
  const token = {
    id: "0".repeat(20),
    name: evil,
    role: evil,
    flows: [evil],
    createdAt: time,
    createdBy: evil,
    lastUsedAt: null,
    expiresAt: null,
    revokedAt: null,
  };
  const event = {
    id: "e1",
    time,
    action: "TOKEN_CREATED",
    target: evil,
    principal: `token:${evil}`,
    outcome: "DONE",
    sourceIp: evil,
    requestId: "r",
    details: { [evil]: evil, json: JSON.stringify({ [evil]: evil }) },
  };
  const answers = {
    tokens: { success: true, tokens: [token], nextToken: null },
    audit: { success: true, events: [event], nextToken: null },
    roles: {
      success: true,
      builtInRoles: [],
      roles: [{ name: evil, description: evil, permissions: ["AUDIT_READ"] }],
      permissions: ["AUDIT_READ"],
      updatedAt: time,
      updatedBy: evil,
    },
    "settings/retention": { success: true, rules: [{ flowId: evil, days: 3 }], updatedAt: time, updatedBy: evil },
  };
  for (const [section, hash] of [
    ["tokens", "tokens"],
    ["audit", "audit"],
    ["roles", "roles"],
    ["settings/retention", "retention"],
  ]) {
    await withPage({ hash: "#/api" }, async (page) => {
      await page.route(new RegExp(`/api/${section}(\\?|$)`), (route) => route.fulfill({ json: answers[section] }));
      await page.goto(`${BASE}#/settings/${hash}`);
      await page.getByText("ad\\u202enim\\u202c\\u200b").first().waitFor();
      if (section === "audit") await page.getByRole("button", { name: /^Details of/ }).click();
      // An editable field has the original text.
      const fields = await page.evaluate(
        () =>
          [...document.querySelectorAll(".role-card input")].map((input) => {
            input.value = "";
            return 1;
          }).length,
      );
      assert.equal(fields > 0, section === "roles");
      assert.doesNotMatch(await said(page), /[\u202a-\u202e\u2066-\u2069\u200b]/, section);
    });
  }
});

test("older open runs are counted and linked", async () => {
  const flowId = `${MARK}-older`;
  for (const [executionId, status, days] of [
    ["a", "RUNNING", 40],
    ["b", "RUNNING", 45],
    ["c", "PENDING", 41],
    ["d", "COMPLETED", 42],
    ["e", "RUNNING", 0],
  ]) {
    await put({
      executionId: `${flowId}-${executionId}`,
      flowId,
      status,
      createdAt: ago(days * DAY),
      startTime: ago(days * DAY),
    });
  }
  await withPage({ hash: `#/runs?flow=${flowId}&range=24h` }, async (page) => {
    await until(async () => (await rows(page).count()) === 1, "the run of the day");
    const older = page.locator(".older-open");
    await older.getByRole("link", { name: "1 pending" }).waitFor();
    await older.getByRole("link", { name: "2 running" }).click();
    await until(async () => (await rows(page).count()) === 2, "the older ones");
    assert.deepEqual(await rows(page).evaluateAll((all) => all.map((row) => row.dataset.run)), [
      `${flowId}-a`,
      `${flowId}-b`,
    ]);
    await page.goto(`${BASE}#/runs?flow=${flowId}`);
    await until(async () => (await rows(page).count()) === 5, "all");
    assert.equal(await older.count(), 0);
  });
});
