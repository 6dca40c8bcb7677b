// The Settings pages in a browser. Run it with with_server.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, BASE, open, shot, TOKEN, tokenOf } from "./admin-page.mjs";
import { axe, overflow } from "./browser.mjs";

/** Waits until the new row has the focus. */
const inRow = (page) => page.waitForFunction(() => document.activeElement?.closest(".row") !== null);

// ---- Settings: tokens

test("a token is created, shown once and revoked", async (t) => {
  const page = await open(t, "#/settings/tokens", { expected: [400] });
  await page.getByRole("button", { name: "New token" }).first().click();
  const dialog = page.getByRole("dialog");
  const name = `e2e ${Date.now()}`;
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Role").selectOption("operator");
  await dialog.getByText("Only these flows").click();
  await dialog.getByRole("button", { name: "Create token" }).click();
  await dialog.getByText("Choose at least one flow").waitFor();
  for (const flow of ["order-pipeline", "not an id"]) {
    await dialog.getByRole("combobox", { name: "Add a flow" }).fill(flow);
    await page.keyboard.press("Enter");
  }
  await dialog.getByRole("button", { name: "Create token" }).click();
  await dialog.getByText("not an id: Use 1 to 128 characters").waitFor();
  await shot(page, "token-error");
  await axe(page);
  await dialog.getByRole("button", { name: /Remove filter.*not an id/ }).click();
  await dialog.getByRole("button", { name: "Create token" }).click();
  const secret = await dialog.getByLabel("The token's secret").inputValue();
  assert.match(secret, /^sdk_[0-9a-f]{20}_/);
  await shot(page, "token-made");
  await axe(page);
  await page.keyboard.press("Escape");
  await dialog.getByText("You have not copied the secret yet").waitFor();
  await dialog.getByRole("button", { name: "Copy", exact: true }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await dialog.getByRole("button", { name: "Done" }).click();
  assert.equal((await api("GET", "api/caller", undefined, secret)).status, 200);
  const row = page.locator("tr", { hasText: name });
  await row.getByRole("button", { name: `Revoke ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await row.getByText("Revoked").waitFor();
  assert.equal(await page.locator(".tag-own").count(), 1);
  await shot(page, "tokens");
  await axe(page);
  const { body } = await api("GET", "api/tokens");
  assert.ok(body.tokens.find((token) => token.name === name).revokedAt);
});

// ---- Settings: roles

test("role errors of the server appear at their fields", async (t) => {
  const page = await open(t, "#/settings/roles", { expected: [400] });
  await page.getByRole("button", { name: "Add a role" }).click();
  const card = page.getByRole("region", { name: "Role new role" });
  await card.getByLabel("Name").fill("Viewer");
  const viewer = page.getByRole("region", { name: "Role Viewer" });
  await page.getByRole("button", { name: "Save changes" }).click();
  await viewer.getByText("Every team has the role viewer").waitFor();
  assert.equal(await viewer.getByLabel("Name").getAttribute("aria-invalid"), "true");
  await viewer.getByLabel("Name").fill("auditor");
  const auditor = page.getByRole("region", { name: "Role auditor" });
  await auditor.getByLabel("Read runs").uncheck();
  await page.getByRole("button", { name: "Save changes" }).click();
  await auditor.getByText("Use at least one of").waitFor();
  await auditor.getByLabel("Read the audit").check();
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("The roles are saved").waitFor();
  await page.locator(".matrix th", { hasText: "auditor" }).waitFor();
  await shot(page, "roles");
  await axe(page);
  const { body } = await api("GET", "api/roles");
  assert.deepEqual(body.roles.find(({ name }) => name === "auditor").permissions, ["AUDIT_READ"]);
});

test("a conflict of roles keeps both versions", async (t) => {
  await api("PUT", "api/roles", { roles: [{ name: "first", permissions: ["EXECUTIONS_READ"] }] });
  const page = await open(t, "#/settings/roles", { expected: [409] });
  const card = page.getByRole("region", { name: "Role first" });
  await card.getByRole("checkbox", { name: /^Export/ }).check();
  await api("PUT", "api/roles", {
    roles: [
      { name: "first", permissions: ["EXECUTIONS_READ"] },
      { name: "second", permissions: ["EXECUTIONS_READ"] },
    ],
  });
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("second is only in their version").waitFor();
  await shot(page, "roles-conflict");
  await page.getByRole("button", { name: "Save my version" }).click();
  await page.getByText("The roles are saved").waitFor();
  const { body } = await api("GET", "api/roles");
  assert.deepEqual(
    body.roles.map(({ name, permissions }) => [name, permissions.length]),
    [["first", 2]],
  );
});

test("links and Back ask before unsaved changes are lost", async (t) => {
  const page = await open(t, "#/settings/tokens");
  await page.getByRole("link", { name: "Roles" }).click();
  await page.getByRole("button", { name: "Add a role" }).click();
  await page.getByRole("link", { name: "Masking" }).click();
  const question = page.getByRole("dialog", { name: "Leave without saving?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("region", { name: "Role new role" }).waitFor();
  await page.goBack();
  await question.waitFor();
  await page.getByRole("region", { name: "Role new role", includeHidden: true }).waitFor();
  await question.getByRole("button", { name: "Discard changes" }).click();
  await page.getByRole("heading", { name: "Tokens" }).waitFor();
  await page.getByRole("link", { name: "Roles" }).click();
  await page.getByRole("heading", { name: "Custom roles" }).waitFor();
  assert.equal(await page.getByRole("region", { name: "Role new role" }).count(), 0);
});

// ---- Settings: masking

test("masking can be tried before it is saved", async (t) => {
  const page = await open(t, "#/settings/masking", { expected: [400] });
  await page.getByRole("button", { name: "+ Add a pattern" }).first().click();
  await inRow(page);
  await page.keyboard.type("customer-number");
  await page.keyboard.press("Tab");
  await page.keyboard.type("KD-[0-9]{8");
  await page.getByRole("button", { name: "+ Add a pattern" }).first().click();
  await inRow(page);
  await page.keyboard.type("odd");
  await page.keyboard.press("Tab");
  await page.keyboard.type("(");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page
    .locator(".row", { has: page.getByLabel("Pattern 1", { exact: true }) })
    .or(page.locator(".row", { has: page.getByLabel("Pattern 2", { exact: true }) }))
    .locator(".field-note:not(:empty)")
    .first()
    .waitFor();
  await page.getByLabel("Pattern 1", { exact: true }).fill("KD-[0-9]{8}");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page
    .locator(".row", { has: page.getByLabel("Pattern 2", { exact: true }) })
    .getByText("unclosed group")
    .waitFor();
  assert.equal(await page.getByLabel("Pattern 2", { exact: true }).inputValue(), "(");
  await shot(page, "masking-error");
  await axe(page);
  await page.getByRole("button", { name: "Remove pattern 2" }).click();
  await page.getByRole("button", { name: "Use an example" }).click();
  await page.locator(".try mark", { hasText: "customer-number" }).waitFor();
  await page.locator(".try mark", { hasText: "secret" }).first().waitFor();
  await shot(page, "masking-try");
  await axe(page);
  await page.getByRole("button", { name: "In a run's details" }).click();
  await page.locator(".try mark", { hasText: "customer-number" }).waitFor({ state: "detached" });
  await page.locator(".try mark", { hasText: "secret" }).first().waitFor();
  await page.getByRole("button", { name: "In an export" }).click();
  await page.locator(".try mark", { hasText: "customer-number" }).waitFor();
  await page.getByRole("button", { name: "As saved" }).click();
  await page.locator(".try mark", { hasText: "customer-number" }).waitFor({ state: "detached" });
  await page.getByLabel("Text or JSON").fill("nothing to see");
  await page.getByText("Nothing is masked").waitFor();
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("Masking is saved").waitFor();
  await page.reload();
  assert.equal(await page.getByLabel("Pattern 1", { exact: true }).inputValue(), "KD-[0-9]{8}");
});

test("masking that others changed is not overwritten", async (t) => {
  const page = await open(t, "#/settings/masking");
  await page.getByRole("button", { name: "+ Add a name" }).first().click();
  await inRow(page);
  await page.keyboard.type("sessionId");
  await api("PUT", "api/settings/masking", { keyNames: ["birthDate"] });
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("only in their version: birthDate").waitFor();
  await page.getByRole("button", { name: "Use their version" }).click();
  assert.equal(await page.getByLabel("Names of secret fields, name 1").inputValue(), "birthDate");
});

test("text that is typed while saving is kept", async (t) => {
  for (const [section, path] of [
    ["masking", "**/api/settings/masking"],
    ["roles", "**/api/roles"],
  ]) {
    const page = await open(t, `#/settings/${section}`);
    const input =
      section === "masking"
        ? page.getByLabel("Names of secret fields, name 1")
        : page.getByLabel("Name", { exact: true }).last();
    if (section === "masking") {
      await page.getByRole("button", { name: "+ Add a name" }).first().click();
      await inRow(page);
    } else {
      await page.getByRole("button", { name: "Add a role" }).click();
    }
    await input.fill("first-text");
    let release;
    const held = new Promise((resolve) => {
      release = resolve;
    });
    await page.route(path, async (route) => {
      if (route.request().method() === "PUT") await held;
      await route.continue();
    });
    const sent = page.waitForRequest((request) => request.method() === "PUT");
    await page.getByRole("button", { name: "Save changes" }).click();
    await sent;
    await input.fill("second-text");
    release();
    await page.getByText(section === "masking" ? "Masking is saved" : "The roles are saved").waitFor();
    assert.equal(await input.inputValue(), "second-text");
    await page.getByText("Unsaved changes").waitFor();
    await page.getByRole("button", { name: "Save changes" }).click();
    await page.getByText("Unsaved changes").waitFor({ state: "detached" });
    assert.ok(JSON.stringify((await api("GET", path.slice(3))).body).includes("second-text"));
    await page.close();
  }
  await api("PUT", "api/settings/masking", {});
});

test("copying in a dialog works without the clipboard API", async (t) => {
  const page = await open(t, "#/settings/tokens", {
    init: () => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("not here"));
    },
  });
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Name").fill("to be copied");
  await page.getByRole("button", { name: "Create token" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /^Copy/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Copied" }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^sdk_/);
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Copied");
});

test("a refused token keeps the unsaved changes", async (t) => {
  const made = await api("POST", "api/tokens", { role: "admin", name: "soon refused" });
  const page = await open(t, "#/settings/masking", { token: made.body.secret, expected: [401] });
  await page.getByRole("button", { name: "+ Add a name" }).first().click();
  await inRow(page);
  await page.keyboard.type("birthPlace");
  await page.route("**/api/settings/masking", (route) =>
    route.fulfill({ status: 401, json: { success: false, code: "UNAUTHENTICATED", message: "no" } }),
  );
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByLabel("Token").fill(TOKEN);
  await page.unroute("**/api/settings/masking");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Unsaved changes").waitFor();
  const values = await page.locator(".row input").evaluateAll((inputs) => inputs.map(({ value }) => value));
  assert.ok(values.includes("birthPlace"), values.join());
});

// ---- Settings: audit

test("the audit has filters and shows details", async (t) => {
  const page = await open(t, "#/settings/audit");
  await page.getByLabel("Action").selectOption("TOKEN_REVOKED");
  await page.locator(".event").first().waitFor();
  await page.waitForFunction(() =>
    [...document.querySelectorAll(".event")].every((row) => row.textContent.includes("Token revoked")),
  );
  await page
    .getByRole("button", { name: /^Details of/ })
    .first()
    .click();
  await page.locator(".event-facts").getByText("Completed.").waitFor();
  await shot(page, "audit");
  await axe(page);
  await page.reload();
  await page.locator(".event").first().waitFor();
  assert.equal(await page.getByLabel("Action").inputValue(), "TOKEN_REVOKED");
  await page.getByLabel("Who", { exact: true }).fill("token:nobody");
  await page.keyboard.press("Enter");
  await page.getByText("No event matches these filters.").waitFor();
  await page.goBack();
  await page.locator(".event").first().waitFor();
  assert.equal(await page.getByLabel("Who", { exact: true }).inputValue(), "");
});

for (const section of ["tokens", "roles", "masking", "audit"]) {
  test(`${section} fit a phone in dark mode`, async (t) => {
    const page = await open(t, `#/settings/${section}`, { width: 360, dark: true });
    await page.locator(".settings-body h2").first().waitFor();
    await page.waitForLoadState("networkidle");
    assert.equal(await overflow(page), 0);
    await shot(page, `${section}-360-dark`);
    await axe(page);
  });
}

test("callers without access to Settings see no link to it", async (t) => {
  const page = await open(t, "#/settings/tokens", { init: () => sessionStorage.removeItem("flowtrail.token") });
  const permissions = ["EXECUTIONS_READ", "TOKENS_MANAGE", "AUDIT_READ"];
  await page.route("**/api/caller", (route) =>
    route.fulfill({
      json: {
        success: true,
        caller: { teamId: "default", principal: "token:x", permissions, flows: ["order-pipeline"] },
      },
    }),
  );
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("You do not have access to this").waitFor();
  assert.equal(await page.getByRole("link", { name: "Settings" }).count(), 0);
});

test("callers see only permitted sections of Settings", async (t) => {
  const token = await tokenOf(["AUDIT_READ"]);
  const page = await open(t, "#/settings", { token });
  await page.waitForURL(/settings\/audit/);
  assert.deepEqual(await page.locator(".tab").allTextContents(), ["Audit"]);
  await page.goto(new URL("#/settings/tokens", BASE).href);
  await page.getByText("You do not have access to this").waitFor();
});
