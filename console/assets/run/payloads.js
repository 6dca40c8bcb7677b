// Owns the payloads that pages of steps omit: medium payloads are loaded when they are shown,
// larger ones on request, and recently loaded ones are kept.
import { useEffect, useRef, useState } from "preact/hooks";
import { formatBytes } from "../format.js";
import { html } from "../ui/html.js";
import { Button } from "../ui/controls.js";
import { Icon } from "../ui/icons.js";
import { isOpen } from "../ui/status.js";
import { ask } from "./data.js";
import { parseExact } from "./exact.js";

/** Payloads up to this size are loaded automatically. */
const BY_ITSELF = 256 * 1024;
/** The number of characters of JSON that are kept; the last payload is kept regardless of its size. */
const MAX_KEPT = 48 * 1024 * 1024;
/** The interval at which payloads of a running step are reloaded. */
const RENEWED_MS = 10_000;
/** Large steps take a while to load. */
const TIMEOUT_MS = 180_000;

const IDLE = { key: null, state: "idle", most: null, error: null };

/** The names of payloads on the page. */
export const NAMES = { input: "Input", output: "Output", executionData: "Data", resolvedFinalContextData: "Context" };

/**
 * Payloads by name, and the source of omitted ones.
 * @typedef {{values: Object<string, any>, omitted: Object<string, ?number>, warnings?: string[]}} Payloads
 *   `omitted`: size in bytes, or null if it is unknown
 * @typedef {Payloads & {key: string, version: string, isLive: boolean, read: ?((most: ?number,
 *   signal: AbortSignal) => Promise<Payloads & {size: number}>)}} Source a changed
 *   `version` means that they may have changed; `read` takes the maximum bytes of each, or null for all
 */

/** The recently loaded payloads. */
export class PayloadCache {
  constructor() {
    /** @type {Map<string, Payloads & {size: number, version: string, most: ?number}>} oldest first */
    this.entries = new Map();
    this.size = 0;
  }

  get(key) {
    return this.entries.get(key);
  }

  put(key, entry) {
    this.drop(key);
    this.entries.set(key, entry);
    this.size += entry.size;
    for (const oldest of this.entries.keys()) {
      if (this.size <= MAX_KEPT || oldest === key) return;
      this.drop(oldest);
    }
  }

  drop(key) {
    this.size -= this.entries.get(key)?.size ?? 0;
    this.entries.delete(key);
  }
}

/**
 * @param {{step: import("./data.js").Step, runId: string, branch: ?import("./data.js").Branch}} found
 * @param {boolean} reveal
 * @returns {Source}
 */
export function stepSource({ step, runId, branch }, reveal) {
  const { stepInstanceId, startTime, input, output, executionData } = step;
  const omitted = step.omittedPayloads ?? {};
  const place = {
    stepInstanceId,
    startTime,
    branchExecutionId: branch?.id,
    parentStepInstanceId: branch?.fork.stepInstanceId,
    parentStepStartTime: branch?.fork.startTime,
  };
  const read = async (most, signal) => {
    const { answer, size } = await askMeasured(runId, "/step", { ...place, maxPayloadBytes: most }, signal, reveal);
    const { data, warnings } = answer;
    return { values: data, omitted: data.omittedPayloads ?? {}, warnings, size };
  };
  return {
    key: [runId, ...Object.values(place)].join(" "),
    version: JSON.stringify([step.status, step.endTime, omitted]),
    values: { input, output, executionData },
    omitted,
    // The audit records each view of secrets.
    isLive: isOpen(step.status) && !reveal,
    // A step is requested by its start time.
    read: startTime ? read : null,
  };
}

/**
 * One payload of a run itself.
 * @param {import("./data.js").RunStore} store @param {string} name one of RUN_PAYLOADS @returns {Source}
 */
export function runSource({ id, payloads, omitted, reveal }, name) {
  const only = (all) => (all && name in all ? { [name]: all[name] } : {});
  const read = async (most, signal) => {
    const { answer, size } = await askMeasured(
      id,
      "",
      { limit: 1, runPayloads: name, maxPayloadBytes: most },
      signal,
      reveal,
    );
    const { omittedPayloads, warnings, ...values } = answer.data;
    return { values: only(values), omitted: only(omittedPayloads), warnings, size };
  };
  return {
    key: `${id} ${name}`,
    version: String(omitted[name]),
    values: { [name]: payloads[name] ?? null },
    omitted: only(omitted),
    isLive: false,
    read,
  };
}

function askMeasured(runId, rest, query, signal, reveal) {
  const parse = (text) => ({ answer: parseExact(text), size: text.length });
  return ask(runId, rest, query, signal, reveal, { parse, timeoutMs: TIMEOUT_MS });
}

const isModerate = (bytes) => bytes === null || bytes <= BY_ITSELF;

