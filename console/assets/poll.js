// Owns polling: while the page is visible, at an interval, with back-off and a countdown when the
// server does not answer. Data that was read stays on the screen.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isTemporary, waitAfter } from "./api.js";

const FIRST_BACK_OFF_MS = 2000;
const MAX_BACK_OFF_MS = 30_000;
/** After this time without input, polls are less frequent. */
const IDLE_AFTER_MS = 120_000;
const IDLE_FACTOR = 5;
const IDLE_MAX_MS = 60_000;

let touchedAt = Date.now();
/** Callbacks for when the viewer returns. @type {Set<() => void>} */
const waiting = new Set();

const isIdle = () => Date.now() - touchedAt > IDLE_AFTER_MS;

function touched() {
  const wasIdle = isIdle();
  touchedAt = Date.now();
  if (wasIdle) for (const refresh of waiting) refresh();
}

for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) {
  addEventListener(name, touched, { capture: true, passive: true });
}

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load use `retries: 0` in it: the poll itself retries
 * @param {string} key what is read; a new key restarts the poll immediately
 * @param {{intervalMs?: number, rest?: () => number, start?: ?{data: T, dataKey: string}}} [options] intervalMs 0
 *   reads once;
 *   `rest` returns the wait after each round, if it varies; `start` is the data to show before the first response
 * @returns {{data: ?T, dataKey: ?string, error: ?Error, loading: boolean, retryAt: ?number, reload: () => void,
 *   fail: (error: Error) => void}}
 *   `data` belongs to `dataKey`, even while another key is being read; `retryAt` is a Date.now() value; `fail`
 *   handles an error from elsewhere like an error of the poll
 */
export function usePoll(load, key, { intervalMs = 3000, rest = () => intervalMs, start = null } = {}) {
  const [state, setState] = useState({
    data: start?.data ?? null,
    dataKey: start?.dataKey ?? null,
    error: null,
    loading: true,
    retryAt: null,
  });
  const latest = useRef(null);
  latest.current = { load, rest };
  const running = useRef(null);
  useEffect(() => {
    const poll = startPoll(latest, intervalMs > 0, (change) =>
      setState((old) => ({ ...old, ...change, ...("data" in change ? { dataKey: key } : {}) })),
    );
    running.current = poll;
    return () => {
      running.current = null; // A late response must not restart the poll.
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
    const wait = isTemporary(error)
      ? waitAfter(error, Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** failures++))
      : null;
    report({ error, loading: false, retryAt: wait === null ? null : Date.now() + wait });
    if (wait !== null) later(wait);
  };
  const later = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(() => (document.hidden ? (due = true) : now()), ms);
  };
  // A returning viewer gets fresh data, unless the server asked for a pause.
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

/** The interval with a random part, so that many open pages do not poll in step. */
function intervalOf(ms) {
  const rest = isIdle() ? Math.max(ms, Math.min(IDLE_MAX_MS, ms * IDLE_FACTOR)) : ms;
  return rest * (0.9 + Math.random() / 5);
}
