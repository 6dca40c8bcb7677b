// Owns the search for a run by its id. The API finds only whole ids, so a part of an id, such as
// the list shows, is searched in the listed rows and then in the newest runs.
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api.js";
import { limits } from "../config.js";
import { flowTitle, formatCount, plural } from "../format.js";
import { href, navigate, runPath } from "../router.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { StatusIcon } from "../ui/status.js";
import { RelativeTime } from "../ui/time.js";
import { visible } from "../ui/visible.js";
import { fetchMetadata, runOf } from "./data.js";
import { listParameters, NO_FILTERS } from "./filters.js";

const PAGES = 4;
const SHOWN = 8;
const GAP = "…";

/** The first group of a UUID; other long ids are shortened in the middle. @param {string} id */
export function shortId(id) {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(id)) return id.slice(0, 8);
  return id.length > 11 ? `${id.slice(0, 4)}${GAP}${id.slice(-5)}` : id;
}

/** Returns a test whether a text is a part of an id, or its short form in the list. */
function isPart(text) {
  const wanted = text.toLowerCase().replaceAll("...", GAP);
  const [begin, end] = wanted.split(GAP);
  if (end === undefined) return (id) => id.toLowerCase().includes(wanted);
  return (id) =>
    id.length >= begin.length + end.length && id.toLowerCase().startsWith(begin) && id.toLowerCase().endsWith(end);
}

/** Searches the newest filtered runs. `searched`: the number of runs that were read. */
async function searchNewest(filters, wanted, signal) {
  const found = new Map();
  let searched = 0;
  for (let page = 0; page < PAGES && found.size === 0; page += 1) {
    const query = {
      ...listParameters({ ...filters, page: 1, asof: "" }),
      extended: null,
      limit: limits().pageSize,
      offset: searched,
    };
    const { executions, pagination } = await get("api/history/executions", { query, signal });
    for (const row of executions) if (wanted(row.id)) found.set(row.id, runOf(row));
    searched += executions.length;
    if (!pagination.hasMore || executions.length === 0) break;
  }
  return { runs: [...found.values()], searched };
}

/**
 * The run with a text as its id, or the runs whose ids contain it.
 * @returns {Promise<{id: ?string, runs: import("./data.js").Run[], searched: number}>}
 */
async function find(text, { rows, filters, only }, signal) {
  const isWhole = await fetchMetadata(text, signal, {}).then(
    () => true,
    (error) => {
      if (error.status === 404 || error.status === 400) return false;
      throw error;
    },
  );
  if (isWhole) return { id: text, runs: [], searched: 0 };
  const wanted = isPart(text);
  const listed = rows.filter((run) => wanted(run.id));
  if (listed.length > 0) return { id: null, runs: listed, searched: 0 };
  const all = { ...filters, ...NO_FILTERS, flow: only ? filters.flow : "" };
  const scopes = Object.keys(NO_FILTERS).some((name) => filters[name] !== all[name]) ? [filters, all] : [all];
  let result = { runs: [], searched: 0 };
  for (const scope of scopes) if (result.runs.length === 0) result = await searchNewest(scope, wanted, signal);
  return { id: null, ...result };
}

/**
 * Opens the run with an id, or the only run whose id contains a text. If there are several, the
 * user chooses one.
 * @param {{rows: import("./data.js").Run[], filters: Object, only: ?string[]}} props `rows`: the listed runs
 */
export function RunSearch(props) {
  const [note, setNote] = useState(null);
  const [busy, setBusy] = useState(false);
  const input = useRef(null);
  const running = useRef(null);
  useEffect(() => () => running.current?.abort(), []);
  const submit = async (event) => {
    event.preventDefault();
    const text = input.current.value.trim();
    if (!text) return;
    running.current?.abort();
    const { signal } = (running.current = new AbortController());
    setBusy(true);
    setNote(null);
    try {
      const { id, runs, searched } = await find(text, props, signal);
      const only = id ?? (runs.length === 1 ? runs[0].id : null);
      if (only) return navigate(runPath(only));
      setNote(runs.length > 0 ? { runs } : { problem: nothingText(text, searched, props) });
    } catch (error) {
      if (error.name === "AbortError") return;
      setNote({ problem: visible(error.message) });
    }
    setBusy(false);
  };
  const clear = () => {
    running.current?.abort();
    setBusy(false);
    setNote(null);
  };
  const leave = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // The page has its own shortcut for Escape.
    input.current.value = "";
    clear();
    document.activeElement.blur();
  };
  const left = (event) => {
    if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) setNote(null);
  };
  return html`
    <form class="search" role="search" onSubmit=${submit} onKeyDown=${leave} onFocusOut=${left}>
      <${Icon} name="search" />
      <input
        ref=${input}
        id="run-search"
        class="input"
        type="search"
        aria-label="Open a run by its id or a part of it"
        placeholder="Open run by id"
        autocomplete="off"
        spellcheck=${false}
        dir="auto"
        aria-invalid=${note?.problem ? "true" : null}
        aria-describedby="run-search-note"
        onInput=${clear}
      />
      <kbd class="search-key" aria-hidden="true">${busy ? "…" : "/"}</kbd>
      <div id="run-search-note" class="search-note" role="alert">${note?.problem}</div>
      ${note?.runs && html`<${Found} runs=${note.runs} />`}
    </form>
  `;
}

/** Names the searched runs, because not all runs are searched. */
function nothingText(text, searched, { only }) {
  const scope = only ? "of this flow" : "of the team";
  const newest = `the newest ${plural(searched, "run")} ${scope}`;
  return (
    `No run has the id “${visible(text)}”, and no id of ${newest} contains it. ` +
    "Paste the whole id to open an older run."
  );
}

/** The runs whose ids contain the text. */
function Found({ runs }) {
  const rest = runs.length - SHOWN;
  return html`
    <div class="search-found" role="status">
      <p class="muted small">${plural(runs.length, "run")} with this in the id:</p>
      <ul>
        ${runs.slice(0, SHOWN).map((run) => html`
          <li key=${run.id}>
            <a href=${href(runPath(run.id))}>
              <${StatusIcon} status=${run.status} />
              <code>
                <bdi>${visible(run.id)}</bdi>
              </code>
              <bdi class="muted">${visible(flowTitle(run.flowName, run.flowId))}</bdi>
              <span class="muted">
                <${RelativeTime} at=${run.startTime ?? run.createdAt} />
              </span>
            </a>
          </li>
        `)}
      </ul>
      ${rest > 0 && html`<p class="muted small">and ${formatCount(rest)} more. Type more of the id.</p>`}
    </div>
  `;
}