/**
 * The payloads of a source, including loaded ones. Loads medium payloads automatically.
 * @param {Source} source @param {PayloadCache} cache
 * @returns {Payloads & {state: "idle"|"loading"|"failed", error: ?Error, load: ?(() => void), loaded: string}}
 *   `loaded` names the omitted payloads that have been loaded
 */
export function usePayloads(source, cache) {
  const [attempt, setAttempt] = useState(IDLE);
  const running = useRef(null);
  const { key, version, read } = source;
  const load = async (most) => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = Object.assign(mine, { key, most });
    setAttempt({ key, state: "loading", most, error: null });
    try {
      cache.put(key, { ...(await read(most, mine.signal)), version, most });
      if (!mine.signal.aborted) setAttempt({ key, state: "idle", most, error: null });
    } catch (error) {
      if (!mine.signal.aborted) setAttempt({ key, state: "failed", most, error });
    } finally {
      if (running.current === mine) running.current = null;
    }
  };
  useEffect(
    () => () => {
      running.current?.abort();
      running.current = null;
    },
    [key],
  );
  useEffect(() => {
    const sizes = Object.values(source.omitted);
    const entry = cache.get(key);
    if (sizes.length === 0 || !read || entry?.version === version) return;
    // A request stays in effect while the step continues.
    const before = running.current ?? entry;
    if (before) load(before.most);
    else if (sizes.some(isModerate)) load(BY_ITSELF);
  }, [key, version]);
  useRenewed(source.isLive && cache.get(key)?.most === BY_ITSELF, () => running.current || load(BY_ITSELF));
  const entry = cache.get(key);
  const { state, error, most } = attempt.key === key ? attempt : IDLE;
  const shown = merged(source, entry);
  // The loaded payloads are old and could not be updated.
  if (state === "failed" && entry?.version !== version) shown.omitted = source.omitted;
  // Background updates do not show a loading state.
  const isAwaited = state === "failed" || most === null || Object.values(shown.omitted).some(isModerate);
  return {
    ...shown,
    state: isAwaited ? state : "idle",
    error,
    load: read && (() => load(state === "failed" ? most : null)),
  };
}

function useRenewed(isWanted, renew) {
  const latest = useRef(renew);
  latest.current = renew;
  useEffect(() => {
    if (!isWanted) return undefined;
    const timer = setInterval(() => document.hidden || latest.current(), RENEWED_MS);
    return () => clearInterval(timer);
  }, [isWanted]);
}

function merged(source, entry) {
  const values = { ...source.values };
  const omitted = {};
  for (const [name, bytes] of Object.entries(source.omitted)) {
    values[name] = entry?.values[name] ?? null;
    // Payloads that a running step added were not loaded before.
    const isNew = entry?.version !== source.version && values[name] === null;
    if (isNew || name in entry.omitted) omitted[name] = entry?.omitted[name] ?? bytes;
  }
  const loaded = Object.keys(source.omitted).filter((name) => !(name in omitted));
  return { values, omitted, warnings: (loaded.length > 0 && entry.warnings) || [], loaded: loaded.join() };
}

/**
 * The names of the payloads that are not loaded, as text; empty if all are loaded.
 * @param {{omitted: Object}} payloads
 */
export function unsearched({ omitted }) {
  return Object.keys(omitted)
    .map((name) => NAMES[name].toLowerCase())
    .join(" and ");
}

/**
 * The payloads that are not loaded: with their size and a button to load them, or as unreadable.
 * @param {ReturnType<typeof usePayloads>} props
 */
export function OmittedPayloads({ omitted, warnings, state, error, load }) {
  return html`
    ${Object.keys(omitted).length > 0 && html`
      <${Omitted} omitted=${omitted} state=${state} error=${error} load=${load} />
    `}
    ${warnings.map((warning) => html`
      <p key=${warning} class="left-out">
        <${Icon} name="warning" />
        <bdi>${warning}</bdi>
      </p>
    `)}
  `;
}

function Omitted({ omitted, state, error, load }) {
  const names = Object.keys(omitted)
    .map((name) => NAMES[name])
    .join(" and ");
  if (state === "loading") return html`<p class="left-out muted" role="status">Loading ${names.toLowerCase()} …</p>`;
  if (state === "failed") {
    return html`
      <div class="left-out" role="alert">
        <span>${names} could not be loaded. ${error.message}</span>
        <${Button} onClick=${load}>Try again<//>
      </div>
    `;
  }
  const sizes = Object.entries(omitted).map(
    ([name, bytes]) => `${NAMES[name]}, ${bytes === null ? "size unknown" : formatBytes(bytes)}`,
  );
  return html`
    <div class="left-out">
      <span>${sizes.join(" · ")}</span>
      ${load
        ? html`<${Button} onClick=${load}>Load<//>`
        : html`
          <span class="muted">
            The step has no start time, so this cannot be loaded here. Download the run instead.
          </span>
        `}
    </div>
  `;
}
