// Statistics, export and settings, driven in a browser. with_server.mjs says where;
// CHROMIUM names another browser, SHOTS a folder for screenshots.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { after, before, test } from "node:test";
import { axe, launch, overflow } from "./browser.mjs";

const BASE = `${process.env.FLOWTRAIL_URL}/`;
const TOKEN = process.env.FLOWTRAIL_TOKEN;
const SHOTS = process.env.SHOTS;

let browser;
let gate;
before(async () => {
  browser = await launch();
  gate = await startGate();
  await api("PUT", "api/settings/masking", {});
  await api("PUT", "api/roles", { roles: [] });
});
after(async () => {
  await browser?.close();
  gate?.server.close();
  gate?.server.closeAllConnections();
});

async function api(method, path, body, token = TOKEN) {
  const response = await fetch(new URL(path, BASE), {
    method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: body && JSON.stringify(body),
  });
  return { status: response.status, body: await response.json().catch(() => null) };
}

async function tokenOf(permissions) {
  const name = `test-${permissions.length}-${permissions[0].toLowerCase().replaceAll("_", "-")}`;
  const { body } = await api("GET", "api/roles");
  const roles = [...body.roles.filter((role) => role.name !== name), { name, permissions }];
  await api("PUT", "api/roles", { roles });
  const made = await api("POST", "api/tokens", { role: name, name });
  return made.body.secret;
}

/** A way to the server on which exports can be held up and cut. */
async function startGate() {
  const state = { mode: "pass" };
  const server = http.createServer((req, res) => {
    const up = http.request(new URL(req.url, BASE), { method: req.method, headers: { ...req.headers, host: new URL(BASE).host, "accept-encoding": "identity" } }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      if (!req.url.includes("/export") || state.mode === "pass") return answer.pipe(res);
      let sent = 0;
      answer.on("data", (chunk) => {
        sent += chunk.length;
        if (sent < 20_000 || state.mode === "all-but-end") return res.write(chunk);
        if (state.mode === "cut") {
          res.write(chunk.subarray(0, 1000), () => res.destroy());
          up.destroy();
        } else if (state.mode === "quiet-end") {
          // As a proxy does that takes the cut for the end.
          res.end('EXPORT CUT OFF: the rows above are not all\r\n');
          up.destroy();
        }
        // "hold": a beginning, and nothing more.
        if (state.mode === "hold") res.write(chunk.subarray(0, 5000));
        answer.pause();
      });
      answer.on("error", () => {});
      answer.on("end", () => res.end());
    });
    up.on("error", () => res.destroy());
    res.on("close", () => up.destroy());
    req.pipe(up);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, state, url: `http://127.0.0.1:${server.address().port}/` };
}

/** A page that has to stay without errors. `expected` statuses are logged by the browser, too. */
async function open(t, hash, { token = TOKEN, width = 1280, dark = false, base = BASE, expected = [], init } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: dark ? "dark" : "light", acceptDownloads: true, reducedMotion: "reduce" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await context.addInitScript((value) => sessionStorage.getItem("flowtrail.token") ?? sessionStorage.setItem("flowtrail.token", value), token);
  if (init) await context.addInitScript(init);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const problems = [];
  page.on("console", (message) => {
    const text = message.text();
    const refused = expected.some((status) => text.includes(`status of ${status}`) || text.includes(String(status)));
    if (["error", "warning"].includes(message.type()) && !refused) problems.push(text);
  });
  page.on("pageerror", (error) => problems.push(error.stack));
  t.after(async () => {
    await context.close();
    assert.deepEqual(problems, []);
  });
  await page.goto(new URL(hash, base).href);
  return page;
}

async function shot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

/** Until the new row has the focus. */
const inRow = (page) => page.waitForFunction(() => document.activeElement?.closest(".row") !== null);
const drawn = (page) => page.locator(".plot-area canvas").nth(2).waitFor();

// ---- Statistics

test("statistics tell what the API tells", async (t) => {
  const page = await open(t, "#/statistics?from=2020-01-01T00:00:00.000Z");
  await drawn(page);
  const { body } = await api("GET", "api/history/execution-stats?startDate=2020-01-01");
  const counts = body.stats.statusBreakdown;
  const figure = (name) => page.locator(".figure", { hasText: name }).locator(".figure-value");
  // Runs come all the time.
  const shown = Number((await figure("Runs").textContent()).replaceAll(",", ""));
  assert.ok(Math.abs(shown - body.stats.totalExecutions) <= 20, `${shown} of ${body.stats.totalExecutions}`);
  assert.ok(Math.abs(Number(await figure("Failed").textContent()) - counts.FAILED) <= 10);
  assert.match(await figure("Success rate").textContent(), /^\d+(\.\d)? %$/);
  await page.locator(".flow-grid tbody tr").first().waitFor();
  await axe(page);
});

