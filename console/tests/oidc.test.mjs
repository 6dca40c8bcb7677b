// Signing in at an OpenID Connect issuer, driven in a browser against an issuer and a server
// of its own; FLOWTRAIL_PROGRAM is the program. CHROMIUM names another browser, SHOTS a
// folder for screenshots.
// Every test fails on a console error, a page error or a breach of the CSP.
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
    "--no-demo", "--oidc-issuer", issuer.url, "--oidc-audience", CLIENT_ID, "--oidc-console-client-id", CLIENT_ID,
    "--oidc-console-scopes", "openid profile", "--oidc-console-token-url", issuer.tokenUrl,
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

/** A page that has to stay without errors; `expected` are console errors that belong to the test. */
async function open(t, hash = WANTED, { expected = [], width = 1280, dark = false, init } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: dark ? "dark" : "light", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.some((text) => message.text().includes(text))) problems.push(message.text());
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`));
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

/** Lets the page's grant have come to its end. */
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

/** Goes to the issuer, and comes back with nothing. */
async function comeBackRefused(page, words) {
  await page.evaluate(() => { globalThis.isLeft = true; });
  await button(page).click();
  await page.waitForFunction((text) => !globalThis.isLeft && document.querySelector(".notice")?.textContent.includes(text), words);
}

async function signOut(page) {
  await account(page).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await button(page).waitFor();
}

for (const [width, dark] of [[360, false], [1280, false], [1280, true]]) {
  test(`both ways to sign in fit ${width} pixels, ${dark ? "dark" : "light"}`, async (t) => {
    const page = await open(t, WANTED, { width, dark });
    await button(page).waitFor();
    await page.getByLabel("Token").waitFor();
    assert.equal(await overflow(page), 0);
    await shot(page, `sign-in-${width}${dark ? "-dark" : ""}`);
    await axe(page);
  });
}

test("who signs in at the issuer lands where he wanted, as who the issuer says", async (t) => {
  const page = await open(t);
  await signIn(page);
  // The code and the state have left the address.
  assert.equal(page.url(), new URL(WANTED, base).href);
  await page.getByRole("button", { name: "Account: team default, user:anna" }).waitFor();
  const { caller } = await page.evaluate(async () => (await import("./assets/api.js")).get("api/caller"));
  assert.deepEqual(caller.permissions, ["EXECUTIONS_READ"]);
  await page.reload();
  await account(page).waitFor();
  assert.equal(page.url(), new URL(WANTED, base).href);
  // Back is the issuer's old answer, which nobody asked for now.
  await page.goto(`${base}?code=old&state=old${WANTED}`);
  await account(page).waitFor();
  assert.equal(page.url(), new URL(WANTED, base).href);
});

test("an ID token is renewed before it ends, and its renewal is used", async (t) => {
  issuer.lifetimeSeconds = 4;
  const page = await open(t);
  await signIn(page);
  const first = await kept(page, "flowtrail.token");
  await until(() => issuer.renewals >= 2, "the page asks every few seconds");
  await page.waitForRequest((request) => request.url().startsWith(`${base}api/`) && request.headers().authorization !== `Bearer ${first}`);
  await account(page).waitFor();
  assert.notEqual(await kept(page, "flowtrail.token"), first);
});

test("who comes back after the end is renewed first, and waits for an issuer that does not answer", async (t) => {
  const page = await open(t, WANTED, { expected: ["ERR_FAILED"] });
  await signIn(page);
  await expire(page);
  await page.route(issuer.tokenUrl, (route) => route.abort());
  await page.reload();
  await page.getByText("cannot be reached").waitFor();
  await page.unroute(issuer.tokenUrl);
  await page.getByRole("button", { name: "Try again" }).click();
  await account(page).waitFor();
  assert.equal(issuer.renewals, 1);
});

test("an issuer that is asked too much is asked again, with the same refresh token", async (t) => {
  const page = await open(t, WANTED, { expected: ["429"] });
  await signIn(page);
  await expire(page);
  const busy = { status: 429, headers: { "access-control-allow-origin": "*" }, json: { error: "slow_down" } };
  await page.route(issuer.tokenUrl, (route) => route.fulfill(busy));
  await page.reload();
  await page.getByText("cannot be reached").waitFor();
  await page.unroute(issuer.tokenUrl);
  await page.getByRole("button", { name: "Try again" }).click();
  await account(page).waitFor();
  assert.equal(issuer.renewals, 1);
});

test("a tab that is opened beside is signed in, and leaves the refresh token to the first", async (t) => {
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

test("a session that cannot be renewed ends, and signing in returns to the same place", async (t) => {
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

/** The API takes a JWT for a minute or two after its end, so that its refusal is played here. */
async function endsAndReturns(page) {
  await page.route(`${base}**/*`, (route) => (route.request().headers().authorization
    ? route.fulfill({ status: 401, json: { error: "The token is not valid.", code: "UNAUTHENTICATED" } }) : route.continue()));
  await notice(page).getByText("Your session has ended. Sign in again").waitFor();
  assert.equal(await kept(page, "flowtrail.grant"), null);
  await page.unroute(`${base}**/*`);
  issuer.reset();
  await signIn(page);
  assert.equal(page.url(), new URL(WANTED, base).href);
}

test("what the issuer refuses is told in its words, as a text", async (t) => {
  issuer.refusal = { error: "access_denied", error_description: "<img src=x onerror=alert(1)> is not for you" };
  const page = await open(t);
  await comeBackRefused(page, "refuses: <img src=x onerror=alert(1)> is not for you");
  assert.equal(await page.locator("img").count(), 0);
  await shot(page, "sign-in-refused");
  assert.equal(page.url(), new URL(WANTED, base).href);
  issuer.refusal = null;
  await signIn(page);
});

test("an answer that this tab did not ask for signs nobody in", async (t) => {
  const page = await open(t, `?code=stolen&state=made-up${WANTED}`);
  await notice(page).getByText("was not begun in this tab").waitFor();
  assert.equal(page.url(), new URL(WANTED, base).href);
  // Nor does a foreign state in the answer to a question of its own.
  issuer.answer = { state: "another" };
  await comeBackRefused(page, "was not begun in this tab");
  assert.equal(await kept(page, "flowtrail.token"), null);
});

test("an ID token that is not for this sign-in is not taken", async (t) => {
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

test("a browser whose clock is wrong signs in by the server's", async (t) => {
  const page = await open(t, WANTED, { init: () => {
    const right = Date.now;
    Date.now = () => right() + 3_600_000;
  } });
  await signIn(page);
  // To this clock the ID token has ended: it is renewed, and the renewal is taken as well.
  await page.reload();
  await account(page).waitFor();
  assert.notEqual(JSON.parse(await kept(page, "flowtrail.grant")).refreshToken, null);
});

test("an issuer that cannot be reached is told, and can be tried again", async (t) => {
  const page = await open(t, WANTED, { expected: ["ERR_FAILED"] });
  await page.route(`${issuer.url}/**`, (route) => route.abort());
  await button(page).click();
  await notice(page).getByText("cannot be reached").waitFor();
  await page.unroute(`${issuer.url}/**`);
  await signIn(page);
});

test("a token endpoint that is not configured is named, and not asked", async (t) => {
  issuer.discovery = { token_endpoint: "http://127.0.0.1:9/token" };
  const page = await open(t);
  await button(page).click();
  await notice(page).getByText("gives its tokens at 127.0.0.1:9").waitFor();
});

test("who has no role, or no team, is told so", async (t) => {
  issuer.claims = { sub: "anna", team: "default", role: "nobody" };
  const page = await open(t, WANTED, { expected: ["401"] });
  await signIn(page);
  await page.getByText("You may not see anything here yet").waitFor();
  await shot(page, "no-role");
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  issuer.claims = { sub: "anna", role: "viewer" };
  await comeBackRefused(page, "Flowtrail does not accept it");
  assert.equal(await kept(page, "flowtrail.token"), null);
});

test("who signs out is forgotten here, and can sign out of the issuer, which gets no token", async (t) => {
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

test("a token signs in beside it", async (t) => {
  const page = await open(t);
  await page.getByLabel("Token").fill(server.token);
  await page.getByRole("button", { name: "Sign in with the token" }).click();
  await page.getByRole("button", { name: /^Account: team default, token:/ }).waitFor();
  assert.equal(await kept(page, "flowtrail.grant"), null);
});
