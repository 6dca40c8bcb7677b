// Owns reading something again and again: while somebody looks, at an interval, and with
// back-off and a countdown when the server does not answer. What was read stays.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { passes, waitAfter } from "./api.js";

const FIRST_BACK_OFF_MS = 2000;
const LAST_BACK_OFF_MS = 30_000;
/** Who has touched nothing for so long may look elsewhere: then it is read more rarely. */
const IDLE_AFTER_MS = 120_000;
const IDLE_FACTOR = 5;
const IDLE_MOST_MS = 60_000;

let touchedAt = Date.now();
/** What is to be told that somebody looks again. @type {Set<() => void>} */
const waiting = new Set();

const isIdle = () => Date.now() - touchedAt > IDLE_AFTER_MS;

function touched() {
  const wasIdle = isIdle();
  touchedAt = Date.now();
  if (wasIdle) for (const refresh of waiting) refresh();
}

for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(name, touched, { capture: true, passive: true });

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load use `retries: 0` within: the poll tries
 *   again itself
 * @param {string} key what is read; a change starts anew, at once
 * @param {{intervalMs?: number, rest?: () => number}} [options] intervalMs 0 reads once; `rest` is
 *   asked after each round how long to wait, where that is not always the same
 * @returns {{data: ?T, dataKey: ?string, error: ?Error, loading: boolean, retryAt: ?number, reload: () => void,
 *   fail: (error: Error) => void}} `data` is that of `dataKey`, also while another key is being read;
 *   `retryAt` is a Date.now(); `fail` takes an error that was met beside the rounds as one of theirs
 */
export function usePoll(load, key, { intervalMs = 3000, rest = () => intervalMs } = {}) {
  const [state, setState] = useState({ data: null, dataKey: null, error: null, loading: true, retryAt: null });
  const latest = useRef(null);
  latest.current = { load, rest };
  const running = useRef(null);
  useEffect(() => {
    const poll = startPoll(latest, intervalMs > 0, (change) =>
      setState((old) => ({ ...old, ...change, ...("data" in change ? { dataKey: key } : {}) })));
    running.current = poll;
    return () => {
      running.current = null; // What comes late must not begin it again.
      poll.stop();
    };
  }, [key, intervalMs > 0]);
  const reload = useCallback(() => running.current?.now(), []);
  const fail = useCallback((error) => running.current?.fail(error), []);
  return { ...state, reload, fail };
}

function startPoll(latest, repeats, report) {
  let timer = null;
  let due = false;
  let failures = 0;
  let controller = null;
  const now = async () => {
    clearTimeout(timer);
    timer = null;
    due = false;
    controller?.abort();
    const mine = (controller = new AbortController());
    report({ loading: true, retryAt: null });
    try {
      const data = await latest.current.load(mine.signal);
      if (mine.signal.aborted) return;
      failures = 0;
      report({ data, error: null, loading: false });
      if (repeats) later(intervalOf(latest.current.rest()));
    } catch (error) {
      if (!mine.signal.aborted) fail(error);
    }
  };
  const fail = (error) => {
    const wait = passes(error) ? waitAfter(error, Math.min(LAST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** failures++)) : null;
    report({ error, loading: false, retryAt: wait === null ? null : Date.now() + wait });
    if (wait !== null) later(wait);
  };
  const later = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(() => (document.hidden ? (due = true) : now()), ms);
  };
  // Who looks again sees what is. A server that asked for a pause still has it.
  const looked = () => {
    if (!document.hidden && (due || (timer !== null && failures === 0))) now();
  };
  document.addEventListener("visibilitychange", looked);
  waiting.add(looked);
  now();
  const stop = () => {
    clearTimeout(timer);
    controller?.abort();
    document.removeEventListener("visibilitychange", looked);
    waiting.delete(looked);
  };
  return { now, fail, stop };
}

/** About as long, so that many open pages do not ask in step. */
function intervalOf(ms) {
  const rest = isIdle() ? Math.max(ms, Math.min(IDLE_MOST_MS, ms * IDLE_FACTOR)) : ms;
  return rest * (0.9 + Math.random() / 5);
}
