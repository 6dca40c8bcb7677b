// The Runs page and the common parts of the console in a browser. Run it with with_server.mjs;
// CHROMIUM is the path of another browser.
import { test } from "node:test";
import assert from "node:assert/strict";
import { axe } from "./browser.mjs";
import { BASE, MARK, put, query, rows, TOKEN, until, withPage } from "./page.mjs";

test("signing in refuses wrong tokens and opens the same page", async () => {
  await withPage({ token: null, hash: "#/runs?status=FAILED", expected: ["401"] }, async (page) => {
    await axe(page, "sign-in");
    await page.getByLabel("Token").fill("sdk_00000000000000000000_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This token is not accepted").waitFor();
    await page.getByLabel("Token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await rows(page).first().waitFor();
    assert.equal(query(page).get("status"), "FAILED");
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.getItem("flowtrail.token")), null);
  });
});

test("a token that is refused later leads back to the same page", async () => {
  await withPage({ hash: "#/runs?range=7d", expected: ["401"] }, async (page) => {
    await rows(page).first().waitFor();
    await page.route("**/api/history/**", (route) =>
      route.fulfill({
        status: 401,
        contentType: "application/json",
        body: '{"success":false,"code":"UNAUTHENTICATED","message":"no"}',
      }),
    );
    await page.getByText("no longer accepted").waitFor();
    await page.unroute("**/api/history/**");
    await page.getByLabel("Token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await rows(page).first().waitFor();
    assert.equal(query(page).get("range"), "7d");
  });
});

test("filters are in the address, survive reloads, and Back works", async () => {
  await withPage({}, async (page) => {
    await rows(page).first().waitFor();
    await page
      .getByRole("group", { name: "Status" })
      .getByRole("button", { name: /^Failed/ })
      .click();
    await until(
      async () => (await page.locator("tr.run:not(.run-failed)").count()) === 0 && (await rows(page).count()) > 0,
      "only failed runs",
    );
    await page.getByRole("combobox", { name: "Flow" }).click();
    await page.getByRole("combobox", { name: "Flow" }).fill("invoice");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await until(() => query(page).get("flow") === "invoice-import", "the flow in the address");
    await page.getByRole("button", { name: "30 d" }).click();
    await page.getByLabel("Type").selectOption("PARENT");
    await until(() => query(page).get("type") === "PARENT", "the type in the address");
    await page.reload();
    await until(
      async () =>
        (await rows(page).count()) > 0 &&
        (await page.locator(".run-link").allInnerTexts()).every((name) => name === "Invoice import"),
      "the flow's runs after a reload",
    );
    assert.equal(await page.locator(".active .chip").count(), 4);
    await page.locator(".run-failed .col-error").first().filter({ hasText: /\w/ }).waitFor();
    await page.getByRole("button", { name: /^Remove filter Type/ }).click();
    await until(() => !query(page).get("type"), "the type gone");
    await page.goBack();
    await until(() => query(page).get("type") === "PARENT", "the type back");
    await page.getByRole("button", { name: "Clear all" }).click();
    await until(() => [...query(page)].length === 0, "no filters");
  });
});

test("empty results offer a way out; invalid times are ignored", async () => {
  await withPage({ hash: "#/runs?flow=there-is-no-such-flow&from=nonsense" }, async (page) => {
    await page.getByText("No runs match these filters").waitFor();
    await page.getByRole("button", { name: "Clear all filters" }).click();
    await rows(page).first().waitFor();
    await page.getByRole("button", { name: "Custom time" }).click();
    await page.getByLabel("From", { exact: true }).fill("2020-01-01T10:00");
    await page.getByLabel("To", { exact: true }).fill("2019-01-01T10:00");
    await page.getByText("The end is before the start").waitFor();
    await page.getByLabel("To", { exact: true }).fill("2021-01-01T10:00");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("No runs match these filters").waitFor();
    assert.match(query(page).get("from"), /^20(20-01-01|19-12-31)T/);
  });
});

test("the search opens a run by id or reports a missing one", async () => {
  const run = await put({ executionId: `${MARK}-search` });
  await withPage({ expected: ["404"] }, async (page) => {
    await rows(page).first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("no-such-run");
    await page.keyboard.press("Enter");
    await page.getByText("No run has the id “no-such-run”").waitFor();
    await page.locator("#run-search").fill(run.executionId);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/#/runs/${run.executionId}`);
  });
});

test("the keyboard shortcuts of the list work", async () => {
  await withPage({ hash: "#/runs?status=COMPLETED" }, async (page) => {
    await rows(page).nth(2).waitFor();
    await page.keyboard.press("j");
    const focused = () => page.evaluate(() => document.activeElement.closest("tr")?.dataset.run ?? null);
    const first = await focused();
    assert.ok(first);
    await page.keyboard.press("j");
    assert.notEqual(await focused(), first);
    await page.keyboard.press("k");
    assert.equal(await focused(), first);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await until(async () => (await focused()) === first, "the focus is given back");
    await page.keyboard.press("Enter");
    await page.locator(".run-page").waitFor();
    assert.ok(page.url().includes(`#/runs/${encodeURIComponent(first)}`));
    await page.goBack();
    await rows(page).first().waitFor();
    await page.keyboard.press("Escape");
    await until(() => !query(page).get("status"), "Esc clears the filters");
  });
});

test("new runs appear at the top and wait for a reading user", async () => {
  const flowId = `${MARK}-live`;
  for (let n = 0; n < 40; n += 1) {
    await put({ executionId: `${flowId}-${n}`, flowId, status: "COMPLETED", durationMs: 5 });
  }
  await withPage({ hash: `#/runs?flow=${flowId}` }, async (page) => {
    await until(async () => (await rows(page).count()) === 40, "40 rows");
    const open = await put({ executionId: `${flowId}-a`, flowId });
    const row = page.locator(`tr[data-run="${open.executionId}"]`);
    await row.waitFor();
    await until(async () => /^[1-9]\d* s$/.test(await row.locator(".col-duration").innerText()), "a ticking duration");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const second = await page.evaluate(() => document.activeElement.closest("tr").dataset.run);
    await put({ executionId: `${flowId}-b`, flowId, flowName: "Second" });
    await page.getByRole("button", { name: "1 new run" }).waitFor();
    assert.equal(await page.locator(`tr[data-run="${flowId}-b"]`).count(), 0);
    await put({ ...open, status: "FAILED", durationMs: 1234, errorMessage: "It broke\nat the second line" });
    await row.locator(".col-error").filter({ hasText: "It broke" }).waitFor();
    assert.equal(await row.locator(".col-error").innerText(), "It broke");
    assert.equal(await page.evaluate(() => document.activeElement.closest("tr").dataset.run), second);
    await page.getByRole("button", { name: "1 new run" }).click();
    await page.locator(`tr[data-run="${flowId}-b"]`).waitFor();
  });
});

test("only a few runs that left the list are requested again", async () => {
  const flowId = `${MARK}-lost`;
  const records = [];
  for (let n = 0; n < 10; n += 1) records.push(await put({ executionId: `${flowId}-${n}`, flowId }));
  const endAll = () => Promise.all(records.map((record) => put({ ...record, status: "COMPLETED", durationMs: 5 })));
  const beginAll = () => Promise.all(records.map((record) => put(record)));
  await withPage({ hash: `#/runs?flow=${flowId}&status=RUNNING` }, async (page) => {
    await until(async () => (await rows(page).count()) === 10, "10 rows");
    let asked = 0;
    page.on("request", (request) => {
      asked += request.url().includes("flow-executions/") ? 1 : 0;
    });
    const rounds = async () => {
      for (let round = 0; round < 3; round += 1) {
        await page.waitForResponse((response) => response.url().includes("api/history/executions?"));
      }
    };
    await endAll();
    await page.getByText("No runs match these filters").waitFor();
    await rounds();
    assert.equal(asked, 0);
    await beginAll();
    await until(async () => (await rows(page).count()) === 10, "10 rows again");
    await page.keyboard.press("j");
    await endAll();
    await until(async () => (await page.locator(".run-completed").count()) === 6, "6 of them as they are now");
    await rounds();
    assert.equal(asked, 6);
  });
});

test("pages are reached by number and do not shift", async () => {
  await withPage({}, async (page) => {
    await rows(page).first().waitFor();
    await page.getByLabel("Go to page").fill("3");
    await page.keyboard.press("Enter");
    await page
      .locator(".pager-range")
      .filter({ hasText: /^101–150 of/ })
      .waitFor();
    assert.ok(query(page).get("asof"));
    const ids = () => page.locator("tr.run").evaluateAll((list) => list.map((row) => row.dataset.run));
    await until(async () => (await page.locator("table[aria-busy=false]").count()) === 1, "the page");
    const before = await ids();
    await put({ executionId: `${MARK}-page`, flowId: `${MARK}-page` });
    await page.reload();
    await rows(page).first().waitFor();
    assert.deepEqual(await ids(), before);
    await page.getByRole("button", { name: "Last page" }).click();
    await until(
      async () =>
        (await page.getByRole("button", { name: "Next page" }).isDisabled()) &&
        (await page.locator("table[aria-busy=false]").count()) === 1,
      "the last page",
    );
    const [, last, total] = (await page.locator(".pager-range").innerText()).match(/–([\d,]+) of ([\d,]+)/);
    assert.equal(last, total);
    await page.getByRole("button", { name: "Newest" }).click();
    await until(() => !query(page).get("asof"), "the newest");
  });
});

test("malicious texts stay texts and keep the layout", async () => {
  const flowId = `${MARK}-hostile`;
  const html = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
  await put({
    executionId: `${flowId}-1`,
    flowId,
    flowName: html,
    errorMessage: html,
    status: "FAILED",
    trigger: html,
    deviceId: html,
    durationMs: 1,
  });
  await put({ executionId: `${flowId}-6`, flowId, labels: { [html]: html, "\u202eשם": "💥 ".repeat(80) } });
  await put({
    executionId: `${flowId}-2`,
    flowId,
    flowName: "Very long ".repeat(300),
    errorMessage: "x".repeat(5000),
    status: "FAILED",
    trigger: "T".repeat(500),
    deviceId: "d".repeat(300),
  });
  await put({
    executionId: `${flowId}-3`,
    flowId,
    flowName: "\u202eمرحبا بالعالم 🎉👩‍👩‍👧",
    errorMessage: "\u202eשגיאה: 💥 evil",
    status: "FAILED",
    durationMs: -5,
  });
  await put({ executionId: `${flowId}-4`, flowId, status: "SOMETHING", startTime: "yesterday", durationMs: 9e15 });
  await put({ executionId: `${flowId}/5+=@:`, flowId, status: "PENDING" });
  for (const width of [360, 1440, 2560]) {
    await withPage({ hash: `#/runs?flow=${flowId}`, viewport: { width, height: 800 } }, async (page) => {
      await until(async () => (await rows(page).count()) === 6, "six rows");
      assert.equal(await page.locator("img, tr script").count(), 0);
      assert.equal(
        await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
        true,
        `no sideways scrolling at ${width}`,
      );
      await page.getByText(html).first().waitFor();
      await page.locator(`tr[data-run="${flowId}/5+=@:"] .run-link`).click();
      await page.waitForURL(/#\/runs\/[^/?]+/);
    });
  }
});

test("a run without a flow is listed and opens", async () => {
  const labels = { [`${MARK}-flowless`]: "yes" };
  await put({ executionId: `${MARK}-flowless`, flowId: undefined, labels });
  await put({ executionId: `${MARK}-flowless-2`, flowId: `${MARK}-flowless`, labels });
  await withPage({ hash: `#/runs?label=${MARK}-flowless%3Dyes` }, async (page) => {
    await until(async () => (await rows(page).count()) === 2, "both runs");
    await page.getByRole("combobox", { name: "Flow" }).click();
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "No flow" }).click();
    await page.locator(".run-state-running").waitFor();
  });
});

