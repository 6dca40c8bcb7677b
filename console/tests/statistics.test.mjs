// The Statistics page in a browser. Run it with with_server.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, BASE, open, shot, TOKEN } from "./admin-page.mjs";
import { axe, overflow } from "./browser.mjs";
import { execution, put } from "./records.mjs";

const drawn = (page) => page.locator(".plot-area canvas").nth(2).waitFor();

test("statistics show the numbers of the API", async (t) => {
  const page = await open(t, "#/statistics?from=2020-01-01T00:00:00.000Z");
  await drawn(page);
  const { body } = await api("GET", "api/history/execution-stats?startDate=2020-01-01");
  const counts = body.stats.statusBreakdown;
  const figure = (name) => page.locator(".figure", { hasText: name }).locator(".figure-value");
  // New runs arrive all the time.
  const shown = Number((await figure("Runs").textContent()).replaceAll(",", ""));
  assert.ok(Math.abs(shown - body.stats.totalExecutions) <= 20, `${shown} of ${body.stats.totalExecutions}`);
  assert.ok(Math.abs(Number(await figure("Failed").textContent()) - counts.FAILED) <= 10);
  assert.match(await figure("Success rate").textContent(), /^\d+(\.\d)? %$/);
  await page.locator(".flow-grid tbody tr").first().waitFor();
  await axe(page);
});

test("statistics keep filters and sorting in the address", async (t) => {
  const page = await open(t, "#/statistics");
  await drawn(page);
  await page.getByRole("button", { name: "24 h" }).click();
  await page.getByRole("heading", { name: "Runs per hour" }).waitFor();
  assert.match(page.url(), /range=24h/);
  await page.getByRole("button", { name: "p95" }).click();
  await page.locator("th[aria-sort=descending]", { hasText: "p95" }).waitFor();
  await page.reload();
  await page.locator("th[aria-sort=descending]", { hasText: "p95" }).waitFor();
  await page.getByRole("button", { name: "All", exact: true }).click();
  await page.getByText("There is no previous period").waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Runs per hour" }).waitFor();
});

test("statistics link to the runs", async (t) => {
  const page = await open(t, "#/statistics?range=30d&type=PARENT");
  await drawn(page);
  const area = page.locator(".plot-area").first();
  const box = await area.boundingBox();
  await area.hover({ position: { x: box.width / 2, y: box.height - 60 } });
  await page.locator(".plot-at", { hasText: "–" }).first().waitFor();
  await area.click({ position: { x: box.width / 2, y: box.height - 60 } });
  await page.waitForURL(/#\/runs\?.*type=PARENT.*from=.*to=/);
  await page.goBack();
  // With the keyboard: the charts move the table while they are drawn, and a click can miss the link.
  await page.locator(".flow-grid .figure-bad a").first().press("Enter");
  await page.waitForURL(/#\/runs\?(?=.*status=FAILED)(?=.*flow=)/);
});

test("statistics list no flow for runs without one", async (t) => {
  const id = `stats-${Date.now()}`;
  const common = { createdAt: new Date().toISOString(), startTime: new Date().toISOString(), labels: { flowless: id } };
  await put(execution(`${id}-1`, { ...common, flowId: undefined, status: "FAILED" }));
  await put(execution(`${id}-2`, { ...common, flowId: id, flowName: id }));
  const page = await open(t, `#/statistics?range=24h&label=flowless%3D${id}`);
  await page.locator(".flow-grid").waitFor();
  assert.deepEqual(await page.locator(".flow-grid .flow-name").allTextContents(), [id]);
  assert.equal(await page.locator(".figure", { hasText: "Runs" }).locator(".figure-value").textContent(), "2");
});

test("flow statistics show failing steps with a link to the run", async (t) => {
  const page = await open(t, "#/statistics?range=30d&flow=order-pipeline");
  await drawn(page);
  const steps = page.getByRole("region", { name: "Steps, table" });
  await steps.locator("tbody tr").first().waitFor();
  const answer = await fetch(new URL("api/history/step-stats?flowId=order-pipeline&days=30", BASE), {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const told = (await answer.json()).stats.steps;
  const names = await steps.locator("tbody th .flow-name").allTextContents();
  assert.deepEqual([...names].sort(), told.map((step) => step.name).sort());
  await shot(page, "statistics-steps");
  await axe(page);
  const times = page.getByRole("button", { name: "Total time" });
  await times.click();
  await page.locator("th[aria-sort=descending]", { hasText: "Total time" }).waitFor();
  assert.match(page.url(), /steps=time/);
  await page.reload();
  await page.locator("th[aria-sort=descending]", { hasText: "Total time" }).waitFor();
  await steps.locator(".step-failure").first().click();
  await page.waitForURL(/#\/runs\/[^?]+$/);
  await page.locator(".run-state-failed").waitFor();
});

test("steps are sorted by first failures, which link to runs", async (t) => {
  const page = await open(t, "#/statistics?range=30d&flow=order-pipeline");
  const steps = page.getByRole("region", { name: "Steps, table" });
  await steps.locator("tbody tr").first().waitFor();
  const answer = await fetch(new URL("api/history/step-stats?flowId=order-pipeline&days=30", BASE), {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const told = (await answer.json()).stats.steps;
  const fork = told.find((step) => step.action === "PARALLEL_FORK_MANAGER" && step.failed > 0);
  assert.equal(fork.failedFirst, 0, "a fork fails after its step");
  const names = await steps.locator("tbody th .flow-name").allTextContents();
  const worst = told.find((step) => step.name === names[0]);
  assert.equal(worst.failedFirst, Math.max(...told.map((step) => step.failedFirst)));
  await steps.locator(".figure-bad a").first().click();
  const dialog = page.getByRole("dialog", { name: `Failures of ${worst.name}` });
  const links = dialog.locator(".step-failures a");
  await links.first().waitFor();
  assert.deepEqual(
    await links.evaluateAll((all) => all.map((link) => decodeURIComponent(link.hash.split("/").at(-1)))),
    worst.failures.map((failure) => failure.executionId),
  );
  await axe(page, "failures");
  await dialog.getByRole("link", { name: /^All [\d,]+ failed runs of the flow in this time$/ }).waitFor();
  await links.first().click();
  await page.waitForURL(/#\/runs\/[^?]+$/);
  await page.locator(".run-state-failed").waitFor();
  await page.goBack();
  await dialog.waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await dialog.waitFor({ state: "detached" });
});

test("charts have tables as an alternative", async (t) => {
  const page = await open(t, "#/statistics?range=7d");
  await drawn(page);
  await page.getByText("As a table").first().click();
  assert.ok((await page.locator(".plot-table[open] tbody tr").count()) >= 7);
  await axe(page);
});

for (const [width, dark] of [
  [360, false],
  [1280, true],
  [2560, false],
]) {
  test(`statistics fit ${width} pixels, ${dark ? "dark" : "light"}`, async (t) => {
    const page = await open(t, "#/statistics", { width, dark });
    await drawn(page);
    await page.locator(".flow-grid tbody tr").first().waitFor();
    assert.equal(await overflow(page), 0);
    await shot(page, `statistics-${width}${dark ? "-dark" : ""}`);
    await axe(page);
  });
}

test("statistics explain empty results and refused requests", async (t) => {
  const page = await open(t, "#/statistics?flow=there-is-none", { expected: [400] });
  await page.getByText("No runs in this time").waitFor();
  await page.goto(new URL("#/statistics?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", BASE).href);
  await page.getByText("It must not be after the parameter").waitFor();
});
