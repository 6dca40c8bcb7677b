// Owns the panel of the selected step: its error, its facts and its payloads.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { href, runPath } from "../router.js";
import { formatCount, formatExact, plural, timeTitle } from "../format.js";
import { html } from "../ui/html.js";
import { Button, CopyButton } from "../ui/controls.js";
import { Icon } from "../ui/icons.js";
import { isOpen, StatusBadge } from "../ui/status.js";
import { Duration } from "../ui/time.js";
import { ErrorText } from "./error-text.js";
import { JsonTree } from "./json-tree.js";
import { OmittedPayloads, NAMES, stepSource, unsearched, usePayloads } from "./payloads.js";
import { visible } from "./json-model.js";
import { nameOf } from "./rows.js";
import { offsetLabel } from "./scale.js";

/**
 * @param {{found: ?{step: import("./data.js").Step, runId: string, branch: ?Object}, stepKey: string,
 *   start: number, loading: boolean, link: string, session: import("../session.js").Session, reveal: boolean,
 *   payloads: import("./payloads.js").PayloadCache, onClose: () => void}} props
 */
export function Inspector({ found, stepKey, start, loading, link, session, reveal, payloads, onClose }) {
  const root = useRef(null);
  const keys = (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    onClose();
  };
  useEffect(() => {
    // Another step starts at its error and its facts.
    root.current.scrollTop = 0;
  }, [stepKey]);
  if (!found) {
    return html`
      <aside class="inspector" ref=${root} aria-label="Step" onKeyDown=${keys}>
        <${Head} title=${loading ? "Loading the step …" : "Step not found"} onClose=${onClose} />
        ${!loading && html`
          <p class="inspector-pad muted">
            The address names a step that is not in any expanded part of this run. Expand the branch or sub-flow
            that contains it.
          </p>
        `}
      </aside>
    `;
  }
  const { step } = found;
  return html`
    <aside class="inspector" ref=${root} aria-label=${`Step ${nameOf(step)}`} onKeyDown=${keys}>
      <${Head} title=${nameOf(step)} status=${step.status} link=${link} onClose=${onClose} />
      ${step.errorMessage && html`
        <${ErrorText} text=${step.errorMessage} title=${step.status === "FAILED" ? "Error" : "Reported error"} />
      `}
      <${Facts} found=${found} start=${start} />
      <${Payloads} found=${found} stepKey=${stepKey} session=${session} reveal=${reveal} cache=${payloads} />
    </aside>
  `;
}

function Head({ title, status, link, onClose }) {
  return html`
    <header class="inspector-head">
      <h2>
        <bdi>${title}</bdi>
      </h2>
      ${status && html`<${StatusBadge} status=${status} />`}
      <span class="inspector-end">
        ${link && html`<${CopyButton} text=${link} label="Copy a link to this step" />`}
        <${Button} kind="quiet" icon="close" label="Close (Esc)" onClick=${onClose} />
      </span>
    </header>
  `;
}

function Facts({ found, start }) {
  const { step, branch, lane, runId } = found;
  const offset = step.begin === null ? null : offsetLabel(step.begin - start);
  return html`
    <dl class="run-facts inspector-facts">
      <${Fact} name="Type">
        ${step.stepType && html`<bdi class="mono">${step.stepType}</bdi>`}
      <//>
      <${Fact} name="Duration">
        <${Duration}
          ms=${step.durationMs ?? (step.end === null ? null : step.end - step.begin)}
          since=${step.startTime}
          open=${step.status === "RUNNING"}
        />
      <//>
      <${Fact} name="Attempts">
        ${step.retryCount === null
          ? null
          : step.retryCount > 0
            ? html`
              <strong>${formatCount(step.retryCount + 1)}</strong> (${plural(step.retryCount, "retry", "retries")})
            `
            : "1"}
      <//>
      <${Fact} name="Started" wide>
        ${step.startTime && html`
          <${Exact} at=${step.startTime} />
          ${offset && html` <span class="muted">at ${offset}</span>`}
        `}
      <//>
      <${Fact} name="Ended" wide>
        ${step.endTime ? html`<${Exact} at=${step.endTime} />` : isOpen(step.status) ? "not yet" : null}
      <//>
      ${branch && html`
        <${Fact} name="Branch">
          <bdi title=${branch.id}>${visible(lane)}</bdi>
        <//>
      `}
      ${step.subflowExecutionId && html`
        <${Fact} name="Sub-flow">
          <a href=${href(runPath(step.subflowExecutionId))}>
            Open run <${Icon} name="external" />
          </a>
        <//>
      `}
      <${Fact} name="Step id" wide>
        <bdi class="mono">${step.stepId ?? "—"}</bdi>
        ${step.stepId && html`<${CopyButton} text=${step.stepId} label="Copy the step's id" />`}
      <//>
      <${Fact} name="Instance" wide>
        <bdi class="mono fact-id" title=${`${step.stepInstanceId}\nRun ${runId}`}>${step.stepInstanceId}</bdi>
        <${CopyButton} text=${step.stepInstanceId} label="Copy the id of this instance" />
      <//>
    </dl>
  `;
}

/** @param {{name: string, wide?: boolean, children: any}} props */
export function Fact({ name, wide, children }) {
  const empty = children === null || children === undefined || children === false || children === "";
  return html`
    <div class=${wide ? "fact-wide" : null}>
      <dt>${name}</dt>
      <dd>
        ${empty ? html`<span class="none">—</span>` : children}
      </dd>
    </div>
  `;
}

/** A time to the millisecond; both zones in the tooltip. @param {{at: string}} props */
export function Exact({ at }) {
  return html`<time datetime=${at} title=${timeTitle(at)}>${formatExact(at)}</time>`;
}

function Payloads({ found, stepKey, session, reveal, cache }) {
  const { step } = found;
  const payloads = usePayloads(stepSource(found, reveal), cache);
  const { input, output, executionData } = payloads.values;
  const roots = useMemo(
    () =>
      Object.entries({ input, output, executionData })
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => ({ name: NAMES[name], value })),
    [input, output, executionData],
  );
  const open = isOpen(step.status);
  const here = [...roots.map(({ name }) => name), ...Object.keys(payloads.omitted).map((name) => NAMES[name])];
  if (here.length + payloads.warnings.length === 0) {
    return html`
      <p class="inspector-pad muted">${open ? "No input recorded yet." : "This step has no input, output or data."}</p>
    `;
  }
  const missing = ["Input", "Output", "Data"].filter((name) => !here.includes(name)).map((name) => name.toLowerCase());
  return html`
    <${OmittedPayloads} ...${payloads} />
    ${roots.length > 0 && html`
      <${JsonTree}
        roots=${roots}
        label="Input and output"
        id=${`${stepKey} ${payloads.loaded}`}
        unsearched=${unsearched(payloads)}
      />
    `}
    <p class="inspector-note">
      ${missing.length > 0 && `No ${missing.join(" and no ")} ${open ? "yet" : "recorded"}. `}
      ${!session.can("EXECUTIONS_REVEAL") && "Your role does not allow you to see secret values."}
    </p>
  `;
}
