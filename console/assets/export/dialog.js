// Owns the dialog that exports the runs of a list: the content of the file, its format, the
// progress and the result.
import { useEffect, useRef, useState } from "preact/hooks";
import { formatBytes, plural } from "../format.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button, Chip, CodeBlock } from "../ui/controls.js";
import { Dialog } from "../ui/dialog.js";
import { visible } from "../ui/visible.js";
import { activeFilters } from "../runs/filters.js";
import { suggestions } from "../runs/data.js";
import { beginExport, chooseFile, memoryFile, MAX_MEMORY_BYTES, readExport, streamsToDisk } from "./download.js";
import { commandOf, exportQuery } from "./parameters.js";

const FORMATS = [
  { value: "csv", label: "CSV", note: "one row for each step, for spreadsheets", rows: "row" },
  { value: "json", label: "JSON", note: "one run on each line, with its steps", rows: "run" },
];
const IDLE = { phase: "form", progress: { bytes: 0, rows: 0 }, error: null, name: "" };

/**
 * @param {{session: import("../session.js").Session, filters: import("../runs/filters.js").Filters,
 *   onClose: () => void}} props
 *   `filters` are the filters in the Runs page's address (parseFilters)
 */
export function ExportDialog({ session, filters, onClose }) {
  const [format, setFormat] = useState("csv");
  const { state, start, choose, cancel, again } = useExport(session.caller.teamId, filters, format);
  const { phase } = state;
  const open = phase === "running" || phase === "choose";
  const close = () => {
    if (open) cancel();
    else onClose();
  };
  return html`
    <${Dialog}
      title="Export runs"
      onClose=${close}
      actions=${html`
        <${Actions} phase=${phase} start=${start} choose=${choose} cancel=${cancel} again=${again} onClose=${onClose} />
      `}
    >
      <div class="stack export">
        ${phase === "form"
          ? html`
            <${ExportScope} session=${session} filters=${filters} />
            <${Formats} format=${format} onChange=${setFormat} />
            <${Notes} />
          `
          : html`
            <${Progress} state=${state} format=${format} filters=${filters} teamId=${session.caller.teamId} />
          `}
      </div>
    <//>
  `;
}

function Actions({ phase, start, choose, cancel, again, onClose }) {
  if (phase === "form") {
    return html`
      <${Button} onClick=${onClose}>Cancel<//>
      <${Button} kind="primary" onClick=${start}>Export<//>
    `;
  }
  if (phase === "choose") {
    return html`
      <${Button} onClick=${cancel}>Cancel<//>
      <${Button} kind="primary" onClick=${choose}>Choose a file<//>
    `;
  }
  if (phase === "running") return html`<${Button} onClick=${cancel}>Cancel the export<//>`;
  if (phase === "failed") {
    return html`
      <${Button} onClick=${again}>Back<//>
      <${Button} kind="primary" onClick=${start}>Try again<//>
    `;
  }
  return html`<${Button} kind="primary" onClick=${onClose}>Close<//>`;
}

/** The request, the file and the progress. Closing the page ends the export. */
function useExport(teamId, filters, format) {
  const [state, setState] = useState(IDLE);
  const run = useRef({ controller: null, started: null });
  useEffect(() => () => run.current.controller?.abort(), []);
  useLeaveWarning(state.phase === "running");
  const fail = (error) =>
    setState((old) => (error.name === "AbortError" ? { ...IDLE } : { ...old, phase: "failed", error }));
  const guarded = (work) => async () => {
    const { controller } = run.current;
    try {
      await work(controller.signal);
    } catch (error) {
      controller.abort();
      if (run.current.controller === controller) fail(error);
    }
  };
  const write = async (file, signal) => {
    if (!file) throw new DOMException("Declined", "AbortError");
    const onProgress = (progress) => setState((old) => ({ ...old, progress }));
    setState((old) => ({ ...old, phase: "running" }));
    const progress = await readExport(run.current.started, file, signal, onProgress);
    setState((old) => ({ ...old, phase: "done", progress }));
  };
  const pick = async (signal) => write(await chooseFile(run.current.started.name), signal);
  const begin = async (signal) => {
    const started = await beginExport(teamId, exportQuery(filters, format), signal);
    run.current.started = started;
    setState((old) => ({ ...old, name: started.name }));
    if (!streamsToDisk()) return write(memoryFile(started.name), signal);
    try {
      await pick(signal);
    } catch (error) {
      // The server took so long that the browser no longer accepts the click and needs another one.
      if (error.name !== "SecurityError") throw error;
      setState((old) => ({ ...old, phase: "choose" }));
    }
  };
  const start = () => {
    run.current = { controller: new AbortController(), started: null };
    setState({ ...IDLE, phase: "running" });
    guarded(begin)();
  };
  const cancel = () => {
    run.current.controller?.abort();
    setState({ ...IDLE });
  };
  return { state, start, choose: guarded(pick), cancel, again: () => setState({ ...IDLE }) };
}