test("a lost server keeps the rows and shows a countdown", async () => {
  await withPage({ expected: ["ERR_", "Failed to load"] }, async (page, context) => {
    await rows(page).first().waitFor();
    const count = await rows(page).count();
    await context.setOffline(true);
    await page.getByText("The server does not answer.").waitFor();
    await page.getByText(/Trying again in \d+ s\./).waitFor();
    assert.equal(await rows(page).count(), count);
    await context.setOffline(false);
    await page.getByRole("button", { name: "Try now" }).click();
    await page.getByText("The server does not answer.").waitFor({ state: "detached" });
    await page.locator(".live-on").waitFor();
  });
});

test("the first view is under 150 KB", async () => {
  await withPage({}, async (page) => {
    await rows(page).first().waitFor();
    await page.locator(".chart canvas").waitFor();
    const bytes = await page.evaluate(() => {
      const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
      return files
        .filter(({ name }) => !name.includes("/api/"))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
    });
    assert.ok(bytes > 50_000 && bytes < 150_000, `${bytes} bytes`);
  });
});

test("a busy server is retried after the time that it requests", async () => {
  await withPage({ expected: ["429"] }, async (page) => {
    await rows(page).first().waitFor();
    await page.route("**/api/history/executions?**", (route) =>
      route.fulfill({
        status: 429,
        headers: { "retry-after": "40" },
        json: { code: "TOO_MANY_REQUESTS", message: "Too many requests." },
      }),
    );
    await page.getByText(/Trying again in [3-6]\d s\./).waitFor();
    assert.ok((await rows(page).count()) > 0, "the rows are shown");
  });
});

