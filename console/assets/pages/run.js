// Owns the page of one run: combines its head, its views and the selected step.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { flowTitle, formatCount, plural } from "../format.js";
import { href, HOME } from "../router.js";
import { classes, html } from "../ui/html.js";
import { Tabs } from "../ui/controls.js";
import { useShortcuts } from "../ui/keys.js";
import { EmptyState, ErrorState, Loading, StaleBanner } from "../ui/states.js";
import { isOpen, statusLabel } from "../ui/status.js";
import { setTitle } from "../ui/title.js";
import { useAddress, zoomText } from "../run/address.js";
import { RunHeader } from "../run/header.js";
import { Inspector } from "../run/inspector.js";
import { visible } from "../run/json-model.js";
import { JsonTree } from "../run/json-tree.js";
import { OmittedPayloads, PayloadCache, runSource, usePayloads } from "../run/payloads.js";
import { RunPayloads } from "../run/run-payloads.js";
import { StepTable } from "../run/table.js";
import { Timeline } from "../run/timeline.js";
import { findStep, useRun } from "../run/use-run.js";

const LABELS = { timeline: "Timeline", table: "Table", context: "Context", raw: "Raw JSON" };

/**
 * @param {{params: {runId: string}, query: Object<string, string>, session: import("../session.js").Session}} props
 */
export default function Page({ params, query, session }) {
  const [revealed, setRevealed] = useState(null);
  const { runId } = params;
  const reveal = revealed === runId;
  // Another run is another page, so that no data of the previous run is shown.
  return html`
    <${RunPage}
      key=${`${reveal} ${runId}`}
      runId=${runId}
      query=${query}
      session=${session}
      reveal=${reveal}
      onReveal=${() => setRevealed(reveal ? null : runId)}
    />
  `;
}

function RunPage({ runId, query, session, reveal, onReveal }) {
  const address = useAddress(runId, query);
  const [payloads] = useState(() => new PayloadCache());
  const run = useRun(runId, address, reveal);
  const { metadata, poll } = run;
  useEffect(() => scrollTo({ top: 0 }), []);
  useEffect(() => {
    if (metadata) {
      setTitle(`${statusLabel(metadata.status)}: ${visible(flowTitle(metadata.flowName, metadata.flowDefinitionId))}`);
    }
  }, [metadata?.status]);
  const { error } = poll;
  if (!metadata && error) return html`<${Failed} error=${error} poll=${poll} runId=${runId} />`;
  if (!metadata) {
    return html`
      <section class="page">
        <${Loading} rows=${10} label="Loading the run" />
      </section>
    `;
  }
  if (error && (error.status === 404 || error.status === 403)) {
    return html`<${Failed} error=${error} poll=${poll} runId=${runId} wasHere=${true} />`;
  }
  const isShown = address.view === "timeline" && address.step === run.cause?.key;
  const showCause =
    run.cause &&
    !isShown &&
    (() => {
      run.openKeys(run.cause.open);
      address.change({ step: run.cause.key, view: "" });
    });
  return html`
    <section class=${classes("page run-page", `run-view-${address.view}`)} aria-label="Run">
      ${error && html`<${StaleBanner} error=${error} retryAt=${poll.retryAt} onRetry=${poll.reload} />`}
      <${RunHeader}
        run=${metadata}
        session=${session}
        reveal=${reveal}
        onReveal=${onReveal}
        onChanged=${poll.reload}
        onPinned=${(pinned) => run.model.root.setPinned(pinned)}
        cause=${run.cause}
        onCause=${showCause}
        warnings=${run.model.root.warnings}
        live=${isOpen(metadata.status) && html`<${Live} error=${error} reveal=${reveal} />`}
      />
      <${RunPayloads} store=${run.model.root} cache=${payloads} />
      <${Tabs}
        label="Views of this run"
        current=${address.view}
        tabs=${Object.entries(LABELS).map(([id, label]) => ({ id, label, href: address.viewHref(id) }))}
      />
      <${View} run=${run} address=${address} session=${session} payloads=${payloads} onCause=${showCause} />
    </section>
  `;
}

function Failed({ error, poll, runId, wasHere }) {
  const back = html`<a class="button button-plain" href=${href(HOME)}>All runs</a>`;
  if (error.status === 404) {
    return html`
      <${EmptyState} icon="search" title=${wasHere ? "This run no longer exists" : "Run not found"} actions=${back}>
        <p>
          ${wasHere
            ? "It was deleted or it expired."
            : "Check the id. The run may also have been deleted, have expired, or belong to another team."}
        </p>
        <p>
          <bdi class="mono">${runId}</bdi>
        </p>
      <//>
    `;
  }
  return html`
    <${ErrorState} error=${error} retryAt=${poll.retryAt} onRetry=${poll.reload} actions=${back} />
  `;
}

function Live({ error, reveal }) {
  if (reveal) {
    return html`
      <span class="live" title="Each update would be recorded in the audit as another view of the secrets">
        Not updated while secrets are shown
      </span>
    `;
  }
  return html`
    <span
      class=${classes("live", error ? "live-off" : "live-on")}
      title=${error ? "Updates have stopped" : "Updates automatically"}
    >
      <span class="live-dot" aria-hidden="true"></span>
      ${error ? "Offline" : "Live"}
    </span>
  `;
}

