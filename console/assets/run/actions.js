// Owns the actions on a run: cancel, pin, delete, download, copy its link. Each is shown only to
// callers with the permission for it.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { del, post, put } from "../api.js";
import { limits } from "../config.js";
import { formatCount, plural } from "../format.js";
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

/**
 * @param {{run: Object, session: import("../session.js").Session, reveal: boolean, onReveal: () => void,
 *   onChanged: () => void, onPinned: (pinned: boolean) => void}} props
 */
export function Actions({ run, session, reveal, onReveal, onChanged, onPinned }) {
  const [dialog, setDialog] = useState(null);
  const download = useDownload(run.flowExecutionId, reveal);
  const close = () => setDialog(null);
  const mayDownload = session.can("EXECUTIONS_EXPORT");
  return html`
    <div class="run-actions">
      ${session.can("EXECUTIONS_CANCEL") && isOpen(run.status) && html`
        <${Button} kind="danger" onClick=${() => setDialog("cancel")}>
          <${Glyph} name="stop" />Cancel
        <//>
      `}
      ${download.note && html`<span class="muted small" role="status">${download.note}</span>`}
      <${Popover}
        label="More actions"
        buttonClass="button button-plain button-icon"
        panelClass="run-menu"
        button=${html`<${Glyph} name="more" />`}
      >
        ${(closeMenu) => {
          const item = (glyph, text, act, note) => html`
            <button
              type="button"
              class="run-menu-item"
              onClick=${() => {
                closeMenu();
                act();
              }}
            >
              <${Glyph} name=${glyph} />
              <span>
                ${text}
                ${note && html`<small>${note}</small>`}
              </span>
            </button>
          `;
          return html`
            ${item("link", "Copy link", () => copyWith(location.href, "Link"))}
            ${item("run", "Copy id", () => copyWith(run.flowExecutionId, "Id"))}
            ${mayDownload &&
            item(
              "download",
              "Download as JSON",
              download.start,
              reveal ? "With all values that you see, including secrets" : "With its branches, as shown here",
            )}
            ${session.can("EXECUTIONS_REVEAL") &&
            item(
              "mask",
              reveal ? "Hide secrets" : "Show secrets",
              onReveal,
              reveal ? null : "Shows values that are [REDACTED:secret]. The audit records each view.",
            )}
            ${session.can("EXECUTIONS_PIN") &&
            !isOpen(run.status) &&
            item(
              "pin",
              run.pinned ? "Unpin" : "Pin",
              () => pin(run, onPinned),
              run.pinned ? "The run can expire again" : "Keeps the run beyond your team's retention",
            )}
            ${session.can("EXECUTIONS_DELETE") && item("trash", "Delete …", () => setDialog("delete"))}
          `;
        }}
      <//>
      ${dialog === "cancel" && html`<${CancelDialog} run=${run} onClose=${close} onDone=${onChanged} />`}
      ${dialog === "delete" && html`<${DeleteDialog} run=${run} session=${session} onClose=${close} />`}
    </div>
  `;
}

async function pin(run, onDone) {
  const path = `api/executions/${encodeURIComponent(run.flowExecutionId)}/pin`;
  try {
    await (run.pinned ? del(path) : put(path));
    toast(run.pinned ? "Run unpinned" : "Run pinned");
    onDone(!run.pinned);
  } catch (problem) {
    toast(problem.message, { kind: "bad" });
  }
}

async function copyWith(text, what) {
  toast((await copyText(text)) ? `${what} copied` : "The browser does not allow copying. Select the text and copy it.");
}

