// The limits and names that the console reads from the server's config.json. Run it with
// with_server.mjs; CHROMIUM is the path of another browser.
import { test } from "node:test";
import assert from "node:assert/strict";
import { withPage } from "./page.mjs";

/** Opens a section of Settings with a changed config.json. */
async function withConfig(section, change, work) {
  await withPage({ hash: "#/runs" }, async (page) => {
    let requests = 0;
    await page.route("**/config.json", async (route) => {
      requests += 1;
      const response = await route.fetch();
      const json = await response.json();
      change(json);
      await route.fulfill({ response, json });
    });
    await page.goto(`${page.url().split("#")[0]}#/settings/${section}`);
    await page.reload();
    await work(page);
    assert.equal(requests, 1);
  });
}

test("the limit of retention comes from the server", async () => {
  const change = ({ limits }) => {
    limits.retentionDays = 1234;
    limits.rules = 1;
  };
  await withConfig("retention", change, async (page) => {
    const add = page.getByRole("button", { name: "Add a rule" });
    await add.waitFor();
    if ((await page.locator(".rule").count()) === 0) await add.click();
    assert.equal(await add.isDisabled(), true);
    await page.getByLabel("Days of rule 1").fill("1235");
    await page.getByRole("button", { name: "Save changes" }).click();
    await page.getByText("Type a whole number from 1 to 1,234, or keep the runs forever.").waitFor();
  });
});

test("the limits of stalled runs come from the server", async () => {
  const change = ({ limits }) => {
    limits.stalledMinSeconds = 120;
    limits.stalledMaxSeconds = 7200;
  };
  await withConfig("stalled", change, async (page) => {
    await page.getByRole("button", { name: "Add a rule" }).click();
    const after = page
      .locator(".rule")
      .last()
      .getByLabel(/^Stalled after, rule \d+$/);
    await after.fill("1");
    await page.getByRole("button", { name: "Save changes" }).click();
    await page.getByText("Type a whole number: at least 2 minutes, at most 2 hours.").waitFor();
  });
});

test("the limits of tokens come from the server", async () => {
  const change = ({ limits }) => {
    limits.revokedTokenDays = 12;
    limits.tokenNameLength = 5;
  };
  await withConfig("tokens", change, async (page) => {
    await page.getByText("Revoked tokens stay in this list for 12 days.").waitFor();
    await page.getByRole("button", { name: "New token" }).click();
    assert.equal(await page.getByLabel("Name", { exact: true }).getAttribute("maxlength"), "5");
  });
});

test("unknown permissions are shown by their names", async () => {
  await withConfig(
    "roles",
    ({ permissions }) => permissions.push("RUNS_PAINT"),
    async (page) => {
      await page.locator(".matrix").getByText("Read runs").waitFor();
      await page.locator(".matrix").getByText("RUNS_PAINT").waitFor();
    },
  );
});

test("unknown audit actions are shown by their names", async () => {
  const change = ({ limits, auditActions }) => {
    limits.auditDays = 45;
    auditActions.push("RUN_PAINTED");
  };
  await withConfig("audit", change, async (page) => {
    await page.getByText("Events are kept for 45 days.").waitFor();
    const options = await page.getByLabel("Action").locator("option").allTextContents();
    assert.ok(options.includes("Token created") && options.includes("RUN_PAINTED"), options.join());
    assert.ok((await page.getByLabel("Time").locator("option").allTextContents()).includes("All 45 days"));
  });
});

test("built-in masking rules come from the server", async () => {
  const change = (config) => {
    config.maskingRules = ["email", "new-rule"];
    config.limits.settingsPropagationSeconds = 7;
  };
  await withConfig("masking", change, async (page) => {
    await page.getByText("2 built-in rules find credentials").waitFor();
    await page.getByText("Changes take effect everywhere within 7 seconds.").waitFor();
    await page.getByRole("combobox", { name: "Disable a rule" }).click();
    await page.getByRole("option", { name: "new-rule" }).waitFor();
  });
});