function View({ run, address, session, payloads, onCause }) {
  const { model } = run;
  const { view } = address;
  const raw = useMemo(() => (view === "raw" ? [{ name: "Run", value: rawOf(model.root) }] : []), [view, model.version]);
  if (view === "context") return html`<${Context} store=${model.root} cache=${payloads} />`;
  if (view === "raw") {
    return html`
      <div class="run-json">
        ${!model.root.complete && html`<p class="muted small" role="status">${progressOf(model.root)}</p>`}
        ${omitsPayloads(model.root) && html`
          <p class="muted small">
            Long payloads are not shown here: omittedPayloads has their
            sizes.${session.can("EXECUTIONS_EXPORT") && " The download contains them."}
          </p>
        `}
        <${JsonTree} roots=${raw} label="Raw JSON" id="raw" />
      </div>
    `;
  }
  return html`
    <${Steps} run=${run} address=${address} session=${session} payloads=${payloads} onCause=${onCause} />
  `;
}

function Context({ store, cache }) {
  const name = "resolvedFinalContextData";
  const { values, ...payloads } = usePayloads(runSource(store, name), cache);
  const context = values[name];
  const roots = useMemo(() => [{ name: "Context", value: context }], [context]);
  const open = isOpen(store.metadata.status);
  if (context === null && Object.keys(payloads.omitted).length + payloads.warnings.length === 0) {
    return html`
      <${EmptyState} title=${open ? "No context yet" : "No context recorded"}>
        <p>
          ${open
            ? "An engine writes the resolved context when a run ends."
            : "The engine wrote no resolved context at the end of this run."}
        </p>
      <//>
    `;
  }
  return html`
    <div class="run-json">
      <${OmittedPayloads} ...${payloads} />
      ${context !== null && html`<${JsonTree} roots=${roots} label="Context" id="context" />`}
    </div>
  `;
}

const rawOf = ({ metadata, steps, payloads, omitted }) => ({
  metadata,
  input: payloads.input,
  output: payloads.output,
  executionData: payloads.executionData,
  steps: steps.map(({ begin, end, ...step }) => step),
  resolvedFinalContextData: payloads.resolvedFinalContextData,
  ...(hasAny(omitted) ? { omittedPayloads: omitted } : {}),
});

const hasAny = (object) => Object.keys(object).length > 0;
const omitsPayloads = ({ steps, omitted }) => hasAny(omitted) || steps.some((step) => step.omittedPayloads);

function progressOf({ complete, steps, metadata }) {
  if (complete) return "";
  const total = Number(metadata.stepSummary?.total);
  return total > steps.length
    ? `Loading: ${formatCount(steps.length)} of about ${formatCount(total)} steps …`
    : `Loading: ${plural(steps.length, "step")} so far …`;
}

function Steps({ run, address, session, payloads, onCause }) {
  const { model, rows, domain, present } = run;
  const split = useRef(null);
  const select = (key, byPointer) => {
    address.change({ step: key ?? "" });
    if (key === null) split.current.querySelector("[role=tree], [role=treegrid]")?.focus({ preventScroll: true });
    // On narrow screens the panel of the step is below the visible part of the page.
    if (key && byPointer && matchMedia("(max-width: 1000px)").matches) {
      requestAnimationFrame(() => split.current.querySelector(".inspector")?.scrollIntoView({ block: "start" }));
    }
  };
  useShortcuts({ Escape: () => address.step && select(null) });
  if (rows.length === 0 && model.root.complete) {
    const open = isOpen(run.metadata.status);
    return html`
      <${EmptyState} title=${open ? "No step has started yet" : "This run has no steps"}>
        <p>
          ${open ? "Steps appear here as soon as the engine writes them." : "The engine wrote no steps for this run."}
        </p>
      <//>
    `;
  }
  const loading = progressOf(model.root) || (rows.length > 500 ? plural(rows.length, "row") : "");
  const pending = model.isPending;
  const shared = {
    rows,
    selected: address.step,
    loading,
    live: isOpen(run.metadata.status),
    complete: !pending,
    onSelect: select,
    onToggle: run.toggle,
  };
  const found = findStep(model, address.step);
  return html`
    <div class=${classes("run-split", address.step && "run-split-on")} ref=${split}>
      ${address.view === "table"
        ? html`<${StepTable} ...${shared} start=${domain.start} />`
        : html`
          <${Timeline}
            ...${shared}
            domain=${domain}
            present=${present}
            zoom=${address.zoom}
            label="Steps of this run"
            allOpen=${run.allOpen}
            cause=${run.cause}
            onCause=${onCause}
            onZoom=${(view) => address.change({ zoom: zoomText(view) })}
            onAll=${run.toggleAll}
          />
        `}
      ${address.step && html`
        <${Inspector}
          found=${found}
          stepKey=${address.step}
          start=${domain.start}
          loading=${pending}
          session=${session}
          reveal=${model.reveal}
          payloads=${payloads}
          link=${location.href}
          onClose=${() => select(null)}
        />
      `}
    </div>
  `;
}