test("runs are found by label in the list and on a run's page", async () => {
  const flowId = `${MARK}-labels`;
  const id = (n) => `${flowId}-${n}`;
  const created = Date.now() - 60_000;
  for (let n = 0; n < 3; n += 1) {
    const labels = { order: `${flowId} = 4${n}`, tier: n ? "gold" : "silver" };
    await put({
      executionId: id(n),
      flowId,
      status: "COMPLETED",
      labels,
      createdAt: new Date(created + n).toISOString(),
      durationMs: 1,
    });
  }
  await withPage({ hash: `#/runs?flow=${flowId}` }, async (page) => {
    await until(async () => (await rows(page).count()) === 3, "the runs");
    await rows(page).first().getByRole("link", { name: "tier=gold" }).click();
    await page.locator(".active").getByText("tier=gold").waitFor();
    assert.match(page.url(), /label=tier%3Dgold/);
    // Other runs have this label too.
    const label = page.getByRole("combobox", { name: "Label" });
    await page.getByRole("button", { name: "Clear label" }).click();
    await label.fill("no label");
    await label.press("Enter");
    await page.getByText("Type a name, = and a value").waitFor();
    await label.fill(`order=${flowId} = 41`);
    await label.press("Enter");
    await until(async () => (await rows(page).count()) === 1, "one run");
    assert.equal(await rows(page).first().getAttribute("data-run"), id(1));
    await page.locator(".pager-range", { hasText: "1–1 of 1 runs" }).waitFor();
    await page.locator(".status-chip-completed b", { hasText: "1" }).waitFor();
    await page.reload();
    await until(async () => (await rows(page).count()) === 1, "one run after a reload");
    await axe(page);
    await rows(page).first().locator(".run-link").click();
    await page
      .locator(".run-facts")
      .getByRole("link", { name: /^tier gold$/ })
      .click();
    await until(async () => (await rows(page).count()) >= 2, "the runs of the tier");
  });
});

