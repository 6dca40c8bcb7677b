// Owns reading something again and again: while the page is visible, at an interval, and
// with back-off and a countdown when the server does not answer. What was read stays.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

const FIRST_BACK_OFF_MS = 2000;
const LAST_BACK_OFF_MS = 30_000;

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load use `retries: 0` within: the poll tries again itself
 * @param {string} key what is read; a change starts anew, at once
 * @param {{intervalMs?: number}} [options] intervalMs 0 reads once
 * @returns {{data: ?T, dataKey: ?string, error: ?Error, loading: boolean, retryAt: ?number, reload: () => void}}
 *   `data` is that of `dataKey`, also while another key is being read; `retryAt` is a Date.now()
 */
export function usePoll(load, key, { intervalMs = 3000 } = {}) {
  const [state, setState] = useState({ data: null, dataKey: null, error: null, loading: true, retryAt: null });
  const latest = useRef(load);
  latest.current = load;
  const trigger = useRef(() => {});
  useEffect(() => {
    const poll = startPoll((signal) => latest.current(signal), intervalMs, (change) =>
      setState((old) => ({ ...old, ...change, ...("data" in change ? { dataKey: key } : {}) })));
    trigger.current = poll.now;
    return poll.stop;
  }, [key, intervalMs]);
  const reload = useCallback(() => trigger.current(), []);
  return { ...state, reload };
}

function startPoll(load, intervalMs, report) {
  let timer = null;
  let failures = 0;
  let controller = null;
  const now = async () => {
    clearTimeout(timer);
    controller?.abort();
    const mine = (controller = new AbortController());
    report({ loading: true, retryAt: null });
    try {
      const data = await load(mine.signal);
      if (mine.signal.aborted) return;
      failures = 0;
      report({ data, error: null, loading: false });
      if (intervalMs > 0) later(intervalMs);
    } catch (error) {
      if (mine.signal.aborted) return;
      // A fault of the server may pass as well; what is refused (4xx) stays refused.
      const wait = error.transient || error.status >= 500 ? backOff(failures++, error) : null;
      report({ error, loading: false, retryAt: wait === null ? null : Date.now() + wait });
      if (wait !== null) later(wait);
    }
  };
  let due = false;
  const later = (ms) => {
    timer = setTimeout(() => (document.hidden ? (due = true) : now()), ms);
  };
  const seen = () => {
    if (document.hidden || !due) return;
    due = false;
    now();
  };
  document.addEventListener("visibilitychange", seen);
  now();
  const stop = () => {
    clearTimeout(timer);
    controller?.abort();
    document.removeEventListener("visibilitychange", seen);
  };
  return { now, stop };
}

function backOff(failures, error) {
  const wait = Math.min(LAST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** failures);
  return Math.max(wait, (error.retryAfter ?? 0) * 1000);
}