function CancelDialog({ run, onClose, onDone }) {
  const id = useId();
  const reason = useRef(null);
  const { busy, error, attempt } = useAttempt();
  const cancel = () =>
    attempt(
      async () => {
        const text = reason.current.value.trim();
        await post(`api/executions/${encodeURIComponent(run.flowExecutionId)}/cancel`, text ? { reason: text } : {});
        toast("Run cancelled");
        onDone();
        onClose();
      },
      (problem) => {
        if (problem.code !== "EXECUTION_NOT_CANCELLABLE") return problem.message;
        onDone();
        return `The run had already ended, so it was not cancelled. ${problem.message}`;
      },
    );
  return html`
    <${Dialog}
      title="Cancel this run?"
      onClose=${onClose}
      actions=${html`
        <${Button} onClick=${onClose}>Keep running<//>
        <${Button} kind="danger" disabled=${busy} onClick=${cancel}>${busy ? "Cancelling …" : "Cancel run"}<//>
      `}
    >
      <div class="stack">
        <p>
          The run and its open sub-flows become <strong>cancelled</strong> permanently. The engine learns this with
          its next write. A step that is running now may still finish its work.
        </p>
        <${Field}
          label="Reason (optional)"
          id=${id}
          error=${error}
          hint=${`Up to ${formatCount(limits().cancelReasonLength)} characters. The run and the audit show it.`}
        >
          <textarea
            ref=${reason}
            id=${id}
            class="input run-reason"
            maxlength=${limits().cancelReasonLength}
            rows="3"
            dir="auto"
            aria-describedby=${`${id}-note`}
          ></textarea>
        <//>
      </div>
    <//>
  `;
}

function DeleteDialog({ run, session, onClose }) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [cascade, setCascade] = useState(false);
  const { busy, error, attempt } = useAttempt();
  const runId = run.flowExecutionId;
  const remove = () =>
    attempt(async () => {
      await del(`api/history/executions/${encodeURIComponent(runId)}`, { query: { cascade: cascade || null } });
      toast("Run deleted");
      navigate(HOME, {}, { replace: true });
    });
  const limited = Boolean(session.caller.flows);
  return html`
    <${Dialog}
      title="Delete this run?"
      onClose=${onClose}
      actions=${html`
        <${Button} onClick=${onClose}>Cancel<//>
        <${Button} kind="danger" disabled=${busy || typed.trim() !== runId} onClick=${remove}>
          ${busy ? "Deleting …" : "Delete permanently"}
        <//>
      `}
    >
      <div class="stack">
        <p>Its steps and payloads are deleted permanently. This cannot be undone.</p>
        ${isOpen(run.status) && html`
          <p class="notice">
            This run is still open. Cancel it and wait until its engine stops: the engine's next write would create
            the run again.
          </p>
        `}
        <label class="run-check">
          <input
            type="checkbox"
            checked=${cascade}
            disabled=${limited}
            onChange=${(event) => setCascade(event.currentTarget.checked)}
          />
          <span>
            Also delete all sub-flows that it started, on all
            levels${limited && html`<small class="muted"> A token that is limited to flows cannot do this.</small>`}
          </span>
        </label>
        <${Field}
          label="Type or paste the run's id to confirm"
          id=${id}
          error=${error}
          hint=${html`<bdi class="mono">${runId}</bdi>`}
        >
          <input
            id=${id}
            class="input mono"
            autocomplete="off"
            spellcheck=${false}
            value=${typed}
            onInput=${(event) => setTyped(event.currentTarget.value)}
            aria-describedby=${`${id}-note`}
          />
        <//>
      </div>
    <//>
  `;
}

/** Runs one action at a time, and shows its error. */
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
      setNote("Loading the run …");
      const run = await wholeRun(
        runId,
        controller.current.signal,
        (count) => setNote(`Loading the run: ${plural(count, "step")}`),
        reveal,
      );
      save(
        new Blob([JSON.stringify(run, null, 2)], { type: "application/json" }),
        `run-${runId.replace(/[^\w.-]+/g, "_")}.json`,
      );
    } catch (problem) {
      if (problem.name !== "AbortError") toast(`The run could not be loaded: ${problem.message}`, { kind: "bad" });
    }
    setNote("");
  };
  return { note, start };
}
