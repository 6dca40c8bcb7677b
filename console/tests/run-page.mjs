// Common parts of the tests of the page of one run. SHOTS is a folder for screenshots.
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";

export const BASE = `${process.env.FLOWTRAIL_URL}/`;
export const TOKEN = process.env.FLOWTRAIL_TOKEN;
const SHOTS = process.env.SHOTS;

let browser;
export const begin = async () => {
  browser = await launch();
};
export const end = () => browser?.close();

export async function open(
  hash,
  { width = 1440, height = 900, colorScheme = "light", token = TOKEN, allow = [] } = {},
) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    reducedMotion: "reduce",
    acceptDownloads: true,
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]).catch(() => {});
  const page = await context.newPage();
  const problems = [];
  const isAllowed = (text) => allow.some((each) => text.includes(each));
  page.on(
    "console",
    (message) =>
      ["error", "warning"].includes(message.type()) && !isAllowed(message.text()) && problems.push(message.text()),
  );
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.addInitScript((secret) => {
    sessionStorage.setItem("flowtrail.token", secret);
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`),
    );
  }, token);
  await page.goto(BASE + hash);
  const finish = async () => {
    assert.deepEqual(problems, []);
    await context.close();
  };
  return { page, finish };
}

export const runs = (id, query = "") => `#/runs/${encodeURIComponent(id)}${query}`;

export const shot = (page, name) => SHOTS && page.screenshot({ path: `${SHOTS}/${name}.png` });
export const rowOf = (page, name) =>
  page.locator(".tl-row, .st-row", { has: page.locator(".tl-label", { hasText: name }) }).first();
