// Owns the requests to the OpenID Connect issuer: the authorization code flow with PKCE (RFC 9700),
// and the renewal of tokens. The protocol is implemented by oauth4webapi. This module is loaded on
// the first sign-in at an issuer.
import * as oauth from "oauth4webapi";
import { ApiError } from "./api.js";
import { now } from "./format.js";

const TIMEOUT_MS = 15_000;
/** The difference between clocks that the API allows. */
const CLOCK_TOLERANCE_SECONDS = 60;
/**
 * How long before its expiry an ID token is renewed, at most; short-lived tokens are renewed after
 * three quarters of their time.
 */
const RENEWED_BEFORE_MS = 60_000;

/**
 * @typedef {{issuer: string, clientId: string, scopes: string, tokenUrl: ?string}} Settings of config.json
 * @typedef {{state: string, nonce: string, verifier: string}} Secrets of one sign-in
 * @typedef {{settings: Settings, subject: string, refreshToken: ?string, expiresAt: number, renewAt: number,
 *   endSessionUrl: ?string}} Grant what belongs to an ID token
 * @typedef {{idToken: string, grant: Grant}} Given what the issuer returns
 */

/**
 * The URL of the issuer's sign-in page, and the secrets with which its answer is checked.
 * @param {Settings} settings
 * @returns {Promise<{url: string, secrets: Secrets}>}
 */
export async function authorization(settings) {
  return speaking(settings, async () => {
    const server = await discover(settings);
    const [state, nonce, verifier] = [
      oauth.generateRandomState(),
      oauth.generateRandomNonce(),
      oauth.generateRandomCodeVerifier(),
    ];
    const url = endpoint(settings, server.authorization_endpoint);
    const parameters = {
      response_type: "code",
      client_id: settings.clientId,
      redirect_uri: ownAddress(),
      scope: settings.scopes,
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { url: url.href, secrets: { state, nonce, verifier } };
  });
}

/**
 * Exchanges the code in the issuer's answer.
 * @param {Settings} settings @param {URLSearchParams} answer @param {Secrets} secrets
 * @returns {Promise<Given>}
 */
export async function exchange(settings, answer, secrets) {
  return speaking(settings, async () => {
    const [server, client] = [await discover(settings), clientOf(settings)];
    const parameters = oauth.validateAuthResponse(server, client, answer, secrets.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      ownAddress(),
      secrets.verifier,
      options(settings),
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: secrets.nonce,
      requireIdToken: true,
    });
    return givenBy(settings, server, tokens);
  });
}

/**
 * Exchanges the refresh token for a new ID token of the same person.
 * @param {Grant} grant
 * @returns {Promise<Given>}
 */
export async function renew(grant) {
  const { settings } = grant;
  return speaking(settings, async () => {
    const [server, client] = [await discover(settings), clientOf(settings)];
    const response = await oauth.refreshTokenGrantRequest(
      server,
      client,
      oauth.None(),
      grant.refreshToken,
      options(settings),
    );
    const tokens = await oauth.processRefreshTokenResponse(server, client, response);
    // An issuer may return no ID token here, and may keep the refresh token.
    if (!tokens.id_token) throw refusal(`${hostOf(settings)} returned no new ID token. Sign in again.`);
    const { idToken, grant: renewed } = givenBy(settings, server, tokens);
    if (renewed.subject !== grant.subject) {
      throw refusal(`${hostOf(settings)} returned another person's ID token. Sign in again.`);
    }
    return { idToken, grant: { ...renewed, refreshToken: renewed.refreshToken ?? grant.refreshToken } };
  });
}

/** The page's own address, to which the issuer returns. */
const ownAddress = () => new URL(".", document.baseURI).href;

const hostOf = (settings) => new URL(settings.issuer).host;

/** An issuer on this machine needs no TLS. The API has the same rule. */
const isInsecure = (settings) => settings.issuer.startsWith("http:");

const options = (settings) => ({
  [oauth.allowInsecureRequests]: isInsecure(settings),
  signal: AbortSignal.timeout(TIMEOUT_MS),
});

const clientOf = (settings) => ({
  client_id: settings.clientId,
  [oauth.clockSkew]: Math.round((now() - Date.now()) / 1000),
  [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
});

async function discover(settings) {
  const issuer = new URL(settings.issuer);
  const response = await oauth.discoveryRequest(issuer, options(settings));
  const server = await oauth.processDiscoveryResponse(issuer, response);
  const { origin, host } = endpoint(settings, server.token_endpoint);
  const known = [settings.issuer, settings.tokenUrl ?? settings.issuer].map((url) => new URL(url).origin);
  // The page's content security policy would block the request without a message.
  if (!known.includes(origin)) {
    throw refusal(
      `${issuer.host} issues its tokens at ${host}. Ask the operator of Flowtrail to configure that address.`,
    );
  }
  return server;
}

/** An address from the issuer's metadata. */
function endpoint(settings, address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol === "https:" || (isInsecure(settings) && url?.protocol === "http:")) return url;
  throw refusal(`${hostOf(settings)} does not publish the address of its sign-in page.`);
}

function givenBy(settings, server, tokens) {
  const { sub: subject, exp } = oauth.getValidatedIdTokenClaims(tokens);
  const expiresAt = exp * 1000;
  const grant = {
    settings,
    subject,
    expiresAt,
    refreshToken: tokens.refresh_token ?? null,
    renewAt: expiresAt - Math.min(RENEWED_BEFORE_MS, (expiresAt - now()) / 4),
    endSessionUrl: server.end_session_endpoint ? endSessionUrl(settings, server) : null,
  };
  return { idToken: tokens.id_token, grant };
}

/**
 * The issuer's sign-out page, without the ID token: it would stay in the browser's history while
 * the API still accepts it.
 */
function endSessionUrl(settings, server) {
  const url = endpoint(settings, server.end_session_endpoint);
  url.searchParams.set("client_id", settings.clientId);
  url.searchParams.set("post_logout_redirect_uri", ownAddress());
  return url.href;
}

async function speaking(settings, work) {
  // Without TLS, except on this machine, browsers have no cryptography API.
  if (!isSecureContext) throw refusal("Signing in with your account needs an address that starts with https.");
  try {
    return await work();
  } catch (error) {
    throw translate(error, hostOf(settings));
  }
}

const refusal = (message) => new ApiError(message, { code: "SIGN_IN_REFUSED", status: 401 });

/** A refresh token that is no longer valid, so that another attempt cannot succeed (RFC 6749, 5.2). */
const SPENT = "invalid_grant";

/** Errors of a busy or failing issuer, which can be temporary. */
const mayPass = (status) => status === 408 || status === 429 || status >= 500;

/** Describes an error of the library or of fetch. Texts of the issuer are shown as plain text. */
function translate(error, host) {
  if (error instanceof ApiError) return error;
  const status = error.status ?? error.cause?.status ?? null;
  if (error.error && !mayPass(status)) {
    return Object.assign(refusal(`${host} refused the sign-in: ${error.error_description || error.error}`), {
      isFinal: error.error === SPENT,
    });
  }
  if (error.code === oauth.JWT_TIMESTAMP_CHECK) {
    return refusal(`The clocks of ${host} and of this server differ too much.`);
  }
  // Errors of the library have a code; errors of fetch do not.
  if (mayPass(status) || !error.code || error instanceof DOMException) {
    return new ApiError(`${host} cannot be reached, or does not accept requests from this page.`, {
      code: "ISSUER_UNAVAILABLE",
      status: 503,
    });
  }
  return refusal(`${host} returned an answer that is not trusted: ${error.message}.`);
}
