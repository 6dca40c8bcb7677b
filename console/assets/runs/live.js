// Owns which rows stand on the screen while fresh ones arrive. Rows change in place at
// once; new rows come in only while nobody reads, and are counted otherwise.
import { useEffect, useRef, useState } from "preact/hooks";
import { isOpen } from "../ui/status.js";
import { refreshRuns } from "./data.js";

/**
 * @typedef {import("./data.js").Run} Run
 * @param {?{runs: Run[], total: number}} fresh what was read last
 * @param {?string} key what it was read for: another key replaces everything
 * @param {() => boolean} isReading whether rows must not move now
 * @returns {{rows: Run[], total: number, waiting: number, arrived: Set<string>, showAll: () => void}}
 *   `arrived`: the ids that have just come in
 */
export function useLiveRows(fresh, key, isReading) {
  const [shown, setShown] = useState({ key: null, rows: [], total: 0, waiting: 0, arrived: new Set() });
  const newest = useRef(null);
  useEffect(() => {
    newest.current = fresh;
    if (!fresh) return undefined;
    setShown((old) => (old.key === key && isReading() ? hold(old, fresh) : renew(old, fresh, key)));
    const controller = new AbortController();
    refreshLost(shown.key === key ? shown.rows : [], fresh, controller.signal, setShown);
    return () => controller.abort();
  }, [fresh, key]);
  const showAll = () => setShown((old) => renew(old, newest.current, key));
  return { ...shown, showAll };
}

function renew(old, fresh, key) {
  const before = new Set(old.rows.map((run) => run.id));
  const isSame = old.key === key;
  const arrived = new Set(isSame ? fresh.runs.filter((run) => !before.has(run.id)).map((run) => run.id) : []);
  return { key, rows: fresh.runs, total: fresh.total, waiting: 0, arrived };
}

function hold(old, fresh) {
  const byId = new Map(fresh.runs.map((run) => [run.id, run]));
  const rows = old.rows.map((run) => byId.get(run.id) ?? run);
  const here = new Set(rows.map((run) => run.id));
  const first = rows[0]?.createdAt ?? "";
  const added = fresh.runs.filter((run) => !here.has(run.id) && run.createdAt >= first).length;
  // Where a whole page is new, only the totals tell how many there are.
  const waiting = added > 0 && added === fresh.runs.length ? Math.max(added, fresh.total - old.total) : added;
  return { ...old, rows, waiting, arrived: new Set() };
}

/** Open rows that new ones have pushed off the page are asked for by themselves. */
async function refreshLost(rows, fresh, signal, setShown) {
  const here = new Set(fresh.runs.map((run) => run.id));
  const lost = rows.filter((run) => isOpen(run.status) && !here.has(run.id));
  if (lost.length === 0) return;
  const found = new Map((await refreshRuns(lost, signal)).map((run) => [run.id, run]));
  if (signal.aborted || found.size === 0) return;
  setShown((old) => ({ ...old, rows: old.rows.map((run) => found.get(run.id) ?? run) }));
}
