// Owns the live reading of one run for the page: the poll, what is open, the way to the
// cause of a failure, and the step that the address names.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { now } from "../format.js";
import { usePoll } from "../poll.js";
import { isOpen } from "../ui/status.js";
import { openText } from "./address.js";
import { RunModel } from "./data.js";
import { buildRows, findCause } from "./rows.js";
import { domainOf } from "./scale.js";

const LIVE_MS = 2000;
const RARELY_MS = 60_000;
/** A run in which nothing has happened for an hour is read once a minute: it may never end. */
const STILL = 1 / 60;
/** In the place of a name: everything. No id has this sign. */
const ALL = "*";

/**
 * @param {string} runId @param {ReturnType<import("./address.js").useAddress>} address
 * @param {boolean} reveal whether secrets are shown; then it is read once, and not again
 *   and again, as the audit is told of each time
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
  // What has ended is not read again only because the interval is another.
  const poll = usePoll((signal) => (model.settled ? Promise.resolve(version) : model.read(signal)), runId, { intervalMs, rest });
  useWanted(model, wanted, poll.fail);
  const cause = useCause(model, version, address);
  const metadata = model.root.metadata;
  const present = usePresent(metadata);
  const domain = domainOf(metadata, rows, present, isOpen(metadata?.status) || rows.some((row) => isOpen(row.status)));
  return { model, rows, poll, cause, metadata, present, domain, ...useOpening(address) };
}

/** What was opened just now is asked for at once, and not with the next poll. */
function useWanted(model, wanted, onError) {
  const names = wanted.map(({ step, runId }) => runId ?? step.stepInstanceId).join();
  useEffect(() => {
    if (!names) return;
    // Not aborted when something else is opened: what was asked for is worth having.
    model.readWanted((each) => !model.partOf(each)).catch(onError);
  }, [model, names]);
}

/** Of a failed run the failed step is looked at, unless the address names another. */
function useCause(model, version, address) {
  const [cause, setCause] = useState(null);
  const search = useRef(null);
  const latest = useRef(null);
  latest.current = address;
  // What is found of a run that one has left must not lead anywhere.
  useEffect(() => () => search.current?.abort(), []);
  useEffect(() => {
    const { root } = model;
    if (root.metadata?.status !== "FAILED" || !root.complete || search.current) return;
    const { signal } = (search.current = new AbortController());
    const before = latest.current.step;
    findCause(model).then((found) => {
      if (!found || signal.aborted) return;
      setCause(found);
      const { step, opened, closed, change } = latest.current;
      // Who has chosen a step meanwhile looks at that one.
      if (before || step) return;
      // In the address, so that a link and a reload lead down there again.
      change({ step: found.key, open: openText(new Set([...opened, ...found.open]), closed) });
    });
  }, [model, version]);
  return cause;
}

/** The clock, for bars that grow. */
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
  // Also what only comes to light when something above it is open.
  const toggleAll = useCallback((to) => latest.current.change({ open: to ? ALL : "" }), []);
  return { toggle, toggleAll, allOpen: address.opened.has(ALL), openKeys: (keys) => set(keys.map((key) => [key, true])) };
}

/**
 * The step with this key, wherever in the run it is in hand.
 * @param {RunModel} model @param {?string} key
 */
export function findStep(model, key) {
  if (!key) return null;
  const [first, second] = key.split("~");
  const store = second === undefined ? model.root : model.subs.get(first);
  const id = second ?? first;
  if (!store) return null;
  const step = store.byId.get(id);
  if (step) return { step, runId: store.id, branch: null };
  for (const fork of store.forks.values()) {
    for (const branch of fork.branches.values()) {
      const found = branch.byId.get(id);
      if (found) return { step: found, runId: store.id, branch };
    }
  }
  return null;
}