function useLeaveWarning(running) {
  useEffect(() => {
    if (!running) return undefined;
    const warn = (event) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [running]);
}

/** The runs that the file will contain. */
function ExportScope({ session, filters }) {
  const nameOf = (id) => suggestions(session.caller.flows).flows.find((flow) => flow.value === id)?.label ?? id;
  const chips = activeFilters(filters, nameOf);
  const timed = filters.range || filters.from;
  return html`
    <div class="export-what">
      <p>
        All runs of team${" "}
        <bdi>
          <b>${visible(session.caller.teamId)}</b>
        </bdi>
        ${chips.length > 0 ? " with these filters, on all pages:" : " of all time."}
      </p>
      ${chips.length > 0 && html`
        <div class="export-chips">
          ${chips.map((chip) => html`<${Chip} key=${chip.label} label=${chip.label} value=${chip.value} />`)}
          ${!timed && html`<${Chip} label="From" value="the beginning" />`}
        </div>
      `}
    </div>
  `;
}

function Formats({ format, onChange }) {
  return html`
    <fieldset class="choices">
      <legend class="field-label">Format</legend>
      ${FORMATS.map(({ value, label, note }) => html`
        <label key=${value} class="choice">
          <input
            type="radio"
            name="export-format"
            value=${value}
            checked=${format === value}
            onChange=${() => onChange(value)}
          />
          <span>
            <b>${label}</b>${" "}
            <span class="muted">${note}</span>
          </span>
        </label>
      `)}
    </fieldset>
  `;
}

function Notes() {
  return html`
    <p class="muted small">
      Personal data and credentials are masked by the team's settings.${" "}
      ${streamsToDisk()
        ? "You choose the file. It is written directly to the disk."
        : `This browser keeps exports in memory. They are limited to ${MAX_MEMORY_BYTES / 1024 / 1024} MB.`}
    </p>
  `;
}

function Progress({ state, format, filters, teamId }) {
  const { phase, progress, error, name } = state;
  const rows = plural(progress.rows, FORMATS.find(({ value }) => value === format).rows);
  const amount = `${rows}, ${formatBytes(progress.bytes)}`;
  if (phase === "failed") {
    return html`
      <${Failed}
        error=${error}
        amount=${progress.bytes > 0 ? amount : ""}
        command=${commandOf(teamId, exportQuery(filters, format))}
      />
    `;
  }
  if (phase === "choose") {
    return html`
      <p>
        The export is ready. Choose where to save <code>${name}</code>.
      </p>
    `;
  }
  if (phase === "done") {
    return html`
      <div class="export-state" role="status">
        <span class="status-icon status-completed">
          <${Icon} name="check" />
        </span>
        <p>
          <b>${progress.rows === 0 ? "The export contains no runs." : "The export is complete."}</b> ${amount}
          <br />
          <code>${name}</code>
        </p>
      </div>
    `;
  }
  return html`
    <div class="export-state">
      <progress class="export-bar" aria-label="Exporting"></progress>
      <p>
        <b class="export-amount">${progress.bytes > 0 ? amount : "Starting …"}</b>${" "}
        <span class="muted">so far. The total size is known at the end.</span>
      </p>
    </div>
  `;
}

const CAUSES = {
  cut:
    "The incomplete file was not kept. The server may have restarted, or the export may have reached a limit of the " +
    "gateway. Export a shorter time, for example one month.",
  large:
    "Nothing was saved. Choose a shorter time, use Chrome or Edge, which write directly to the disk, or use the " +
    "command line:",
  disk: "Nothing was saved.",
};

function Failed({ error, amount, command }) {
  const cause = CAUSES[error.reason];
  return html`
    <div class="export-state" role="alert">
      <span class="status-icon status-failed">
        <${Icon} name="failed" />
      </span>
      <div class="stack">
        <p>
          <b>${error.reason === "cut" ? "The export was cut off." : "The export failed."}</b>${" "}
          ${visible(error.message)}
          ${amount && ` ${amount} were received.`}
        </p>
        ${cause && html`<p class="muted">${cause}</p>`}
        ${error.reason === "large" && html`<${CodeBlock} code=${command} label="Command line" />`}
        ${error.status === 403 && html`
          <p class="muted">
            Exports need the permission EXECUTIONS_EXPORT. With a token that is limited to flows, filter by one of
            its flows.
          </p>
        `}
        ${error.requestId && html`
          <p class="muted small">
            Request <code>${error.requestId}</code>
          </p>
        `}
      </div>
    </div>
  `;
}