test("statistics keep filters and order in the address", async (t) => {
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
  await page.getByText("All time has nothing before it").waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Runs per hour" }).waitFor();
});

test("statistics lead to the runs", async (t) => {
  const page = await open(t, "#/statistics?range=30d&type=PARENT");
  await drawn(page);
  const area = page.locator(".plot-area").first();
  const box = await area.boundingBox();
  await area.hover({ position: { x: box.width / 2, y: box.height - 60 } });
  await page.locator(".plot-at", { hasText: "–" }).first().waitFor();
  await area.click({ position: { x: box.width / 2, y: box.height - 60 } });
  await page.waitForURL(/#\/runs\?.*type=PARENT.*from=.*to=/);
  await page.goBack();
  await page.locator(".flow-grid tbody tr").first().waitFor();
  await page.locator(".flow-grid .figure-bad a").first().click();
  await page.waitForURL(/#\/runs\?(?=.*status=FAILED)(?=.*flow=)/);
});

test("statistics of a flow tell which of its steps fail, and lead to the last failure", async (t) => {
  const page = await open(t, "#/statistics?range=30d&flow=order-pipeline");
  await drawn(page);
  const steps = page.getByRole("region", { name: "Steps, table" });
  await steps.locator("tbody tr").first().waitFor();
  const answer = await fetch(new URL("api/history/step-stats?flowId=order-pipeline&days=30", BASE), { headers: { authorization: `Bearer ${TOKEN}` } });
  const told = (await answer.json()).stats.steps;
  const names = await steps.locator("tbody th .flow-name").allTextContents();
  assert.deepEqual([...names].sort(), told.map((step) => step.name).sort());
  await shot(page, "statistics-steps");
  await axe(page);
  const times = page.getByRole("button", { name: "Time together" });
  await times.click();
  await page.locator("th[aria-sort=descending]", { hasText: "Time together" }).waitFor();
  assert.match(page.url(), /steps=time/);
  await page.reload();
  await page.locator("th[aria-sort=descending]", { hasText: "Time together" }).waitFor();
  await steps.locator(".step-failure").first().click();
  await page.waitForURL(/#\/runs\/[^?]+$/);
  await page.locator(".run-state-failed").waitFor();
});

test("statistics have tables for who cannot see the drawings", async (t) => {
  const page = await open(t, "#/statistics?range=7d");
  await drawn(page);
  await page.getByText("As a table").first().click();
  assert.ok(await page.locator(".plot-table[open] tbody tr").count() >= 7);
  await axe(page);
});

for (const [width, dark] of [[360, false], [1280, true], [2560, false]]) {
  test(`statistics fit ${width} pixels, ${dark ? "dark" : "light"}`, async (t) => {
    const page = await open(t, "#/statistics", { width, dark });
    await drawn(page);
    await page.locator(".flow-grid tbody tr").first().waitFor();
    assert.equal(await overflow(page), 0);
    await shot(page, `statistics-${width}${dark ? "-dark" : ""}`);
    await axe(page);
  });
}

test("statistics say where there are no runs, and where the API refuses", async (t) => {
  const page = await open(t, "#/statistics?flow=there-is-none", { expected: [400] });
  await page.getByText("No runs in this time").waitFor();
  await page.goto(new URL("#/statistics?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", BASE).href);
  await page.getByText("It lies after the parameter").waitFor();
});

// ---- Export

const BLOB_ONLY = () => { delete globalThis.showSaveFilePicker; };
const PICKER = () => {
  globalThis.showSaveFilePicker = async ({ suggestedName }) => {
    const folder = await navigator.storage.getDirectory();
    return folder.getFileHandle(suggestedName, { create: true });
  };
};
const names = (page) => page.evaluate(async () => {
  const list = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) list.push(name);
  return list.filter((name) => !name.endsWith(".crswap"));
});

async function openExport(page, filters) {
  await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
  await page.evaluate(async (change) => {
    const { ExportDialog } = await import("./assets/export/dialog.js");
    const { parseFilters } = await import("./assets/runs/filters.js");
    const { html } = await import("./assets/ui/html.js");
    const { render } = await import("preact");
    // Alone on the page, as it is until the Runs page has it: two roots have the same ids.
    render(null, document.getElementById("app"));
    const box = document.body.appendChild(document.createElement("div"));
    const { caller } = await (await fetch("api/caller", { headers: { authorization: `Bearer ${sessionStorage.getItem("flowtrail.token")}` } })).json();
    const close = () => render(null, box);
    render(html`<${ExportDialog} session=${{ caller, can: () => true }} filters=${parseFilters(change)} onClose=${close} />`, box);
  }, filters);
  return page.getByRole("dialog", { name: "Export runs" });
}

test("an export in memory is the server's file under the server's name", async (t) => {
  const page = await open(t, "#/runs", { init: BLOB_ONLY });
  const filters = { flow: "order-pipeline", status: "COMPLETED", from: "2026-11-01T00:00:00Z", to: "2026-11-20T00:00:00Z", type: "PARENT", label: "source=demo" };
  const dialog = await openExport(page, filters);
  await dialog.getByText("source=demo").waitFor();
  await shot(page, "export");
  await axe(page);
  const [download] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Export" }).click()]);
  await dialog.getByText("The export is complete.").waitFor();
  const path = "api/executions/team/default/export?format=csv&status=SUCCESS&workflowId=order-pipeline&executionType=PARENT&label=source=demo&from=2026-11-01T00:00:00.000Z&to=2026-11-20T00:00:00.000Z";
  const response = await fetch(new URL(path, BASE), { headers: { authorization: `Bearer ${TOKEN}` } });
  assert.ok(response.headers.get("content-disposition").includes(download.suggestedFilename()));
  const text = await response.text();
  assert.equal(await readFile(await download.path(), "utf8"), text);
  const rows = text.trimEnd().split("\r\n").length - 1;
  assert.ok(rows > 0);
  await dialog.getByText(`${rows.toLocaleString("en-GB")} rows`).waitFor();
});

test("an export to the disk is whole", async (t) => {
  const page = await open(t, "#/runs", { init: PICKER });
  const dialog = await openExport(page, { range: "7d" });
  await dialog.getByText("a run on each line").click();
  await dialog.getByRole("button", { name: "Export" }).click();
  await dialog.getByText("The export is complete.").waitFor();
  const [name] = await names(page);
  const text = await page.evaluate(async (file) => {
    const folder = await navigator.storage.getDirectory();
    return (await (await folder.getFileHandle(file)).getFile()).text();
  }, name);
  const runs = JSON.parse(text);
  assert.match(name, /^flowtrail-default-.*\.json$/);
  await dialog.getByText(`${runs.length.toLocaleString("en-GB")} runs`).waitFor();
});

for (const mode of ["cut", "quiet-end"]) {
  test(`an export that is cut off (${mode}) is told, and leaves no file`, async (t) => {
    const page = await open(t, "#/runs", { init: PICKER, base: gate.url, expected: ["ERR_INCOMPLETE_CHUNKED_ENCODING"] });
    const dialog = await openExport(page, { range: "7d" });
    gate.state.mode = mode;
    t.after(() => { gate.state.mode = "pass"; });
    await dialog.getByRole("button", { name: "Export" }).click();
    await dialog.getByText("The export was cut off.").waitFor();
    assert.deepEqual(await names(page), []);
    await shot(page, `export-${mode}`);
    gate.state.mode = "pass";
    await dialog.getByRole("button", { name: "Try again" }).click();
    await dialog.getByText("The export is complete.").waitFor();
  });
}

test("an export can be cancelled", async (t) => {
  const page = await open(t, "#/runs", { init: PICKER, base: gate.url });
  const dialog = await openExport(page, { range: "7d" });
  gate.state.mode = "hold";
  t.after(() => { gate.state.mode = "pass"; });
  await dialog.getByRole("button", { name: "Export" }).click();
  await dialog.getByText(/\d+ rows, .* kB/).waitFor();
  await shot(page, "export-running");
  await dialog.getByRole("button", { name: "Cancel the export" }).click();
  await dialog.getByRole("button", { name: "Export" }).waitFor();
  await page.waitForFunction(async () => {
    for await (const name of (await navigator.storage.getDirectory()).keys()) if (name) return false;
    return true;
  });
});

test("an export that is refused is told", async (t) => {
  const token = await tokenOf(["EXECUTIONS_READ"]);
  const page = await open(t, "#/runs", { init: PICKER, token, expected: [403] });
  const dialog = await openExport(page, {});
  await dialog.getByRole("button", { name: "Export" }).click();
  await dialog.getByText("EXECUTIONS_EXPORT").first().waitFor();
});

// ---- Settings: tokens

test("a token is made, shown once, and revoked", async (t) => {
  const page = await open(t, "#/settings/tokens", { expected: [400] });
  await page.getByRole("button", { name: "New token" }).first().click();
  const dialog = page.getByRole("dialog");
  const name = `e2e ${Date.now()}`;
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Role").selectOption("operator");
  await dialog.getByText("Only these").click();
  await dialog.getByRole("button", { name: "Make the token" }).click();
  await dialog.getByText("Choose at least one flow").waitFor();
  for (const flow of ["order-pipeline", "not an id"]) {
    await dialog.getByRole("combobox", { name: "Add a flow" }).fill(flow);
    await page.keyboard.press("Enter");
  }
  await dialog.getByRole("button", { name: "Make the token" }).click();
  await dialog.getByText("not an id: It is an id").waitFor();
  await shot(page, "token-error");
  await axe(page);
  await dialog.getByRole("button", { name: /Remove filter.*not an id/ }).click();
  await dialog.getByRole("button", { name: "Make the token" }).click();
  const secret = await dialog.getByLabel("The token's secret").inputValue();
  assert.match(secret, /^sdk_[0-9a-f]{20}_/);
  await shot(page, "token-made");
  await axe(page);
  await page.keyboard.press("Escape");
  await dialog.getByText("You have not copied it yet").waitFor();
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

test("roles are changed, with the server's errors at their fields", async (t) => {
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
  await auditor.getByText("It has at least one of").waitFor();
  await auditor.getByLabel("Read the audit").check();
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("The roles are saved").waitFor();
  await page.locator(".matrix th", { hasText: "auditor" }).waitFor();
  await shot(page, "roles");
  await axe(page);
  const { body } = await api("GET", "api/roles");
  assert.deepEqual(body.roles.find(({ name }) => name === "auditor").permissions, ["AUDIT_READ"]);
});

test("a conflict of roles loses nothing of either", async (t) => {
  await api("PUT", "api/roles", { roles: [{ name: "first", permissions: ["EXECUTIONS_READ"] }] });
  const page = await open(t, "#/settings/roles", { expected: [409] });
  const card = page.getByRole("region", { name: "Role first" });
  await card.getByRole("checkbox", { name: /^Export/ }).check();
  await api("PUT", "api/roles", { roles: [{ name: "first", permissions: ["EXECUTIONS_READ"] }, { name: "second", permissions: ["EXECUTIONS_READ"] }] });
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("second is theirs alone").waitFor();
  await shot(page, "roles-conflict");
  await page.getByRole("button", { name: "Save mine in its place" }).click();
  await page.getByText("The roles are saved").waitFor();
  const { body } = await api("GET", "api/roles");
  assert.deepEqual(body.roles.map(({ name, permissions }) => [name, permissions.length]), [["first", 2]]);
});

test("unsaved changes are asked about, by link and by Back", async (t) => {
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
  await page.getByText("The team's own roles").waitFor();
  assert.equal(await page.getByRole("region", { name: "Role new role" }).count(), 0);
});

// ---- Settings: masking

test("masking is tried before it is saved", async (t) => {
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
  await page.locator(".row", { has: page.getByLabel("Pattern 1", { exact: true }) }).or(page.locator(".row", { has: page.getByLabel("Pattern 2", { exact: true }) })).locator(".field-note:not(:empty)").first().waitFor();
  await page.getByLabel("Pattern 1", { exact: true }).fill("KD-[0-9]{8}");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.locator(".row", { has: page.getByLabel("Pattern 2", { exact: true }) }).getByText("unclosed group").waitFor();
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
  await page.getByLabel("A text, or JSON").fill("nothing to see");
  await page.getByText("Nothing would be masked").waitFor();
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("Masking is saved").waitFor();
  await page.reload();
  assert.equal(await page.getByLabel("Pattern 1", { exact: true }).inputValue(), "KD-[0-9]{8}");
});

test("masking that another has changed meanwhile is not written over", async (t) => {
  const page = await open(t, "#/settings/masking");
  await page.getByRole("button", { name: "+ Add a name" }).first().click();
  await inRow(page);
  await page.keyboard.type("sessionId");
  await api("PUT", "api/settings/masking", { keyNames: ["birthDate"] });
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("theirs alone: birthDate").waitFor();
  await page.getByRole("button", { name: "Take theirs, drop mine" }).click();
  assert.equal(await page.getByLabel("Names of secret fields, name 1").inputValue(), "birthDate");
});

test("what is typed while it is being saved is not lost", async (t) => {
  for (const [section, path] of [["masking", "**/api/settings/masking"], ["roles", "**/api/roles"]]) {
    const page = await open(t, `#/settings/${section}`);
    const input = section === "masking" ? page.getByLabel("Names of secret fields, name 1") : page.getByLabel("Name", { exact: true }).last();
    if (section === "masking") {
      await page.getByRole("button", { name: "+ Add a name" }).first().click();
      await inRow(page);
    } else {
      await page.getByRole("button", { name: "Add a role" }).click();
    }
    await input.fill("first-text");
    let release;
    const held = new Promise((resolve) => { release = resolve; });
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

test("copying works within a dialog where browsers have no clipboard for scripts", async (t) => {
  const page = await open(t, "#/settings/tokens", { init: () => { navigator.clipboard.writeText = () => Promise.reject(new Error("not here")); } });
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Name").fill("to be copied");
  await page.getByRole("button", { name: "Make the token" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /^Copy/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Copied" }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^sdk_/);
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Copied");
});

test("a refused token keeps what was typed", async (t) => {
  const made = await api("POST", "api/tokens", { role: "admin", name: "soon refused" });
  const page = await open(t, "#/settings/masking", { token: made.body.secret, expected: [401] });
  await page.getByRole("button", { name: "+ Add a name" }).first().click();
  await inRow(page);
  await page.keyboard.type("birthPlace");
  await page.route("**/api/settings/masking", (route) => route.fulfill({ status: 401, json: { success: false, code: "UNAUTHENTICATED", message: "no" } }));
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByLabel("Token").fill(TOKEN);
  await page.unroute("**/api/settings/masking");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Unsaved changes").waitFor();
  const values = await page.locator(".row input").evaluateAll((inputs) => inputs.map(({ value }) => value));
  assert.ok(values.includes("birthPlace"), values.join());
});

// ---- Settings: audit

test("the audit is filtered, and tells details", async (t) => {
  const page = await open(t, "#/settings/audit");
  await page.getByLabel("Action").selectOption("TOKEN_REVOKED");
  await page.locator(".event").first().waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll(".event")].every((row) => row.textContent.includes("Token revoked")));
  await page.getByRole("button", { name: /^Details of/ }).first().click();
  await page.locator(".event-facts").getByText("It was done.").waitFor();
  await shot(page, "audit");
  await axe(page);
  await page.reload();
  await page.locator(".event").first().waitFor();
  assert.equal(await page.getByLabel("Action").inputValue(), "TOKEN_REVOKED");
  await page.getByLabel("Who", { exact: true }).fill("token:nobody");
  await page.keyboard.press("Enter");
  await page.getByText("Nothing in the audit fits").waitFor();
  await page.goBack();
  await page.locator(".event").first().waitFor();
  assert.equal(await page.getByLabel("Who", { exact: true }).inputValue(), "");
});

for (const section of ["tokens", "roles", "masking", "audit"]) {
  test(`${section} fit a phone, in the dark`, async (t) => {
    const page = await open(t, `#/settings/${section}`, { width: 360, dark: true });
    await page.locator(".settings-body h2").first().waitFor();
    await page.waitForLoadState("networkidle");
    assert.equal(await overflow(page), 0);
    await shot(page, `${section}-360-dark`);
    await axe(page);
  });
}

test("who could open no part of Settings has no link to it", async (t) => {
  const page = await open(t, "#/settings/tokens", { init: () => sessionStorage.removeItem("flowtrail.token") });
  const permissions = ["EXECUTIONS_READ", "TOKENS_MANAGE", "AUDIT_READ"];
  await page.route("**/api/caller", (route) => route.fulfill({ json: { success: true, caller: { teamId: "default", principal: "token:x", permissions, flows: ["order-pipeline"] } } }));
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("You may not see this").waitFor();
  assert.equal(await page.getByRole("link", { name: "Settings" }).count(), 0);
});

test("who may not, does not see it", async (t) => {
  const token = await tokenOf(["AUDIT_READ"]);
  const page = await open(t, "#/settings", { token });
  await page.waitForURL(/settings\/audit/);
  assert.deepEqual(await page.locator(".tab").allTextContents(), ["Audit"]);
  await page.goto(new URL("#/settings/tokens", BASE).href);
  await page.getByText("You may not see this").waitFor();
});
