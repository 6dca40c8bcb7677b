// Signing in at an OpenID Connect issuer in a browser, with its own issuer and its own server;
// FLOWTRAIL_PROGRAM is the server's program. CHROMIUM is the path of another browser, SHOTS a
// folder for screenshots. Every test fails on a console error, a page error or a violation of the
// content security policy.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { axe, launch, overflow } from "./browser.mjs";
import { CLIENT_ID, startIssuer } from "./issuer.mjs";
import { startServer } from "./server.mjs";

const { SHOTS, FLOWTRAIL_PROGRAM } = process.env;
const DEADLINE = 15_000;
const WANTED = "#/runs?status=FAILED&flow=wanted";

let browser;
let issuer;
let server;
let base;
before(async () => {
  issuer = await startIssuer();
  server = await startServer(FLOWTRAIL_PROGRAM, [
    "--no-demo",
    "--oidc-issuer",
    issuer.url,
    "--oidc-audience",
    CLIENT_ID,
    "--oidc-console-client-id",
    CLIENT_ID,
    "--oidc-console-scopes",
    "openid profile",
    "--oidc-console-token-url",
    issuer.tokenUrl,
  ]);
  base = `${server.url}/`;
  issuer.redirectUri = base;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  issuer?.stop();
});
beforeEach(() => issuer.reset());

/** Opens a page and fails on errors, except for `expected` console errors. */
async function open(t, hash = WANTED, { expected = [], width = 1280, dark = false, init } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.some((text) => message.text().includes(text))) {
      problems.push(message.text());
    }
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  if (init) await page.addInitScript(init);
  t.after(async () => {
    await context.close();
    assert.deepEqual(problems, []);
  });
  await page.goto(new URL(hash, base).href);
  return page;
}

