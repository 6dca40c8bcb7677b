// The page of the HTTP API in a browser. Run it with with_server.mjs; SHOTS is a folder for
// screenshots.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, launch, overflow } from "./browser.mjs";

const BASE = `${process.env.FLOWTRAIL_URL}/`;
const { SHOTS } = process.env;

let browser;
let operations;
before(async () => {
  browser = await launch();
  const description = await (await fetch(new URL("openapi.json", BASE))).json();
  operations = Object.values(description.paths).flatMap((methods) => Object.values(methods));
});
after(() => browser?.close());

async function open(t, hash, { token, width = 1280, dark = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
  });
  if (token) await context.addInitScript((value) => sessionStorage.setItem("flowtrail.token", value), token);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  t.after(async () => {
    await context.close();
    assert.deepEqual(problems, []);
  });
  await page.goto(new URL(hash, BASE).href);
  return page;
}

test("every operation is public to read", async (t) => {
  const page = await open(t, "#/api");
  const links = page.getByRole("navigation", { name: "Operations" }).getByRole("listitem").getByRole("link");
  await links.first().waitFor();
  assert.ok(operations.length > 30);
  assert.equal(await links.count(), operations.length);
  for (const { operationId, summary, parameters = [] } of operations) {
    await page.goto(new URL(`#/api/${operationId}`, BASE).href);
    await page.getByRole("heading", { name: summary, exact: true, level: 2 }).waitFor();
    for (const { name } of parameters) {
      assert.equal(
        await page.getByLabel("Parameters").getByText(name, { exact: true }).first().isVisible(),
        true,
        `${operationId}: ${name}`,
      );
    }
  }
});

test("an operation shows its parameters and its responses", async (t) => {
  const page = await open(t, "#/api/listFlowExecutions");
  const limit = page
    .getByLabel("Parameters")
    .locator(".field-entry", { has: page.getByText("limit", { exact: true }) });
  assert.match((await limit.textContent()).replace(/\s+/g, " "), /whole number\s*1 to 500\s*default 50/);
  const command = await page.getByLabel("Command line", { exact: true }).textContent();
  assert.ok(command.includes(`'${BASE}flow-executions?flowDefinitionId=order-pipeline'`), command);
  // The members of the page, and the members of each item.
  for (const depth of [0, 1]) await page.getByText("Members").nth(depth).click();
  await page.getByText("flowExecutionId", { exact: true }).first().waitFor();
  await page.locator("summary", { hasText: "400" }).click();
  await page.getByText("INVALID_NEXT_TOKEN").nth(1).waitFor();
});

test("the search filters operations, and unknown ones are reported", async (t) => {
  const page = await open(t, "#/api");
  const contents = page.getByRole("navigation", { name: "Operations" });
  await contents.getByRole("searchbox").fill("delete token");
  assert.equal(await contents.getByRole("listitem").count(), 1);
  await contents.getByRole("listitem").getByRole("link").click();
  await page.getByText("/api/tokens/{tokenId}", { exact: true }).waitFor();
  await contents.getByRole("searchbox").fill("nonsense");
  await page.getByText("No operation contains these words.").waitFor();
  await page.goto(new URL("#/api/nonsense", BASE).href);
  await page.getByRole("heading", { name: "Operation not found" }).waitFor();
});

test("the account menu and the sign-in page link to it", async (t) => {
  const page = await open(t, "#/runs", { token: process.env.FLOWTRAIL_TOKEN });
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("link", { name: "HTTP API" }).click();
  await page.getByRole("heading", { name: "HTTP API" }).waitFor();
  await page.getByRole("link", { name: "Runs", exact: true }).waitFor();

  const stranger = await open(t, "#/runs");
  await stranger.getByRole("link", { name: "the HTTP API" }).click();
  await stranger.getByRole("heading", { name: "HTTP API" }).waitFor();
  await stranger.getByRole("link", { name: "Sign in" }).click();
  await stranger.getByLabel("Token").waitFor();
});

for (const dark of [false, true]) {
  for (const width of [360, 1280]) {
    test(`it is readable at ${width} pixels, ${dark ? "dark" : "light"}`, async (t) => {
      for (const at of ["#/api", "#/api/exportTeamExecutions", "#/api/updateRetentionSettings"]) {
        const page = await open(t, at, { width, dark });
        await page.locator(".operation h3").first().waitFor();
        assert.equal(await overflow(page), 0, at);
        await axe(page);
        if (SHOTS) {
          await page.screenshot({
            path: `${SHOTS}/api-${width}-${dark ? "dark" : "light"}-${at.slice(6) || "overview"}.png`,
            fullPage: true,
          });
        }
      }
    });
  }
}
