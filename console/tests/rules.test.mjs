// The settings with lists of rules: retention and stalled runs. Run it with with_server.mjs;
// CHROMIUM is the path of another browser.
import { before, test } from "node:test";
import assert from "node:assert/strict";
import { axe, overflow } from "./browser.mjs";
import { BASE, TOKEN, until, withPage } from "./page.mjs";

async function api(method, path, body) {
  const answer = await fetch(new URL(path, BASE), {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.equal(answer.status, 200, path);
  return answer.json();
}
const rulesOf = async (name) => (await api("GET", `api/settings/${name}`)).rules;

before(async () => {
  for (const name of ["retention", "stalled"]) await api("PUT", `api/settings/${name}`, { rules: [] });
});

const save = (page) => page.getByRole("button", { name: "Save changes" }).click();
const add = (page) => page.getByRole("button", { name: "Add a rule" }).click();

test("retention errors appear at their fields", async () => {
  await withPage({ hash: "#/settings/retention", expected: ["400"] }, async (page) => {
    await page.getByText("Runs are kept forever").waitFor();
    await add(page);
    await add(page);
    await page.getByLabel("Days of rule 1").fill("9 weeks");
    const flow = page.getByRole("combobox", { name: "Flow of rule 2" });
    await flow.fill("order-pipeline");
    await flow.press("Enter");
    await page.getByLabel("Kept, rule 2").selectOption("ever");
    await save(page);
    await page.getByText("Type a whole number from 1 to 3,650").waitFor();
    await until(
      () => page.getByLabel("Days of rule 1").evaluate((input) => input === document.activeElement),
      "the focus at the field",
    );
    assert.deepEqual(await rulesOf("retention"), [], "nothing was sent");
    await axe(page, "retention");
    await page.getByLabel("Days of rule 1").fill("30");
    await add(page);
    await save(page);
    await page.getByText("Remove this rule: rule 1 is for the same runs.").waitFor();
    await page.getByLabel("Ended as, rule 3").selectOption("FAILED");
    await page.getByLabel("Days of rule 3").fill("365");
    await save(page);
    await page.getByText("Retention is saved.").waitFor();
    assert.deepEqual(await rulesOf("retention"), [
      { days: 30 },
      { flowId: "order-pipeline", days: null },
      { status: "FAILED", days: 365 },
    ]);
    await page.reload();
    await page.getByRole("button", { name: "Remove rule 2" }).click();
    await save(page);
    await page.getByText("Retention is saved.").waitFor();
    assert.deepEqual(await rulesOf("retention"), [{ days: 30 }, { status: "FAILED", days: 365 }]);
  });
});

test("rules that others changed are not overwritten", async () => {
  await api("PUT", "api/settings/retention", { rules: [{ days: 7 }] });
  await withPage({ hash: "#/settings/retention", expected: ["409"] }, async (page) => {
    await page.getByLabel("Days of rule 1").fill("8");
    await api("PUT", "api/settings/retention", { rules: [{ flowId: "theirs", days: 9 }] });
    await save(page);
    await page.getByText("Only in their version: theirs: 9 days").waitFor();
    await page.getByText("Only in your version: all flows: 8 days").waitFor();
    await page.getByRole("button", { name: "Save my version" }).click();
    await page.getByText("Retention is saved.").waitFor();
    assert.deepEqual(await rulesOf("retention"), [{ days: 8 }]);
    await page.getByLabel("Days of rule 1").fill("10");
    await page.getByRole("link", { name: "Stalled runs" }).click();
    await page.getByText("Leave without saving?").waitFor();
    await page.getByRole("button", { name: "Discard changes" }).click();
    await page.getByText("Runs are never stalled").waitFor();
  });
});

test("rules for stalled runs have a unit", async () => {
  await withPage({ hash: "#/settings/stalled" }, async (page) => {
    await page.getByText("Runs are never stalled").waitFor();
    await add(page);
    await page.getByLabel("Closed, rule 1").selectOption("after");
    await page.getByLabel("Closed after, rule 1", { exact: true }).fill("2");
    await page.getByLabel("Closed after, rule 1, unit").selectOption("60");
    await save(page);
    await page.getByText("not shorter than the time until stalled").waitFor();
    await page.getByLabel("Closed after, rule 1, unit").selectOption("3600");
    await save(page);
    await page.getByText("The rules for stalled runs are saved.").waitFor();
    assert.deepEqual(await rulesOf("stalled"), [{ afterSeconds: 300, closeAfterSeconds: 7200 }]);
    await api("PUT", "api/settings/stalled", {
      rules: [
        { flowId: "order-pipeline", afterSeconds: 5400 },
        { flowId: "never", afterSeconds: null },
      ],
    });
    await page.reload();
    await page.getByLabel("Stalled after, rule 1", { exact: true }).waitFor();
    assert.equal(await page.getByLabel("Stalled after, rule 1", { exact: true }).inputValue(), "90");
    assert.equal(await page.getByLabel("Stalled after, rule 1, unit").inputValue(), "60");
    assert.equal(await page.getByLabel("Stalled, rule 2").inputValue(), "never");
    assert.equal(await page.getByRole("button", { name: "Save changes" }).isDisabled(), true, "nothing has changed");
  });
});

for (const section of ["retention", "stalled"]) {
  test(`${section} fits a phone and needs a permission`, async () => {
    await withPage(
      { hash: `#/settings/${section}`, viewport: { width: 360, height: 740 }, colorScheme: "dark" },
      async (page) => {
        await page.locator(".rule").first().waitFor();
        assert.equal(await overflow(page), 0);
        await axe(page, section);
      },
    );
    await withPage({ token: process.env.FLOWTRAIL_VIEWER_TOKEN, hash: `#/settings/${section}` }, async (page) => {
      await page.getByText("You do not have access to this").waitFor();
    });
  });
}
