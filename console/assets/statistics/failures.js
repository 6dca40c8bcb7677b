// Owns the list of a step's failures: each is a link to its run, with the step selected.
import { formatExact, plural, timeTitle } from "../format.js";
import { href, runPath } from "../router.js";
import { html } from "../ui/html.js";
import { Button } from "../ui/controls.js";
import { Dialog } from "../ui/dialog.js";
import { visible, visibleLines } from "../ui/visible.js";

/** The key of a step in the address. @param {Object} step of fetchSteps */
export const stepKey = (step) => step.stepId ?? `${step.name} ${step.action ?? ""}`.trim();

/**
 * @param {{step: Object, caption: string, flowFailures: {href: string, count: number, exact: boolean},
 *   onClose: () => void}} props
 *   `caption` names the runs; `flowFailures`: all failed runs of the flow, regardless of the step
 */
export function StepFailures({ step, caption, flowFailures, onClose }) {
  const { failures, failed } = step;
  const which =
    failures.length < failed
      ? `The newest ${failures.length} of ${plural(failed, "failure")}`
      : plural(failed, "failure");
  return html`
    <${Dialog}
      title=${`Failures of ${visible(step.name)}`}
      onClose=${onClose}
      actions=${html`
        <a class="button button-plain" href=${flowFailures.href}>
          ${`All ${plural(flowFailures.count, "failed run")}${flowFailures.exact ? "" : "+"} of the flow in this time`}
        </a>
        <${Button} kind="primary" onClick=${onClose}>Close<//>
      `}
    >
      <div class="stack">
        <p class="muted">${which}, ${caption}. Each is a link to its run.</p>
        <ol class="step-failures">
          ${failures.map((failure, index) => html`
            <li key=${index}>
              <a href=${href(runPath(failure.executionId))}>
                <time datetime=${failure.startTime} title=${timeTitle(failure.startTime)}>
                  ${formatExact(failure.startTime)}
                </time>
                <bdi class="step-failure-text" title=${visibleLines(failure.errorMessage)}>
                  ${visible(failure.errorMessage) || "No message"}
                </bdi>
              </a>
            </li>
          `)}
        </ol>
      </div>
    <//>
  `;
}