test("an inexact total is marked", async () => {
  await withPage({ hash: "#/settings/tokens" }, async (page) => {
    await page.route("**/api/history/executions?**", async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      json.pagination.totalIsExact = false;
      json.pagination.total = 20000;
      await route.fulfill({ response, json });
    });
    await page.goto(`${BASE}#/runs?label=source%3Ddemo`);
    await page.locator(".pager-range", { hasText: "of 20,000+ runs" }).waitFor();
  });
});

/** Makes the page count its requests, and those without a response. */
function watchRequests() {
  const send = globalThis.fetch;
  globalThis.asked = [];
  globalThis.unanswered = 0;
  globalThis.fetch = async (url, options) => {
    globalThis.asked.push(String(url));
    globalThis.unanswered += 1;
    try {
      return new Response(await (await send(url, options)).text());
    } finally {
      globalThis.unanswered -= 1;
    }
  };
}

/** The number of requests in a minute of the page's clock, which is otherwise stopped. */
async function askedInAMinute(page) {
  await page.evaluate(() => {
    globalThis.asked = [];
  });
  for (let second = 0; second < 60; second += 1) {
    await page.clock.runFor(1000);
    await until(() => page.evaluate(() => globalThis.unanswered === 0), "the answers");
  }
  return page.evaluate(() => globalThis.asked.length);
}

test("an idle page polls rarely until the user returns", async () => {
  await withPage({ hash: "#/settings/tokens" }, async (page) => {
    await page.clock.install();
    await page.evaluate(watchRequests);
    await page.goto(`${BASE}#/runs`);
    await rows(page).first().waitFor();
    await page.mouse.move(700, 20);
    const used = await askedInAMinute(page);
    assert.ok(used > 15, `${used} requests while it is used`);
    await page.clock.runFor(61_000);
    const idle = await askedInAMinute(page);
    assert.ok(idle <= 12, `${idle} requests while it is idle`);
    const asked = page.waitForRequest("**/api/history/executions?**");
    await page.mouse.move(710, 20);
    await asked;
  });
});

