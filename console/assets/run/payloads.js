// Owns the payloads that pages of steps leave out: those of a moderate size are loaded when
// one looks at them, larger ones when one asks, and what was loaded lately is kept.
import { useEffect, useRef, useState } from "preact/hooks";
import { formatBytes } from "../format.js";
import { html } from "../ui/html.js";
import { Button } from "../ui/controls.js";
import { Icon } from "../ui/icons.js";
import { isOpen } from "../ui/status.js";
import { ask } from "./data.js";
import { parseExact } from "./exact.js";

/** Up to this size a payload is loaded by itself. */
const BY_ITSELF = 256 * 1024;
/** How many characters of JSON are kept; what was loaded last is, whatever its size. */
const MOST_KEPT = 48 * 1024 * 1024;
/** How often those of a step that still runs are loaded anew. */
const RENEWED_MS = 10_000;
/** The largest step takes a while. */
const TIMEOUT_MS = 180_000;

const IDLE = { key: null, state: "idle", most: null, error: null };

/** How payloads are called on the page. */
export const NAMES = { input: "Input", output: "Output", executionData: "Data", context: "Context" };

/**
 * Payloads by their names, and where those come from that are left out.
 * @typedef {{values: Object<string, any>, omitted: Object<string, ?number>, warnings?: string[]}} Payloads
 *   `omitted`: bytes, or null where nobody has looked for it yet
 * @typedef {Payloads & {key: string, mark: string, isLive: boolean, read: ?((most: ?number, signal: AbortSignal) => Promise<Payloads & {size: number}>)}} Source
 *   another `mark` says that they may have changed; `read` takes the most bytes of each, or null for all
 */

/** What was loaded lately. */
export class PayloadCache {
  constructor() {
    /** @type {Map<string, Payloads & {size: number, mark: string, most: ?number}>} the oldest first */
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
      if (this.size <= MOST_KEPT || oldest === key) return;
      this.drop(oldest);
    }
  }

  drop(key) {
    this.size -= this.entries.get(key)?.size ?? 0;
    this.entries.delete(key);
  }
}

/** @param {{step: import("./data.js").Step, runId: string, branch: ?import("./data.js").Branch}} found @param {boolean} reveal @returns {Source} */
export function stepSource({ step, runId, branch }, reveal) {
  const { stepInstanceId, startTime, input, output, executionData } = step;
  const omitted = step.omittedPayloads ?? {};
  const place = { stepInstanceId, startTime, branchExecutionId: branch?.id, parentStepInstanceId: branch?.fork.stepInstanceId, parentStepStartTime: branch?.fork.startTime };
  const read = async (most, signal) => {
    const { answer, size } = await askMeasured(runId, "/step", { ...place, maxPayloadBytes: most }, signal, reveal);
    const { data, warnings } = answer;
    return { values: data, omitted: data.omittedPayloads ?? {}, warnings, size };
  };
  return {
    key: [runId, ...Object.values(place)].join(" "), mark: JSON.stringify([step.status, step.endTime, omitted]),
    values: { input, output, executionData }, omitted,
    // What is revealed is an event of the audit each time.
    isLive: isOpen(step.status) && !reveal,
    // A step is asked for by the moment that it began.
    read: startTime ? read : null,
  };
}

/** @param {import("./data.js").RunStore} store @returns {Source} */
export function contextSource({ id, context, omittedContext, reveal }) {
  const parts = (data) => ({ values: { context: data.resolvedFinalContextData }, omitted: contextOmitted(data) });
  const read = async (most, signal) => {
    const { answer, size } = await askMeasured(id, "", { limit: 1, maxPayloadBytes: most }, signal, reveal);
    return { ...parts(answer.data), warnings: answer.data.warnings, size };
  };
  return { key: `${id} context`, mark: String(omittedContext), values: { context }, omitted: omittedContext === undefined ? {} : { context: omittedContext }, isLive: false, read };
}

const contextOmitted = ({ omittedPayloads }) => (omittedPayloads ? { context: omittedPayloads.resolvedFinalContextData } : {});

