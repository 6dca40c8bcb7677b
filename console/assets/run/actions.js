// Owns what can be done with a run: cancel, pin, delete, take along as a file, copy its link.
// Each is there for who may do it.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { del, post, put } from "../api.js";
import { plural } from "../format.js";
import { HOME, navigate } from "../router.js";
import { html } from "../ui/html.js";
import { Button, copyText, Field } from "../ui/controls.js";
import { Dialog } from "../ui/dialog.js";
import { Popover } from "../ui/menu.js";
import { save } from "../ui/save.js";
import { isOpen } from "../ui/status.js";
import { toast } from "../ui/toast.js";
import { wholeRun } from "./data.js";
import { Glyph } from "./glyphs.js";

/** @param {{run: Object, session: import("../session.js").Session, reveal: boolean, onReveal: () => void, onChanged: () => void, onPinned: (pinned: boolean) => void}} props */
export function Actions({ run, session, reveal, onReveal, onChanged, onPinned }) {
  const [dialog, setDialog] = useState(null);
  const download = useDownload(run.flowExecutionId, reveal);
  const close = () => setDialog(null);
  const mayDownload = session.can("EXECUTIONS_EXPORT");
  return html`<div class="run-actions">
    ${session.can("EXECUTIONS_CANCEL") && isOpen(run.status) && html`<${Button} kind="danger" onClick=${() => setDialog("cancel")}><${Glyph} name="stop" />Cancel<//>`}
    ${download.note && html`<span class="muted small" role="status">${download.note}</span>`}
    <${Popover} label="More actions" buttonClass="button button-plain button-icon" panelClass="run-menu" button=${html`<${Glyph} name="more" />`}>
      ${(closeMenu) => {
        const item = (glyph, text, act, note) => html`<button type="button" class="run-menu-item" onClick=${() => { closeMenu(); act(); }}>
          <${Glyph} name=${glyph} /><span>${text}${note && html`<small>${note}</small>`}</span></button>`;
        return html`${item("link", "Copy link", () => copyWith(location.href, "The link"))}
          ${item("run", "Copy id", () => copyWith(run.flowExecutionId, "The id"))}
          ${mayDownload && item("download", "Download as JSON", download.start, reveal ? "With the values as you see them: secrets, too." : "With its branches, as you see it.")}
          ${session.can("EXECUTIONS_REVEAL") && item("mask", reveal ? "Hide secrets" : "Show secrets", onReveal, reveal ? null : "What is [REDACTED:secret]. Each look is in the audit.")}
          ${session.can("EXECUTIONS_PIN") && !isOpen(run.status) && item("pin", run.pinned ? "Unpin" : "Pin", () => pin(run, onPinned), run.pinned ? "It may expire again." : "It stays, whatever your team's retention says.")}
          ${session.can("EXECUTIONS_DELETE") && item("trash", "Delete …", () => setDialog("delete"))}`;
      }}<//>
    ${dialog === "cancel" && html`<${CancelDialog} run=${run} onClose=${close} onDone=${onChanged} />`}
    ${dialog === "delete" && html`<${DeleteDialog} run=${run} session=${session} onClose=${close} />`}</div>`;
}

async function pin(run, onDone) {
  const path = `api/executions/${encodeURIComponent(run.flowExecutionId)}/pin`;
  try {
    await (run.pinned ? del(path) : put(path));
    toast(run.pinned ? "The run is unpinned." : "The run is pinned.");
    onDone(!run.pinned);
  } catch (problem) {
    toast(problem.message, { kind: "bad" });
  }
}

async function copyWith(text, what) {
  toast((await copyText(text)) ? `${what} is in the clipboard.` : "The browser does not allow copying.");
}

function CancelDialog({ run, onClose, onDone }) {
  const id = useId();
  const reason = useRef(null);
  const { busy, error, attempt } = useAttempt();
  const cancel = () => attempt(async () => {
    const text = reason.current.value.trim();
    await post(`api/executions/${encodeURIComponent(run.flowExecutionId)}/cancel`, text ? { reason: text } : {});
    toast("The run is cancelled.");
    onDone();
    onClose();
  }, (problem) => {
    if (problem.code !== "EXECUTION_NOT_CANCELLABLE") return problem.message;
    onDone();
    return `Too late: the run ended before your cancel arrived, and that end counts. ${problem.message}`;
  });
  return html`<${Dialog} title="Cancel this run?" onClose=${onClose} actions=${html`<${Button} onClick=${onClose}>Keep it running<//>
      <${Button} kind="danger" disabled=${busy} onClick=${cancel}>${busy ? "Cancelling …" : "Cancel the run"}<//>`}>
    <div class="stack"><p>The run and its open sub-flows become <strong>cancelled</strong>, for good. Its engine learns of it with its next write; what a step is doing at this moment may still be done.</p>
    <${Field} label="Reason (optional)" id=${id} error=${error} hint="Up to 500 characters. It stands in the run and in the audit.">
      <textarea ref=${reason} id=${id} class="input run-reason" maxlength="500" rows="3" dir="auto" aria-describedby=${`${id}-note`}></textarea><//></div><//>`;
}