test("outdated numbers are marked without an alert", async () => {
  await withPage({ expected: ["500"] }, async (page) => {
    await rows(page).first().waitFor();
    await page.locator(".chart canvas").waitFor();
    let release;
    const held = new Promise((resolve) => {
      release = resolve;
    });
    await page.route("**/api/history/execution-stats?**", async (route) => {
      await held;
      await route.fulfill({ status: 500, json: { code: "INTERNAL_ERROR", message: "It broke." } }).catch(() => {});
    });
    await page.getByRole("button", { name: "7 d" }).click();
    await page.locator(".statuses[aria-busy=true]").waitFor();
    await page.locator(".chart-box[aria-busy=true]").waitFor();
    release();
    await page.getByText("Numbers not up to date").waitFor();
    assert.ok((await rows(page).count()) > 0);
    await page.unroute("**/api/history/execution-stats?**");
    await page.locator(".chart-box[aria-busy=false]").waitFor();
    await page.getByText("Numbers not up to date").waitFor({ state: "detached" });
  });
});

test("refused and invalid responses offer a way out", async () => {
  await withPage({ expected: ["403"], hash: "#/settings/tokens" }, async (page) => {
    await page.route("**/api/history/executions?**", (route) =>
      route.fulfill({
        status: 403,
        contentType: "application/json",
        body: '{"code":"FORBIDDEN","message":"The role does not allow it.","requestId":"r-1"}',
      }),
    );
    await page.goto(`${BASE}#/runs`);
    await page.getByText("You do not have access to this").waitFor();
    await page.getByText("r-1").waitFor();
    await page.unroute("**/api/history/executions?**");
    await page.getByRole("button", { name: "Try again" }).click();
    await rows(page).first().waitFor();
  });
});

test("a page that cannot be rendered offers a way out", async () => {
  await withPage({ hash: "#/settings/tokens", expected: ["null"] }, async (page) => {
    await page.route("**/api/history/executions?**", (route) =>
      route.fulfill({ json: { executions: [{ id: null }], pagination: { total: 1 } } }),
    );
    await page.goto(`${BASE}#/runs`);
    await page.getByText("This page cannot be shown").waitFor();
    await page.unroute("**/api/history/executions?**");
    await page.getByRole("button", { name: "Try again" }).click();
    await rows(page).first().waitFor();
  });
});