async function until(check, what) {
  const end = Date.now() + DEADLINE;
  while (!(await check())) {
    if (Date.now() > end) assert.fail(`not within ${DEADLINE} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Makes the page's grant expire. */
const expire = (page) =>
  page.evaluate(() => {
    const grant = JSON.parse(sessionStorage.getItem("flowtrail.grant"));
    sessionStorage.setItem("flowtrail.grant", JSON.stringify({ ...grant, expiresAt: Date.now() - 1000 }));
  });

async function shot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

const button = (page) => page.getByRole("button", { name: "Sign in with your account" });
const account = (page) => page.getByRole("button", { name: /^Account/ });
const notice = (page) => page.locator(".notice");
const kept = (page, key) => page.evaluate((name) => sessionStorage.getItem(name), key);

async function signIn(page) {
  await button(page).click();
  await account(page).waitFor();
}

/** Goes to the issuer and returns without signing in. */
async function comeBackRefused(page, words) {
  await page.evaluate(() => {
    globalThis.isLeft = true;
  });
  await button(page).click();
  await page.waitForFunction(
    (text) => !globalThis.isLeft && document.querySelector(".notice")?.textContent.includes(text),
    words,
  );
}

async function signOut(page) {
  await account(page).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await button(page).waitFor();
}

for (const [width, dark] of [
  [360, false],
  [1280, false],
  [1280, true],
]) {
  test(`both ways to sign in fit ${width} pixels, ${dark ? "dark" : "light"}`, async (t) => {
    const page = await open(t, WANTED, { width, dark });
    await button(page).waitFor();
    await page.getByLabel("Token").waitFor();
    assert.equal(await overflow(page), 0);
    await shot(page, `sign-in-${width}${dark ? "-dark" : ""}`);
    await axe(page);
  });
}

test("signing in at the issuer returns to the requested page", async (t) => {
  const page = await open(t);
  await signIn(page);
  // The code and the state are no longer in the address.
  assert.equal(page.url(), new URL(WANTED, base).href);
  await page.getByRole("button", { name: "Account: team default, user:anna" }).waitFor();
  const { caller } = await page.evaluate(async () => (await import("./assets/api.js")).get("api/caller"));
  assert.deepEqual(caller.permissions, ["EXECUTIONS_READ"]);
  await page.reload();
  await account(page).waitFor();
  assert.equal(page.url(), new URL(WANTED, base).href);
  // Back opens the issuer's old answer, which is no longer expected.
  await page.goto(`${base}?code=old&state=old${WANTED}`);
  await account(page).waitFor();
  assert.equal(page.url(), new URL(WANTED, base).href);
});

test("an ID token is renewed before it expires", async (t) => {
  issuer.lifetimeSeconds = 4;
  const page = await open(t);
  await signIn(page);
  const first = await kept(page, "flowtrail.token");
  await until(() => issuer.renewals >= 2, "the page asks every few seconds");
  await page.waitForRequest(
    (request) => request.url().startsWith(`${base}api/`) && request.headers().authorization !== `Bearer ${first}`,
  );
  await account(page).waitFor();
  assert.notEqual(await kept(page, "flowtrail.token"), first);
});

test("an expired ID token is renewed before requests are sent", async (t) => {
  const page = await open(t, WANTED, { expected: ["ERR_FAILED"] });
  await signIn(page);
  // In this order, because the page polls and would renew the expired token.
  await page.route(issuer.tokenUrl, (route) => route.abort());
  await expire(page);
  await page.reload();
  await page.getByText("cannot be reached").waitFor();
  await page.unroute(issuer.tokenUrl);
  await page.getByRole("button", { name: "Try again" }).click();
  await account(page).waitFor();
  assert.equal(issuer.renewals, 1);
});

test("a busy issuer is retried with the same refresh token", async (t) => {
  const page = await open(t, WANTED, { expected: ["429"] });
  await signIn(page);
  const busy = { status: 429, headers: { "access-control-allow-origin": "*" }, json: { error: "slow_down" } };
  await page.route(issuer.tokenUrl, (route) => route.fulfill(busy));
  await expire(page);
  await page.reload();
  await page.getByText("cannot be reached").waitFor();
  await page.unroute(issuer.tokenUrl);
  await page.getByRole("button", { name: "Try again" }).click();
  await account(page).waitFor();
  assert.equal(issuer.renewals, 1);
});

test("a new tab is signed in without the refresh token", async (t) => {
  const page = await open(t);
  await signIn(page);
  const before = await kept(page, "flowtrail.grant");
  const link = page.getByRole("link", { name: "Statistics" });
  const [tab] = await Promise.all([page.context().waitForEvent("page"), link.click({ modifiers: ["Control"] })]);
  await account(tab).waitFor();
  assert.equal(JSON.parse(await kept(tab, "flowtrail.grant")).refreshToken, null);
  assert.equal(await kept(page, "flowtrail.grant"), before);
  assert.ok(JSON.parse(before).refreshToken);
});

test("signing in after a failed renewal returns to the same page", async (t) => {
  issuer.lifetimeSeconds = 3;
  const page = await open(t, WANTED, { expected: ["400", "401"] });
  await signIn(page);
  const refused = page.waitForResponse((response) => response.url() === issuer.tokenUrl && response.status() === 400);
  issuer.renews = false;
  await refused;
  await endsAndReturns(page);
});

test("without a refresh token a session ends with its ID token", async (t) => {
  issuer.givesRefreshToken = false;
  issuer.lifetimeSeconds = 1;
  const page = await open(t, WANTED, { expected: ["401"] });
  await signIn(page);
  await endsAndReturns(page);
  assert.equal(issuer.renewals, 0);
});

/** The API accepts a JWT for up to two minutes after its expiry, so its refusal is simulated here. */
async function endsAndReturns(page) {
  await page.route(`${base}**/*`, (route) =>
    route.request().headers().authorization
      ? route.fulfill({ status: 401, json: { error: "The token is not valid.", code: "UNAUTHENTICATED" } })
      : route.continue(),
  );
  await notice(page).getByText("Your session has ended. Sign in again").waitFor();
  assert.equal(await kept(page, "flowtrail.grant"), null);
  await page.unroute(`${base}**/*`);
  issuer.reset();
  await signIn(page);
  assert.equal(page.url(), new URL(WANTED, base).href);
}

test("a refusal of the issuer is shown as plain text", async (t) => {
  issuer.refusal = { error: "access_denied", error_description: "<img src=x onerror=alert(1)> is not for you" };
  const page = await open(t);
  await comeBackRefused(page, "refused the sign-in: <img src=x onerror=alert(1)> is not for you");
  assert.equal(await page.locator("img").count(), 0);
  await shot(page, "sign-in-refused");
  assert.equal(page.url(), new URL(WANTED, base).href);
  issuer.refusal = null;
  await signIn(page);
});

test("an answer that this tab did not request is ignored", async (t) => {
  const page = await open(t, `?code=stolen&state=made-up${WANTED}`);
  await notice(page).getByText("was not started in this tab").waitFor();
  assert.equal(page.url(), new URL(WANTED, base).href);
  // An answer with a foreign state is ignored too.
  issuer.answer = { state: "another" };
  await comeBackRefused(page, "was not started in this tab");
  assert.equal(await kept(page, "flowtrail.token"), null);
});

test("an ID token of another sign-in is not accepted", async (t) => {
  const page = await open(t);
  for (const [claims, words] of [
    [{ nonce: "another" }, "nonce"],
    [{ aud: "another" }, "audience"],
    [{ iss: "https://elsewhere.example" }, "issuer"],
    [{ exp: Math.floor(Date.now() / 1000) - 3600 }, "The clocks"],
  ]) {
    issuer.idToken = claims;
    await comeBackRefused(page, words);
    assert.equal(await kept(page, "flowtrail.token"), null);
  }
});

test("a browser with a wrong clock uses the server's time", async (t) => {
  const page = await open(t, WANTED, {
    init: () => {
      const right = Date.now;
      Date.now = () => right() + 3_600_000;
    },
  });
  await signIn(page);
  // For this clock the ID token has expired: it is renewed, and the new token is accepted.
  await page.reload();
  await account(page).waitFor();
  assert.notEqual(JSON.parse(await kept(page, "flowtrail.grant")).refreshToken, null);
});

test("an unreachable issuer is reported and can be retried", async (t) => {
  const page = await open(t, WANTED, { expected: ["ERR_FAILED"] });
  await page.route(`${issuer.url}/**`, (route) => route.abort());
  await button(page).click();
  await notice(page).getByText("cannot be reached").waitFor();
  await page.unroute(`${issuer.url}/**`);
  await signIn(page);
});

test("a token endpoint that is not configured is reported", async (t) => {
  issuer.discovery = { token_endpoint: "http://127.0.0.1:9/token" };
  const page = await open(t);
  await button(page).click();
  await notice(page).getByText("issues its tokens at 127.0.0.1:9").waitFor();
});

test("a missing role or team is explained", async (t) => {
  issuer.claims = { sub: "anna", team: "default", role: "nobody" };
  const page = await open(t, WANTED, { expected: ["401"] });
  await signIn(page);
  await page.getByText("You do not have access yet").waitFor();
  await shot(page, "no-role");
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  issuer.claims = { sub: "anna", role: "viewer" };
  await comeBackRefused(page, "Flowtrail did not accept the sign-in");
  assert.equal(await kept(page, "flowtrail.token"), null);
});

test("signing out removes the token and links to the issuer", async (t) => {
  const page = await open(t);
  await signIn(page);
  await signOut(page);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await shot(page, "signed-out");
  await page.getByRole("link", { name: /^Sign out of 127\.0\.0\.1/ }).click();
  await until(() => issuer.signedOut, "the issuer is asked");
  assert.deepEqual(issuer.signedOut, { client_id: CLIENT_ID, post_logout_redirect_uri: base });
  await button(page).waitFor();
});

test("a token can be used instead of the issuer", async (t) => {
  const page = await open(t);
  await page.getByLabel("Token").fill(server.token);
  await page.getByRole("button", { name: "Sign in with the token" }).click();
  await page.getByRole("button", { name: /^Account: team default, token:/ }).waitFor();
  assert.equal(await kept(page, "flowtrail.grant"), null);
});
