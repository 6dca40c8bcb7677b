// Owns the Runs page: combines filters, numbers, list and pager, and keeps them up to date.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { isRefused } from "../api.js";
import { formatClock, now, plural } from "../format.js";
import { navigate } from "../router.js";
import { usePoll } from "../poll.js";
import { classes, html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button } from "../ui/controls.js";
import { toast } from "../ui/toast.js";
import { ErrorState, Loading, StaleBanner } from "../ui/states.js";
import { Pager } from "../ui/pager.js";
import { useShortcuts } from "../ui/keys.js";
import { changed, isFiltered, NO_FILTERS, ofCaller, PAGE_SIZE, parseFilters } from "../runs/filters.js";
import { fetchNumbers, fetchRuns, noteSeen } from "../runs/data.js";
import { useLiveRows } from "../runs/live.js";
import { RunChart } from "../runs/chart.js";
import { moveFocus, RunTable } from "../runs/table.js";
import { useReturn, useReturned } from "../runs/return.js";
import { RunSearch } from "../runs/search.js";
import { ActiveFilters, FilterBar, OlderOpen, StatusBar } from "../runs/toolbar.js";
import { FirstUse, NothingFound } from "../runs/empty.js";

const LIST_MS = 3000;
/** Less often, because each request reads a counter for every day of the filtered time. */
const NUMBERS_MS = 30_000;
const POINTER_REST_MS = 4000;

/** @param {{query: Object<string, string>, session: import("../session.js").Session}} props */
export default function Page({ query, session }) {
  const filters = ofCaller(parseFilters(query), session);
  const { page, asof, ...scope } = filters;
  const key = JSON.stringify(filters);
  const numbersKey = JSON.stringify({ ...scope, status: "" });
  const before = useBefore(key, session);
  const list = usePoll((signal) => fetchRuns(filters, signal), key, {
    intervalMs: LIST_MS,
    start: before && { data: before.list, dataKey: key },
  });
  const numbers = usePoll((signal) => fetchNumbers({ ...scope, asof: "" }, signal), numbersKey, {
    intervalMs: NUMBERS_MS,
    start: before && { data: before.numbers, dataKey: numbersKey },
  });
  // Until new numbers arrive, the numbers of the previous filters are shown as outdated.
  const numbersBusy = numbers.data !== null && numbers.dataKey !== numbersKey;
  const change = (next) => navigate("/runs", changed(filters, next));
  useHeldStill(filters);
  const reading = useReading();
  const live = useLiveRows(list.data, list.dataKey, reading.isReading, before?.live);
  useReturn({
    key,
    principal: session.caller.principal,
    list: list.dataKey === key ? list.data : null,
    numbers: numbers.dataKey === numbersKey ? numbers.data : null,
    live,
  });
  useMemo(() => list.data && noteSeen(list.data.runs), [list.data]);
  useListKeys(reading.table, filters, session, change);
  const goTo = (number) => {
    // The newest run at this time stays the start of the list, so that pages do not shift.
    change({ page: number, asof: number > 1 ? asof || live.rows[0]?.createdAt || "" : "" });
    scrollTo({ top: 0 });
  };
  const view = { filters, list, live, session, change, tableRef: reading.table, goTo, listKey: key };
  const firstUse = list.data?.total === 0 && list.data.runs.length === 0 && !isFiltered(filters) && page === 1;
  return html`
    <section class="page runs-page" aria-labelledby="runs-title">
      <header class="page-head">
        <h1 id="runs-title">Runs</h1>
        <${LiveState} list=${list} asof=${asof} onNewest=${() => goTo(1)} />
        <${RunSearch} rows=${live.rows} filters=${filters} only=${session.caller.flows} />
        <${Export} session=${session} filters=${filters} />
      </header>
      ${firstUse
        ? html`<${FirstUse} teamId=${session.caller.teamId} />`
        : html`
          <${FilterBar} filters=${filters} session=${session} change=${change} />
          <${StatusBar} numbers=${numbers} busy=${numbersBusy} filters=${filters} change=${change} />
          <div class=${classes("chart-box", numbersBusy && "stale")} aria-busy=${String(numbersBusy)}>
            ${numbers.data
              ? html`
                <${RunChart}
                  numbers=${numbers.data}
                  status=${filters.status}
                  onNarrow=${(from, to) => change({ range: "", from, to })}
                />
              `
              : null}
          </div>
          <${OlderOpen} older=${numbersBusy ? null : numbers.data?.older} filters=${filters} />
          <${ActiveFilters} filters=${filters} only=${session.caller.flows} change=${change} />
          <${List} ...${view} />
        `}
    </section>
  `;
}

/** The last state of this list, if the user returns with Back or Forward. */
function useBefore(key, session) {
  const before = useReturned();
  const isSame = before?.list && before.numbers && before.key === key && before.principal === session.caller.principal;
  return isSame ? before : null;
}