test("a run opens in another tab without signing in again", async () => {
  await withPage({}, async (page, context) => {
    await rows(page).first().waitFor();
    const link = page.locator(".run-link").first();
    for (const open of [
      () => link.click({ modifiers: ["Control"] }),
      () => link.click({ button: "middle" }),
      () =>
        page
          .locator(".col-started time")
          .first()
          .click({ modifiers: ["Control"] }),
    ]) {
      const [tab] = await Promise.all([context.waitForEvent("page"), open()]);
      await tab.locator(".run-page").waitFor();
      assert.equal(await tab.evaluate(() => window.opener), null);
      await tab.close();
    }
    assert.match(page.url(), /#\/runs$/);
  });
});

test("only states of runs are filters; later pages are fixed", async () => {
  await withPage({ hash: "#/runs?status=SKIPPED&page=2" }, async (page) => {
    await rows(page).first().waitFor();
    assert.equal(await page.locator(".active .chip").count(), 0);
    await until(() => query(page).get("asof"), "the moment in the address");
    const asof = query(page).get("asof");
    await page.getByRole("button", { name: "Next page" }).click();
    await until(() => query(page).get("page") === "3", "the third page");
    assert.equal(query(page).get("asof"), asof);
  });
});

test("the focus moves to new headings and near removed chips", async () => {
  await withPage({ hash: "#/runs?status=FAILED&type=PARENT&range=30d" }, async (page) => {
    await rows(page).first().waitFor();
    const focused = () =>
      page.evaluate(
        () => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim(),
      );
    await page.getByRole("button", { name: "Remove filter Time Last 30 days" }).press("Enter");
    await until(async () => (await focused()) === "Remove filter Status Failed", "the focus at the next chip");
    await page.getByRole("button", { name: "Clear all" }).press("Enter");
    await until(
      () => page.evaluate(() => document.activeElement.matches("section.runs-page")),
      "the focus at the page",
    );
    await page.getByRole("link", { name: "Statistics" }).press("Enter");
    await until(
      () => page.evaluate(() => document.activeElement.id === "statistics-title"),
      "the focus at the heading",
    );
    await page.locator("[aria-live]", { hasText: /^Statistics$/ }).waitFor({ state: "attached" });
    await page.keyboard.press("?");
    await page.getByText("Show these shortcuts").waitFor();
    assert.equal(await page.getByText("Next run").count(), 0);
    await page.keyboard.press("Escape");
    await page.goBack();
    await rows(page).first().waitFor();
    await page.locator(".run-link").first().press("Enter");
    await until(
      () => page.evaluate(() => document.activeElement.closest(".run-title h1") !== null),
      "the focus at the run's name",
    );
    await page.keyboard.press("?");
    await page.getByText("Zoom in or out").waitFor();
  });
});

test("a phone has a button with the number of active filters", async () => {
  await withPage({ viewport: { width: 360, height: 740 }, hash: "#/runs?type=PARENT" }, async (page) => {
    await rows(page).first().waitFor();
    assert.equal(await page.getByLabel("Type", { exact: true }).isVisible(), false);
    await page.getByRole("button", { name: "Filters active: 1" }).click();
    await page.getByRole("button", { name: "7 d" }).click();
    await page.getByRole("button", { name: "Filters active: 2" }).waitFor();
    assert.equal(await page.getByLabel("Type", { exact: true }).isVisible(), true);
  });
});

test("dragging over the histogram narrows the time", async () => {
  await withPage({}, async (page) => {
    const over = page.locator(".chart .u-over");
    await over.waitFor();
    const box = await over.boundingBox();
    await page.mouse.move(box.x + box.width * 0.3, box.y + 30);
    await page.locator(".chart-tip").waitFor();
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 30, { steps: 5 });
    await page.mouse.up();
    await until(() => query(page).get("from") && query(page).get("to"), "from and to");
    await rows(page).first().waitFor();
    assert.ok(Date.parse(query(page).get("to")) - Date.parse(query(page).get("from")) > 86_400_000);
  });
});

test("a viewer sees runs but no settings", async () => {
  await withPage({ token: process.env.FLOWTRAIL_VIEWER_TOKEN }, async (page) => {
    await rows(page).first().waitFor();
    assert.equal(await page.getByRole("link", { name: "Settings" }).count(), 0);
  });
});

test("a token that is limited to flows filters by one of them", async () => {
  await withPage({ token: null }, async (page) => {
    await page.route("**/api/caller", (route) =>
      route.fulfill({
        contentType: "application/json",
        body: JSON.stringify({
          success: true,
          caller: {
            teamId: "default",
            principal: "token:x",
            permissions: ["EXECUTIONS_READ"],
            flows: ["invoice-import", "order-pipeline"],
          },
        }),
      }),
    );
    await page.getByLabel("Token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await rows(page).first().waitFor();
    assert.deepEqual([...new Set(await page.locator(".run-link").allInnerTexts())], ["Invoice import"]);
    assert.equal(await page.getByRole("button", { name: /^Remove filter Flow/ }).count(), 0);
  });
});

test("an empty team gets instructions for its first record", async () => {
  await withPage({ token: process.env.FLOWTRAIL_EMPTY_TOKEN }, async (page) => {
    await page.getByText("No runs yet").waitFor();
    await axe(page, "first use");
    await page.getByRole("button", { name: "Python, boto3" }).click();
    await page.getByText("import boto3").waitFor();
    if (!process.env.FLOWTRAIL_EMPTY_TEAM) return;
    await put({ executionId: `${MARK}-first`, teamId: process.env.FLOWTRAIL_EMPTY_TEAM });
    await rows(page).first().waitFor();
  });
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 768, 1440]) {
    test(`no serious accessibility findings, ${colorScheme}, ${width} px`, async () => {
      await withPage({ colorScheme, viewport: { width, height: 900 }, reducedMotion: "reduce" }, async (page) => {
        await rows(page).first().waitFor();
        await page.locator(".chart canvas").waitFor();
        await axe(page, "runs");
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
        if (width < 720) await page.getByRole("button", { name: "Filters" }).click();
        await page.getByRole("combobox", { name: "Flow" }).click();
        await page.locator(".option").first().waitFor();
        await axe(page, "flow list");
      });
    });
  }
}
