// Owns the live data of one run for its page: the poll, the expanded parts, the cause of a failure,
// and the step in the address.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { now } from "../format.js";
import { usePoll } from "../poll.js";
import { isOpen } from "../ui/status.js";
import { openText } from "./address.js";
import { findCause } from "./cause.js";
import { RunModel } from "./data.js";
import { buildRows, laneName } from "./rows.js";
import { domainOf } from "./scale.js";

const LIVE_MS = 2000;
const RARELY_MS = 60_000;
/** A run without changes for an hour is read once a minute: it may never end. */
const STILL = 1 / 60;
/** Means all names. Ids cannot contain this character. */
const ALL = "*";

/**
 * @param {string} runId @param {ReturnType<import("./address.js").useAddress>} address
 * @param {boolean} reveal whether secrets are shown; if so, the run is read once and not polled, because the audit
 *   records each view
 */
export function useRun(runId, address, reveal) {
  const model = useMemo(() => new RunModel(runId, reveal), [runId, reveal]);
  const [version, setVersion] = useState(0);
  model.listener = setVersion;
  const isExpanded = (key, byDefault) =>
    !address.closed.has(key) && (address.opened.has(key) || address.opened.has(ALL) || byDefault);
  const { rows, wanted } = useMemo(() => buildRows(model, isExpanded), [model, version, address.openText]);
  model.wanted = wanted;
  const intervalMs = model.settled || reveal ? 0 : LIVE_MS;
  const rest = () => Math.min(RARELY_MS, Math.max(LIVE_MS, model.stillMs * STILL));
  // A changed interval must not cause another read of an ended run.
  const poll = usePoll((signal) => (model.settled ? Promise.resolve(version) : model.read(signal)), runId, {
    intervalMs,
    rest,
  });
  useWanted(model, wanted, poll.fail);
  const cause = useCause(model, version, address);
  const metadata = model.root.metadata;
  const present = usePresent(metadata);
  const domain = domainOf(metadata, rows, present, rows.some((row) => isOpen(row.status)) || isOpen(metadata?.status));
  return { model, rows, poll, cause, metadata, present, domain, ...useOpening(address) };
}

/** Requests newly expanded parts immediately, instead of with the next poll. */
function useWanted(model, wanted, onError) {
  const names = wanted.map(({ step, runId }) => runId ?? step.stepInstanceId).join();
  useEffect(() => {
    if (!names) return;
    // Not aborted when another part is expanded: the response is still useful.
    model.readWanted((each) => !model.partOf(each)?.asked).catch(onError);
  }, [model, names]);
}

/**
 * Selects the step that failed first in a failed run, unless the address names a step. The search
 * starts when the first page shows that the run failed.
 */
function useCause(model, version, address) {
  const [cause, setCause] = useState(null);
  const search = useRef(null);
  const latest = useRef(null);
  latest.current = address;
  // A result for a run that was left must be ignored.
  useEffect(() => () => search.current?.abort(), []);
  useEffect(() => {
    const { root } = model;
    if (root.metadata?.status !== "FAILED" || !(root.complete || root.isPartial) || search.current) return;
    const { signal } = (search.current = new AbortController());
    const before = latest.current.step;
    findCause(model)
      .then((found) => {
        if (!found || signal.aborted) return;
        setCause(found);
        const { step, opened, closed, change } = latest.current;
        // The user may have selected a step in the meantime.
        if (before || step) return;
        // In the address, so that a link and a reload show the step again.
        change({ step: found.key, open: openText(new Set([...opened, ...found.open]), closed) });
      })
      .catch(() => {
        // The poll reports the same error; then the search starts again.
        search.current = null;
      });
  }, [model, version]);
  return cause;
}

/** The clock for growing bars. */
function usePresent(metadata) {
  const running = isOpen(metadata?.status);
  const [present, setPresent] = useState(now);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => document.hidden || setPresent(now()), 1000);
    return () => clearInterval(timer);
  }, [running]);
  return running ? Math.max(present, now() - 1000) : present;
}

function useOpening(address) {
  const latest = useRef(null);
  latest.current = address;
  const set = useCallback((changes) => {
    const { opened, closed, change } = latest.current;
    const open = new Set(opened);
    const shut = new Set(closed);
    for (const [key, to] of changes) {
      (to ? open : shut).add(key);
      (to ? shut : open).delete(key);
    }
    change({ open: openText(open, shut) });
  }, []);
  const toggle = useCallback((key, to) => set([[key, to]]), [set]);
  // Also parts that become visible only when their parent is expanded.
  const toggleAll = useCallback((to) => latest.current.change({ open: to ? ALL : "" }), []);
  return {
    toggle,
    toggleAll,
    allOpen: address.opened.has(ALL),
    openKeys: (keys) => set(keys.map((key) => [key, true])),
  };
}

/**
 * The step with this key in the loaded parts of the run, and its lane.
 * @param {RunModel} model @param {?string} key
 */
export function findStep(model, key) {
  if (!key) return null;
  const [first, second] = key.split("~");
  const store = second === undefined ? model.root : model.subs.get(first);
  const id = second ?? first;
  if (!store) return null;
  const step = store.byId.get(id);
  if (step) return { step, runId: store.id, branch: null, lane: null };
  for (const fork of store.forks.values()) {
    for (const branch of fork.branches.values()) {
      const found = branch.byId.get(id);
      if (!found) continue;
      return { step: found, runId: store.id, branch, lane: laneName(fork, branch.id) };
    }
  }
  return null;
}
