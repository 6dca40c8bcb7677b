// Signing in with the links of `flowtrail serve` and `flowtrail sign-in` in a browser. Run it with
// with_server.mjs.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { axe, launch } from "./browser.mjs";

const BASE = `${process.env.FLOWTRAIL_URL}/`;
const TOKEN = process.env.FLOWTRAIL_TOKEN;
const VIEWER = process.env.FLOWTRAIL_VIEWER_TOKEN;
const KEY = "flowtrail.token";

let browser;
before(async () => {
  assert.ok(TOKEN, "run it with with_server.mjs");
  browser = await launch();
});
after(() => browser?.close());

/** Gets another link from the server. */
async function newLink() {
  const args = ["sign-in", "--data", process.env.FLOWTRAIL_DATA];
  const { stdout } = await promisify(execFile)(process.env.FLOWTRAIL_PROGRAM, args);
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/#\/sign-in\?code=[\w-]{43}\n$/);
  return stdout.trim();
}

/** A page in its own browser context, signed in with the token. */
async function open(t, url, token = null) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const seed = ([key, text]) =>
    sessionStorage.seeded ?? (sessionStorage.setItem(key, text), (sessionStorage.seeded = "1"));
  if (token) await page.addInitScript(seed, [KEY, token]);
  await page.goto(url);
  return page;
}

const kept = (page) => page.evaluate((key) => sessionStorage.getItem(key), KEY);
const rows = (page) => page.locator("tr.run");
const offer = (page) => page.getByRole("dialog", { name: "Switch to the sign-in link?" });
const paste = (page, link) =>
  page.evaluate((hash) => {
    location.hash = hash;
  }, new URL(link).hash);
const callerOf = async (token) =>
  (await (await fetch(`${BASE}api/caller`, { headers: { authorization: `Bearer ${token}` } })).json()).caller;

test("the printed link signs in once, with its own session", async (t) => {
  const page = await open(t, process.env.FLOWTRAIL_LINK);
  await rows(page).first().waitFor();
  assert.match(page.url(), /#\/runs$/);
  const session = await kept(page);
  assert.match(session, /^sdk_/);
  assert.notEqual(session, TOKEN);
  const { tokens } = await (
    await fetch(`${BASE}api/tokens`, { headers: { authorization: `Bearer ${session}` } })
  ).json();
  const own = tokens.find(({ id }) => session.includes(id));
  assert.equal(own.name, "console");
  assert.equal(own.role, "admin");
  const hours = (new Date(own.expiresAt) - new Date(own.createdAt)) / 3_600_000;
  assert.ok(hours > 11.9 && hours <= 12, `${hours} hours`);
  await page.reload();
  await rows(page).first().waitFor();
  assert.equal(await kept(page), session);

  const other = await open(t, process.env.FLOWTRAIL_LINK);
  const used =
    "A sign-in link works once, within ten minutes. On the machine that runs flowtrail serve, " +
    "get a new link with: flowtrail sign-in";
  await other.getByText(used).waitFor();
  await other.getByLabel("Token").waitFor();
  assert.equal(await kept(other), null);
  await axe(other);
});

test("a session can create a token that outlives it", async (t) => {
  const page = await open(t, await newLink());
  await rows(page).first().waitFor();
  const headers = { authorization: `Bearer ${await kept(page)}`, "content-type": "application/json" };
  const made = await fetch(`${BASE}api/tokens`, { method: "POST", headers, body: JSON.stringify({ role: "viewer" }) });
  assert.equal(made.status, 201);
});

test("a link asks before it replaces a session", async (t) => {
  const page = await open(t, await newLink(), VIEWER);
  await offer(page).waitFor();
  const { principal } = await callerOf(VIEWER);
  await offer(page).getByText(principal).waitFor();
  assert.match(page.url(), /#\/runs$/);
  await axe(page);
  await offer(page).getByRole("button", { name: "Stay signed in" }).click();
  await offer(page).waitFor({ state: "detached" });
  assert.equal(await kept(page), VIEWER);
  await page.reload();
  await rows(page).first().waitFor();
  assert.equal(await offer(page).count(), 0);

  // Pasted into the open console, which stays on its page.
  await page.goto(`${BASE}#/runs?range=7d`);
  const link = await newLink();
  await paste(page, link);
  await offer(page).waitFor();
  assert.match(page.url(), /#\/runs\?range=7d$/);
  await page.keyboard.press("Escape");
  await offer(page).waitFor({ state: "detached" });
  assert.equal(await kept(page), VIEWER);
  await paste(page, link);
  await offer(page).getByRole("button", { name: "Switch", exact: true }).click();
  await offer(page).waitFor({ state: "detached" });
  const session = await kept(page);
  assert.notEqual(session, VIEWER);
  assert.ok((await callerOf(session)).permissions.includes("TOKENS_MANAGE"));
  assert.match(page.url(), /#\/runs\?range=7d$/);
});

test("a used link keeps the session and explains what to do", async (t) => {
  const page = await open(t, process.env.FLOWTRAIL_LINK, VIEWER);
  await offer(page).getByRole("button", { name: "Switch", exact: true }).click();
  await offer(page).getByRole("alert").getByText("flowtrail sign-in").waitFor();
  assert.equal(await kept(page), VIEWER);
  await offer(page).getByRole("button", { name: "Stay signed in" }).click();
  await rows(page).first().waitFor();
});

test("a link signs in after the tab's session has ended", async (t) => {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const made = await fetch(`${BASE}api/tokens`, { method: "POST", headers, body: JSON.stringify({ role: "viewer" }) });
  const { token, secret } = await made.json();
  await fetch(`${BASE}api/tokens/${token.id}`, { method: "DELETE", headers });
  const page = await open(t, await newLink(), secret);
  await rows(page).first().waitFor();
  assert.notEqual(await kept(page), secret);
});

test("a link from an earlier version does not sign in", async (t) => {
  const page = await open(t, `${BASE}#/sign-in?token=${TOKEN}`);
  await page.getByText("This sign-in link is from an earlier version").waitFor();
  assert.doesNotMatch(page.url(), /sdk_/);
  assert.equal(await kept(page), null);
});

test("the browser's profile contains no lasting token", async (t) => {
  const profile = await mkdtemp(join(tmpdir(), "flowtrail-profile-"));
  t.after(() => rm(profile, { recursive: true, force: true }));
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const own = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await own.newPage();
  await page.goto(await newLink());
  await rows(page).first().waitFor();
  await own.close();
  const files = await readdir(profile, { recursive: true, withFileTypes: true });
  let read = 0;
  for (const file of files.filter((entry) => entry.isFile())) {
    const bytes = await readFile(join(file.parentPath, file.name)).catch(() => Buffer.alloc(0));
    read += bytes.length;
    assert.ok(!bytes.includes(TOKEN), file.name);
  }
  assert.ok(read > 0);
});
