// Owns the visible rows while new runs arrive. Rows change in place immediately; new rows are
// inserted only while the user is not reading, and are otherwise counted.
import { useEffect, useRef, useState } from "preact/hooks";
import { isOpen } from "../ui/status.js";
import { refreshRuns } from "./data.js";

/** The number of rows that are requested individually while the user is reading, and the interval. */
const MAX_LOST = 6;
const LOST_MS = 15_000;

/**
 * @typedef {import("./data.js").Run} Run
 * @param {?{runs: Run[], total: number, exact: boolean}} fresh the latest response
 * @param {?string} key the request of the response: another key replaces everything
 * @param {() => boolean} isReading whether rows must not move
 * @param {?Object} [start] the earlier result, if the user returns to the list
 * @returns {{key: ?string, rows: Run[], total: number, exact: boolean, waiting: number, arrived: Set<string>,
 *   showAll: () => void}}
 *   `arrived`: the ids of new rows
 */
export function useLiveRows(fresh, key, isReading, start = null) {
  const [shown, setShown] = useState(
    start
      ? { ...start, arrived: new Set() }
      : { key: null, rows: [], total: 0, exact: true, waiting: 0, arrived: new Set() },
  );
  const newest = useRef(null);
  const lostAskedAt = useRef(0);
  useEffect(() => {
    newest.current = fresh;
    if (!fresh) return;
    const held = shown.key === key && isReading();
    setShown((old) => (held ? hold(old, fresh) : renew(old, fresh, key)));
    const lost = held ? lostOf(shown.rows, fresh) : [];
    if (lost.length === 0 || Date.now() - lostAskedAt.current < LOST_MS) return;
    lostAskedAt.current = Date.now();
    // Not aborted by the next poll of the list, which may come before the responses.
    refreshRuns(lost, null).then(
      (found) => setShown((old) => withRuns(old, found)),
      () => {},
    );
  }, [fresh, key]);
  const showAll = () => setShown((old) => renew(old, newest.current, key));
  return { ...shown, showAll };
}

function renew(old, fresh, key) {
  const before = new Set(old.rows.map((run) => run.id));
  const isSame = old.key === key;
  const arrived = new Set(isSame ? fresh.runs.filter((run) => !before.has(run.id)).map((run) => run.id) : []);
  return { key, rows: fresh.runs, total: fresh.total, exact: fresh.exact, waiting: 0, arrived };
}

function hold(old, fresh) {
  const byId = new Map(fresh.runs.map((run) => [run.id, run]));
  const rows = old.rows.map((run) => byId.get(run.id) ?? run);
  const here = new Set(rows.map((run) => run.id));
  const first = rows[0]?.createdAt ?? "";
  const added = fresh.runs.filter((run) => !here.has(run.id) && run.createdAt >= first).length;
  // If a whole page is new, only the totals show how many runs are new.
  const waiting = added > 0 && added === fresh.runs.length ? Math.max(added, fresh.total - old.total) : added;
  return { ...old, rows, waiting, arrived: new Set() };
}

/** Open rows that are still on the screen but no longer in the list. */
function lostOf(rows, fresh) {
  const here = new Set(fresh.runs.map((run) => run.id));
  return rows.filter((run) => isOpen(run.status) && !here.has(run.id)).slice(0, MAX_LOST);
}

function withRuns(old, found) {
  const byId = new Map(found.map((run) => [run.id, run]));
  return { ...old, rows: old.rows.map((run) => byId.get(run.id) ?? run) };
}
