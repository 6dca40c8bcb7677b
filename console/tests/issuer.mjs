// Owns the tests' OpenID Connect issuer, at which every user is already signed in. It checks its
// requests like a real issuer, and issues its tokens on a separate port.

import assert from "node:assert/strict";
import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import http from "node:http";

export const CLIENT_ID = "flowtrail-console";
const KEY_ID = "one";

/** The behaviour of the issuer, which the tests change. */
const BEHAVIOUR = {
  claims: { sub: "anna", team: "default", role: "viewer" },
  lifetimeSeconds: 600,
  givesRefreshToken: true,
  renews: true,
  /** The response instead of a code: {error, error_description}. */
  refusal: null,
  /** Replacements for members of its response, or for claims of its first ID token. */
  answer: {},
  idToken: {},
  /** Replacements for members of its discovery document. */
  discovery: {},
};

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export async function startIssuer() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const issuer = { redirectUri: null, renewals: 0, signedOut: null };
  const codes = new Map();
  const refreshTokens = new Map();
  issuer.reset = () => Object.assign(issuer, structuredClone(BEHAVIOUR), { renewals: 0, signedOut: null });
  issuer.reset();

  function idToken(clientId, claims) {
    const now = Math.floor(Date.now() / 1000);
    const head = { alg: "RS256", typ: "JWT", kid: KEY_ID };
    const payload = {
      iss: issuer.url,
      aud: clientId,
      iat: now,
      exp: now + issuer.lifetimeSeconds,
      jti: randomUUID(),
      ...claims,
    };
    const text = `${encoded(head)}.${encoded(payload)}`;
    return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey, "base64url")}`;
  }

  function given(clientId, claims, own = {}) {
    const refreshToken = randomUUID();
    refreshTokens.set(refreshToken, { clientId, claims });
    return {
      access_token: randomUUID(),
      token_type: "Bearer",
      expires_in: issuer.lifetimeSeconds,
      id_token: idToken(clientId, { ...claims, ...own }),
      ...(issuer.givesRefreshToken && { refresh_token: refreshToken }),
    };
  }

  const pages = {
    "/.well-known/openid-configuration": () => ({
      issuer: issuer.url,
      jwks_uri: `${issuer.url}/keys`,
      authorization_endpoint: `${issuer.url}/authorize`,
      token_endpoint: issuer.tokenUrl,
      end_session_endpoint: `${issuer.url}/logout`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      ...issuer.discovery,
    }),
    "/keys": () => ({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: KEY_ID, use: "sig", alg: "RS256" }] }),
  };

  function authorize(query, res) {
    assert.equal(query.get("response_type"), "code");
    assert.equal(query.get("client_id"), CLIENT_ID);
    assert.equal(query.get("redirect_uri"), issuer.redirectUri);
    assert.ok(query.get("scope").split(" ").includes("openid"));
    assert.equal(query.get("code_challenge_method"), "S256");
    const code = randomUUID();
    codes.set(code, { challenge: query.get("code_challenge"), nonce: query.get("nonce") });
    const back = new URL(issuer.redirectUri);
    const answer = { ...(issuer.refusal ?? { code }), state: query.get("state"), ...issuer.answer };
    for (const [name, value] of Object.entries(answer)) back.searchParams.set(name, value);
    res.writeHead(302, { location: back.href }).end();
  }

  function tokens(form) {
    assert.equal(form.get("client_id"), CLIENT_ID);
    if (form.get("grant_type") === "refresh_token") {
      const known = refreshTokens.get(form.get("refresh_token"));
      // Each can be used once.
      refreshTokens.delete(form.get("refresh_token"));
      if (!known || !issuer.renews) return null;
      issuer.renewals += 1;
      return given(known.clientId, known.claims);
    }
    const begun = codes.get(form.get("code"));
    codes.delete(form.get("code"));
    assert.equal(form.get("redirect_uri"), issuer.redirectUri);
    const challenge = createHash("sha256").update(form.get("code_verifier")).digest("base64url");
    if (begun?.challenge !== challenge) return null;
    return given(CLIENT_ID, issuer.claims, { nonce: begun.nonce, ...issuer.idToken });
  }

  const json = { "content-type": "application/json", "access-control-allow-origin": "*" };
  const atIssuer = http.createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url, issuer.url);
    if (pathname === "/authorize") return authorize(searchParams, res);
    if (pathname === "/logout") {
      issuer.signedOut = Object.fromEntries(searchParams);
      return res.writeHead(302, { location: searchParams.get("post_logout_redirect_uri") }).end();
    }
    const page = pages[pathname];
    res.writeHead(page ? 200 : 404, json).end(JSON.stringify(page?.() ?? {}));
  });
  const atTokens = http.createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    const answer = tokens(new URLSearchParams(body));
    res.writeHead(answer ? 200 : 400, json).end(JSON.stringify(answer ?? { error: "invalid_grant" }));
  });
  issuer.url = await listening(atIssuer);
  issuer.tokenUrl = `${await listening(atTokens)}/token`;
  issuer.stop = () => {
    for (const server of [atIssuer, atTokens]) {
      server.close();
      server.closeAllConnections();
    }
  };
  return issuer;
}

async function listening(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}