/** The export of the listed runs. Its dialog is loaded on first use. */
function Export({ session, filters }) {
  const [dialog, setDialog] = useState(null);
  if (!session.can("EXECUTIONS_EXPORT")) return null;
  const open = async () => {
    try {
      const { ExportDialog } = await import("../export/dialog.js");
      setDialog(() => ExportDialog);
    } catch {
      toast("The export could not be loaded. Try again.", { kind: "bad" });
    }
  };
  return html`
    <${Button} icon="download" onClick=${open}>Export<//>
    ${dialog && html`<${dialog} session=${session} filters=${filters} onClose=${() => setDialog(null)} />`}
  `;
}

/** If the address of a later page has no time, the list is fixed at the current time. */
function useHeldStill(filters) {
  const isLoose = filters.page > 1 && !filters.asof;
  useEffect(() => {
    if (isLoose) navigate("/runs", { ...filters, asof: new Date(now()).toISOString() }, { replace: true });
  }, [isLoose]);
}

/** Whether the user is reading a row: scrolled down, focused a row, or pointing at it. */
function useReading() {
  const table = useRef(null);
  const pointed = useRef(0);
  useEffect(() => {
    const move = (event) => {
      if (event.target.closest?.(".runs tbody")) pointed.current = Date.now();
    };
    addEventListener("pointermove", move, { passive: true });
    return () => removeEventListener("pointermove", move);
  }, []);
  const isReading = () => {
    const body = table.current?.querySelector("tbody");
    if (!body) return false;
    const points = body.matches(":hover") && Date.now() - pointed.current < POINTER_REST_MS;
    return scrollY > 24 || points || body.contains(document.activeElement) || !getSelection().isCollapsed;
  };
  return { table, isReading };
}

function useListKeys(table, filters, session, change) {
  useShortcuts({
    j: () => moveFocus(table.current, 1),
    k: () => moveFocus(table.current, -1),
    "/": () => document.getElementById("run-search")?.focus(),
    Escape: () => {
      const inside = table.current?.contains(document.activeElement);
      if (inside) document.activeElement.blur();
      else if (isFiltered(filters)) change({ ...NO_FILTERS, flow: session.caller.flows ? filters.flow : "" });
    },
  });
}

function LiveState({ list, asof, onNewest }) {
  if (asof) {
    return html`
      <span class="live">
        As of ${formatClock(asof)} · <button type="button" class="link" onClick=${onNewest}>Newest</button>
      </span>
    `;
  }
  const name = list.error ? "off" : list.data ? "on" : "wait";
  return html`
    <span
      class=${classes("live", `live-${name}`)}
      title=${list.error ? "Updates have stopped" : "Updates automatically"}
    >
      <span class="live-dot" aria-hidden="true"></span>
      ${{ off: "Not updating", on: "Live", wait: "Loading" }[name]}
    </span>
  `;
}

function List({ filters, list, live, session, change, tableRef, goTo, listKey }) {
  const { rows, total, exact, waiting, arrived, showAll } = live;
  const showNew = () => {
    document.activeElement?.blur();
    getSelection().removeAllRanges();
    scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    showAll();
  };
  const { error } = list;
  if (error && (isRefused(error) || !list.data)) {
    return html`<${ErrorState} error=${error} retryAt=${list.retryAt} onRetry=${list.reload} />`;
  }
  if (!list.data) return html`<${Loading} rows=${10} label="Loading runs" />`;
  const busy = list.dataKey !== listKey;
  return html`
    ${error && html`<${StaleBanner} error=${error} retryAt=${list.retryAt} onRetry=${list.reload} />`}
    <div class="new-runs" role="status">
      ${waiting > 0 && html`
        <button type="button" class="pill" onClick=${showNew}>
          <${Icon} name="up" />
          ${plural(waiting, "new run")}
        </button>
      `}
    </div>
    ${rows.length === 0 && !busy
      ? html`<${Nothing} filters=${filters} session=${session} change=${change} goTo=${goTo} />`
      : html`
        <${RunTable} rows=${rows} arrived=${arrived} busy=${busy} tableRef=${tableRef} />
        <${Pager}
          page=${filters.page}
          size=${PAGE_SIZE}
          total=${total}
          exact=${exact}
          shown=${rows.length}
          noun="runs"
          onGo=${goTo}
        />
      `}
  `;
}

function Nothing({ filters, session, change, goTo }) {
  if (filters.page > 1) {
    return html`
      <div class="empty">
        <h2>This page has no runs</h2>
        <p class="empty-text">There are fewer pages now.</p>
        <div class="empty-actions">
          <button type="button" class="button button-plain" onClick=${() => goTo(1)}>First page</button>
        </div>
      </div>
    `;
  }
  return html`<${NothingFound} filters=${filters} only=${session.caller.flows} change=${change} />`;
}