function DeleteDialog({ run, session, onClose }) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [cascade, setCascade] = useState(false);
  const { busy, error, attempt } = useAttempt();
  const runId = run.flowExecutionId;
  const remove = () => attempt(async () => {
    await del(`api/history/executions/${encodeURIComponent(runId)}`, { query: { cascade: cascade || null } });
    toast("The run is deleted.");
    navigate(HOME, {}, { replace: true });
  });
  const limited = Boolean(session.caller.flows);
  return html`<${Dialog} title="Delete this run?" onClose=${onClose} actions=${html`<${Button} onClick=${onClose}>Keep it<//>
      <${Button} kind="danger" disabled=${busy || typed.trim() !== runId} onClick=${remove}>${busy ? "Deleting …" : "Delete for good"}<//>`}>
    <div class="stack"><p>Its steps and payloads are removed, for good. There is no way back.</p>
    ${isOpen(run.status) && html`<p class="notice">This run is still open. Cancel it first, and let its engine stop: an engine that writes it again makes it again.</p>`}
    <label class="run-check"><input type="checkbox" checked=${cascade} disabled=${limited} onChange=${(event) => setCascade(event.currentTarget.checked)} />
      <span>Delete the sub-flows that it started as well, on all levels${limited && html`<small class="muted"> Your token is limited to flows, and cannot.</small>`}</span></label>
    <${Field} label="Type or paste the run's id to confirm" id=${id} error=${error} hint=${html`<bdi class="mono">${runId}</bdi>`}>
      <input id=${id} class="input mono" autocomplete="off" spellcheck=${false} value=${typed} onInput=${(event) => setTyped(event.currentTarget.value)} aria-describedby=${`${id}-note`} /><//></div><//>`;
}

/** One thing at a time, and its error in words. */
function useAttempt() {
  const [state, setState] = useState({ busy: false, error: null });
  const attempt = async (act, explain = (problem) => problem.message) => {
    setState({ busy: true, error: null });
    try {
      await act();
      setState({ busy: false, error: null });
    } catch (problem) {
      setState({ busy: false, error: explain(problem) });
    }
  };
  return { ...state, attempt };
}

function useDownload(runId, reveal) {
  const [note, setNote] = useState("");
  const controller = useRef(null);
  useEffect(() => () => controller.current?.abort(), [runId]);
  const start = async () => {
    controller.current?.abort();
    controller.current = new AbortController();
    try {
      setNote("Reading the run …");
      const run = await wholeRun(runId, controller.current.signal, (count) => setNote(`Reading the run: ${plural(count, "step")}`), reveal);
      save(new Blob([JSON.stringify(run, null, 2)], { type: "application/json" }), `run-${runId.replace(/[^\w.-]+/g, "_")}.json`);
    } catch (problem) {
      if (problem.name !== "AbortError") toast(`The run could not be read: ${problem.message}`, { kind: "bad" });
    }
    setNote("");
  };
  return { note, start };
}
