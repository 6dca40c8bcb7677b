// Owns every request to the HTTP API: the token, time limits, errors with a code, and safe retries.
// Paths are relative to the page, which may be served below a prefix (/prod/).
import { noteServerTime } from "./format.js";

const TIMEOUT_MS = 30_000;
const RETRIES = 2;
const FIRST_BACK_OFF_MS = 400;
const TRANSIENT = new Set([429, 502, 503, 504]);

let token = null;
let onUnauthenticated = () => {};
let beforeUse = async () => {};

/** An answer with an error status, or a missing answer (status 0, code NETWORK or TIMEOUT). */
export class ApiError extends Error {
  constructor(message, { code, status, requestId = null, retryAfter = null, parameter = null, reason = null }) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    /** How many seconds the server asks the caller to wait, or null. */
    this.retryAfter = retryAfter;
    this.parameter = parameter;
    /** What is wrong with the parameter's value, if the server reports it separately. */
    this.reason = reason;
  }

  /** Whether the same request may succeed a moment later. */
  get transient() {
    return this.status === 0 || TRANSIENT.has(this.status);
  }
}

/** Whether a later attempt may succeed: server errors can be temporary. @param {?Error} error */
export function isTemporary(error) {
  return Boolean(error?.transient) || error?.status >= 500;
}

/** Whether the server refused the request, and would refuse it again (4xx). @param {?Error} error */
export function isRefused(error) {
  return error?.status >= 400 && !isTemporary(error);
}

/**
 * How long to wait after an error: at least as long as the server asks, plus a random part so that
 * clients that were refused together do not all retry together.
 * @param {Error} error @param {number} ms the minimum
 */
export function waitAfter(error, ms) {
  return Math.max(ms, (error.retryAfter ?? 0) * 1000) * (1 + Math.random() / 2);
}

/** Sets the token to send. @param {?string} newToken */
export function setToken(newToken) {
  token = newToken;
}

/**
 * Registers the session's hooks: it learns when the token is refused, and can set a newer token
 * before each use.
 * @param {{whenRefused: (refusedToken: string) => void, whenUsed: () => Promise<void>}} hooks
 */
export function watchToken({ whenRefused, whenUsed }) {
  onUnauthenticated = whenRefused;
  beforeUse = whenUsed;
}

/**
 * GET, with up to two retries and back-off when the server is busy or unreachable.
 * @param {string} path relative, without a leading slash: `api/roles`
 * @param {{query?: Object, signal?: AbortSignal, timeoutMs?: number, retries?: number,
 *   needsToken?: boolean}} [options] query members that are null, undefined or "" are omitted;
 *   `needsToken: false` for public resources, which need no token and no renewal of it
 * @returns {Promise<any>} the parsed response
 */
export async function get(path, options = {}) {
  const retries = options.retries ?? RETRIES;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await send("GET", path, options);
    } catch (error) {
      if (!(error instanceof ApiError) || !error.transient || attempt >= retries) throw error;
      await pause(waitAfter(error, FIRST_BACK_OFF_MS * 2 ** attempt), options.signal);
    }
  }
}

/** POST, PUT and DELETE are sent once: the caller decides what to do about a partial failure. */
export const post = (path, body, options = {}) => send("POST", path, { ...options, body });
export const put = (path, body, options = {}) => send("PUT", path, { ...options, body });
export const del = (path, options = {}) => send("DELETE", path, options);

/**
 * GET of a stream, without a time limit. It is sent once.
 * @param {string} path @param {{query?: Object, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>} a successful response whose body has not been read
 */
export async function open(path, { query, signal } = {}) {
  await beforeUse();
  const sentToken = token;
  try {
    return await request("GET", path, { query, signal, accept: "*/*" });
  } catch (error) {
    throw translate(error, signal, signal, sentToken);
  }
}

/** The URL of a path, relative to the page. @param {string} path @param {Object} [query] */
function urlOf(path, query = {}) {
  const url = new URL(path, document.baseURI);
  url.hash = "";
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

async function send(
  method,
  path,
  { query, body, signal, timeoutMs = TIMEOUT_MS, parse = JSON.parse, needsToken = true },
) {
  if (needsToken) await beforeUse();
  const sentToken = token;
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  const timer = setTimeout(abort, timeoutMs);
  try {
    const response = await request(method, path, {
      query,
      body,
      signal: controller.signal,
      accept: "application/json",
    });
    const text = await response.text();
    return text ? parse(text) : null;
  } catch (error) {
    throw translate(error, signal, controller.signal, sentToken);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Sends one request. Returns a successful response whose body has not been read. */
async function request(method, path, { query, body, signal, accept }) {
  const headers = { Accept: accept };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(urlOf(path, query), {
    method,
    headers,
    signal,
    cache: "no-store",
    credentials: "same-origin",
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  noteServerTime(response.headers.get("date"));
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** Returns an AbortError if the caller aborted the request, and an ApiError for everything else. */
function translate(error, callerSignal, ownSignal, sentToken) {
  if (error instanceof ApiError) {
    // A late response to a request with an older token must not end the session.
    if (error.status === 401 && sentToken && sentToken === token) onUnauthenticated(sentToken);
    return error;
  }
  if (callerSignal?.aborted) return new DOMException("Aborted", "AbortError");
  if (ownSignal?.aborted) {
    return new ApiError("The server took too long to answer. Try again.", { code: "TIMEOUT", status: 0 });
  }
  if (error instanceof SyntaxError) {
    return new ApiError("The server's answer is not valid JSON.", { code: "BAD_ANSWER", status: 502 });
  }
  return new ApiError("The server cannot be reached.", { code: "NETWORK", status: 0 });
}

async function errorOf(response) {
  // A gateway's own errors have another format, or no body.
  const body = await response.json().catch(() => ({}));
  const seconds = Number(response.headers.get("retry-after"));
  return new ApiError(body?.message || body?.error || `The server answered ${response.status}.`, {
    code: body?.code ?? `HTTP_${response.status}`,
    status: response.status,
    requestId: body?.requestId ?? response.headers.get("x-request-id"),
    retryAfter: Number.isFinite(seconds) && seconds > 0 ? seconds : null,
    parameter: body?.parameter ?? null,
    reason: body?.reason ?? null,
  });
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(new DOMException("Aborted", "AbortError"));
      },
      { once: true },
    );
  });
}
