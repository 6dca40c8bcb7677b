// Common parts of the tests of statistics, export and settings. CHROMIUM is the path of another
// browser, SHOTS a folder for screenshots.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { launch } from "./browser.mjs";

export const BASE = `${process.env.FLOWTRAIL_URL}/`;
export const TOKEN = process.env.FLOWTRAIL_TOKEN;
const SHOTS = process.env.SHOTS;

let browser;
before(async () => {
  browser = await launch();
  await api("PUT", "api/settings/masking", {});
  await api("PUT", "api/roles", { roles: [] });
});
after(() => browser?.close());

export async function api(method, path, body, token = TOKEN) {
  const response = await fetch(new URL(path, BASE), {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, body: await response.json().catch(() => null) };
}

/** Creates a token with exactly these permissions. */
export async function tokenOf(permissions) {
  const name = `test-${permissions.length}-${permissions[0].toLowerCase().replaceAll("_", "-")}`;
  const { body } = await api("GET", "api/roles");
  const roles = [...body.roles.filter((role) => role.name !== name), { name, permissions }];
  await api("PUT", "api/roles", { roles });
  const created = await api("POST", "api/tokens", { role: name, name });
  return created.body.secret;
}

/** Opens a page and fails on errors, except for `expected` statuses, which the browser logs. */
export async function open(
  t,
  hash,
  { token = TOKEN, width = 1280, dark = false, base = BASE, expected = [], init } = {},
) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? "dark" : "light",
    acceptDownloads: true,
    reducedMotion: "reduce",
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await context.addInitScript(
    (value) => sessionStorage.getItem("flowtrail.token") ?? sessionStorage.setItem("flowtrail.token", value),
    token,
  );
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

export async function shot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}