function askMeasured(runId, rest, query, signal, reveal) {
  const parse = (text) => ({ answer: parseExact(text), size: text.length });
  return ask(runId, rest, query, signal, reveal, { parse, timeoutMs: TIMEOUT_MS });
}

const isModerate = (bytes) => bytes === null || bytes <= BY_ITSELF;

/**
 * The payloads of a source with what was loaded of them, and loads what is moderate.
 * @param {Source} source @param {PayloadCache} cache
 * @returns {Payloads & {state: "idle"|"loading"|"failed", error: ?Error, load: ?(() => void), loaded: string}}
 *   `loaded` names those that were left out and are here now
 */
export function usePayloads(source, cache) {
  const [attempt, setAttempt] = useState(IDLE);
  const running = useRef(null);
  const { key, mark, read } = source;
  const load = async (most) => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = Object.assign(mine, { key, most });
    setAttempt({ key, state: "loading", most, error: null });
    try {
      cache.put(key, { ...(await read(most, mine.signal)), mark, most });
      if (!mine.signal.aborted) setAttempt({ key, state: "idle", most, error: null });
    } catch (error) {
      if (!mine.signal.aborted) setAttempt({ key, state: "failed", most, error });
    } finally {
      if (running.current === mine) running.current = null;
    }
  };
  useEffect(() => () => {
    running.current?.abort();
    running.current = null;
  }, [key]);
  useEffect(() => {
    const sizes = Object.values(source.omitted);
    const entry = cache.get(key);
    if (sizes.length === 0 || !read || entry?.mark === mark) return;
    // What was asked for stays asked for when the step goes on.
    const before = running.current ?? entry;
    if (before) load(before.most);
    else if (sizes.some(isModerate)) load(BY_ITSELF);
  }, [key, mark]);
  useRenewed(source.isLive && cache.get(key)?.most === BY_ITSELF, () => running.current || load(BY_ITSELF));
  const entry = cache.get(key);
  const { state, error, most } = attempt.key === key ? attempt : IDLE;
  const shown = merged(source, entry);
  // What is here is of before, and could not be renewed.
  if (state === "failed" && entry?.mark !== mark) shown.omitted = source.omitted;
  // What is renewed behind what is shown is nobody's to wait for.
  const isAwaited = state === "failed" || most === null || Object.values(shown.omitted).some(isModerate);
  return { ...shown, state: isAwaited ? state : "idle", error, load: read && (() => load(state === "failed" ? most : null)) };
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
    // What came to a step that goes on is not among what was loaded before.
    const isNew = entry?.mark !== source.mark && values[name] === null;
    if (isNew || name in entry.omitted) omitted[name] = entry?.omitted[name] ?? bytes;
  }
  const loaded = Object.keys(source.omitted).filter((name) => !(name in omitted));
  return { values, omitted, warnings: (loaded.length > 0 && entry.warnings) || [], loaded: loaded.join() };
}

/** What is not here, and why: with its size and a way to load it, or unreadable. @param {ReturnType<typeof usePayloads>} props */
export function LeftOut({ omitted, warnings, state, error, load }) {
  return html`${Object.keys(omitted).length > 0 && html`<${Omitted} omitted=${omitted} state=${state} error=${error} load=${load} />`}
    ${warnings.map((warning) => html`<p key=${warning} class="left-out"><${Icon} name="warning" /><bdi>${warning}</bdi></p>`)}`;
}

function Omitted({ omitted, state, error, load }) {
  const names = Object.keys(omitted).map((name) => NAMES[name]).join(" and ");
  if (state === "loading") return html`<p class="left-out muted" role="status">Loading ${names.toLowerCase()} …</p>`;
  if (state === "failed") {
    return html`<div class="left-out" role="alert"><span>${names}: not loaded. ${error.message}</span>
      <${Button} onClick=${load}>Try again<//></div>`;
  }
  const sizes = Object.entries(omitted).map(([name, bytes]) => `${NAMES[name]}, ${bytes === null ? "size not known" : formatBytes(bytes)}`);
  return html`<div class="left-out"><span>${sizes.join(" · ")}</span>
    ${load ? html`<${Button} onClick=${load}>Load<//>` : html`<span class="muted">The step does not say when it began, so it cannot be asked for. The download has it.</span>`}</div>`;
}
