// Owns the dialog that exports the runs of a list: what will be in the file, its format,
// how far it is, and how it ended.
import { useEffect, useRef, useState } from "preact/hooks";
import { formatBytes, plural } from "../format.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button, Chip, CodeBlock } from "../ui/controls.js";
import { Dialog } from "../ui/dialog.js";
import { activeFilters } from "../runs/filters.js";
import { suggestions } from "../runs/data.js";
import { beginExport, chooseFile, memoryFile, MOST_IN_MEMORY, readExport, streamsToDisk } from "./download.js";
import { commandOf, exportQuery } from "./parameters.js";

const FORMATS = [
  { value: "csv", label: "CSV", note: "a row for each step, for spreadsheets", rows: "row" },
  { value: "json", label: "JSON", note: "a run on each line, with its steps", rows: "run" },
];
const IDLE = { phase: "form", progress: { bytes: 0, rows: 0 }, error: null, name: "" };

/**
 * @param {{session: import("../session.js").Session, filters: import("../runs/filters.js").Filters, onClose: () => void}} props
 *   `filters` are those of the Runs page's address (parseFilters)
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
  return html`<${Dialog} title="Export runs" onClose=${close} actions=${html`<${Actions} phase=${phase} start=${start} choose=${choose} cancel=${cancel} again=${again} onClose=${onClose} />`}>
    <div class="stack export">${phase === "form" ? html`<${What} session=${session} filters=${filters} /><${Formats} format=${format} onChange=${setFormat} /><${Notes} />`
      : html`<${Progress} state=${state} format=${format} filters=${filters} teamId=${session.caller.teamId} />`}</div><//>`;
}

function Actions({ phase, start, choose, cancel, again, onClose }) {
  if (phase === "form") return html`<${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" onClick=${start}>Export<//>`;
  if (phase === "choose") return html`<${Button} onClick=${cancel}>Cancel<//><${Button} kind="primary" onClick=${choose}>Choose a file<//>`;
  if (phase === "running") return html`<${Button} onClick=${cancel}>Cancel the export<//>`;
  if (phase === "failed") return html`<${Button} onClick=${again}>Back<//><${Button} kind="primary" onClick=${start}>Try again<//>`;
  return html`<${Button} kind="primary" onClick=${onClose}>Close<//>`;
}

/** The request, the file and how far it is. Who closes the page ends it. */
function useExport(teamId, filters, format) {
  const [state, setState] = useState(IDLE);
  const run = useRef({ controller: null, begun: null });
  useEffect(() => () => run.current.controller?.abort(), []);
  useLeaveWarning(state.phase === "running");
  const fail = (error) => setState((old) => (error.name === "AbortError" ? { ...IDLE } : { ...old, phase: "failed", error }));
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
    const progress = await readExport(run.current.begun, file, signal, onProgress);
    setState((old) => ({ ...old, phase: "done", progress }));
  };
  const pick = async (signal) => write(await chooseFile(run.current.begun.name), signal);
  const begin = async (signal) => {
    const begun = await beginExport(teamId, exportQuery(filters, format), signal);
    run.current.begun = begun;
    setState((old) => ({ ...old, name: begun.name }));
    if (!streamsToDisk()) return write(memoryFile(begun.name), signal);
    try {
      await pick(signal);
    } catch (error) {
      // The server took so long that the browser has forgotten the click: it wants another.
      if (error.name !== "SecurityError") throw error;
      setState((old) => ({ ...old, phase: "choose" }));
    }
  };
  const start = () => {
    run.current = { controller: new AbortController(), begun: null };
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

/** Which runs the file will have. */
function What({ session, filters }) {
  const nameOf = (id) => suggestions(session.caller.flows).flows.find((flow) => flow.value === id)?.label ?? id;
  const chips = activeFilters(filters, nameOf);
  const timed = filters.range || filters.from;
  return html`<div class="export-what"><p>All runs of team <bdi><b>${session.caller.teamId}</b></bdi>${chips.length > 0 ? " with these filters, on all pages:" : ", from all time."}</p>
    ${chips.length > 0 && html`<div class="export-chips">${chips.map((chip) => html`<${Chip} key=${chip.label} label=${chip.label} value=${chip.value} />`)}
      ${!timed && html`<${Chip} label="From" value="the beginning" />`}</div>`}</div>`;
}

function Formats({ format, onChange }) {
  return html`<fieldset class="choices"><legend class="field-label">Format</legend>${FORMATS.map(({ value, label, note }) => html`
    <label key=${value} class="choice"><input type="radio" name="export-format" value=${value} checked=${format === value} onChange=${() => onChange(value)} />
      <span><b>${label}</b> <span class="muted">${note}</span></span></label>`)}</fieldset>`;
}

function Notes() {
  return html`<p class="muted small">Personal data and credentials are masked, as the team's settings say. ${streamsToDisk()
    ? "You choose the file, and it is written as it comes."
    : `This browser cannot write to the disk as it comes: an export of up to ${MOST_IN_MEMORY / 1024 / 1024} MB is possible here.`}</p>`;
}

function Progress({ state, format, filters, teamId }) {
  const { phase, progress, error, name } = state;
  const rows = plural(progress.rows, FORMATS.find(({ value }) => value === format).rows);
  const amount = `${rows}, ${formatBytes(progress.bytes)}`;
  if (phase === "failed") return html`<${Failed} error=${error} amount=${progress.bytes > 0 ? amount : ""} command=${commandOf(teamId, exportQuery(filters, format))} />`;
  if (phase === "choose") return html`<p>The export is ready to be written. Choose where <code>${name}</code> is to be.</p>`;
  if (phase === "done") {
    return html`<div class="export-state" role="status"><span class="status-icon status-completed"><${Icon} name="check" /></span>
      <p><b>${progress.rows === 0 ? "The export has no runs." : "The export is complete."}</b> ${amount}<br /><code>${name}</code></p></div>`;
  }
  return html`<div class="export-state"><progress class="export-bar" aria-label="Exporting"></progress>
    <p><b class="export-amount">${progress.bytes > 0 ? amount : "Starting …"}</b> <span class="muted">so far; how much there is, is known at the end.</span></p></div>`;
}

const CAUSES = {
  cut: "What came before it is not kept, so that nobody takes a part for the whole. The server may have been restarted, or the export may have reached a limit of its gateway: export less at a time, a month for example.",
  large: "Nothing was saved. Choose a shorter time, use Chrome or Edge, which write to the disk as it comes, or the command line:",
  disk: "Nothing was saved.",
};

function Failed({ error, amount, command }) {
  const cause = CAUSES[error.reason];
  return html`<div class="export-state" role="alert"><span class="status-icon status-failed"><${Icon} name="failed" /></span>
    <div class="stack"><p><b>${error.reason === "cut" ? "The export was cut off." : "The export failed."}</b> ${error.message}${amount && ` ${amount} had come.`}</p>
      ${cause && html`<p class="muted">${cause}</p>`}
      ${error.reason === "large" && html`<${CodeBlock} code=${command} label="Command line" />`}
      ${error.status === 403 && html`<p class="muted">Exports take the permission EXECUTIONS_EXPORT; a token that is limited to flows has to name one of them.</p>`}
      ${error.requestId && html`<p class="muted small">Request <code>${error.requestId}</code></p>`}</div></div>`;
}
