// Owns the key figures of the Statistics page, each with its change from the previous period.
import { formatCount, formatDuration, percentText } from "../format.js";
import { href } from "../router.js";
import { classes, html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";

const share = (now, before) => (before ? (now - before) / before : null);

/**
 * `good` is the better direction: 1 more, -1 less, 0 neither; `counts` means that the number can be
 * a lower bound.
 */
const FIGURES = [
  { name: "Runs", value: (n) => n.total, text: formatCount, good: 0, counts: true },
  { name: "Success rate", value: (n) => n.rate, text: percentText, good: 1, points: true },
  { name: "Failed", value: (n) => n.failed, text: formatCount, good: -1, status: "FAILED", counts: true },
  { name: "Average", value: (n) => n.averageMs, text: formatDuration, good: -1 },
  { name: "p50", value: (n) => n.p50, text: formatDuration, good: -1, hint: "Half of the runs took at most this" },
  { name: "p95", value: (n) => n.p95, text: formatDuration, good: -1, hint: "95 % of the runs took at most this" },
  { name: "p99", value: (n) => n.p99, text: formatDuration, good: -1, hint: "99 % of the runs took at most this" },
];

/**
 * @param {{overview: Object, runsQuery: (status: string) => Object}} props
 */
export function Figures({ overview: { numbers, previous }, runsQuery }) {
  return html`
    <dl class="figures">
      ${FIGURES.map((figure) => html`
        <${Figure} key=${figure.name} figure=${figure} numbers=${numbers} previous=${previous} runsQuery=${runsQuery} />
      `)}
    </dl>
  `;
}

function Figure({ figure, numbers, previous, runsQuery }) {
  const value = figure.value(numbers);
  const text = `${figure.text(value)}${figure.counts && !numbers.exact ? "+" : ""}`;
  const leads = figure.name === "Runs" || (figure.status && value > 0);
  return html`
    <div class="card figure">
      <dt title=${figure.hint ?? null}>${figure.name}</dt>
      <dd>
        <span class=${classes("figure-value", figure.status && value > 0 && "figure-bad")}>
          ${leads
            ? html`
              <a
                href=${href("/runs", runsQuery(figure.status ?? ""))}
                aria-label=${`${text} runs${figure.status ? " failed" : ""}: show these runs`}
              >
                ${text}
              </a>
            `
            : text}
        </span>
        ${previous && html`<${Delta} figure=${figure} value=${value} before=${figure.value(previous)} />`}
      </dd>
    </div>
  `;
}

/** The change, shown by an arrow and words, not by colour alone. */
function Delta({ figure, value, before }) {
  const change = figure.points ? (value === null || before === null ? null : value - before) : share(value, before);
  const was = before === null || before === undefined ? "no runs" : figure.text(before);
  const title = `Previous period: ${was}`;
  if (change === null || value === null) {
    return html`<span class="delta muted" title=${title}>${before ? "" : "no earlier data"}</span>`;
  }
  const percent = Math.abs(change * 100);
  const rounded = percent >= 10 ? Math.round(percent) : Math.round(percent * 10) / 10;
  if (rounded === 0) return html`<span class="delta muted" title=${title}>unchanged</span>`;
  const better = figure.good === 0 ? null : Math.sign(change) === figure.good;
  return html`
    <span class=${classes("delta", better === true && "delta-good", better === false && "delta-bad")} title=${title}>
      <${Icon} name="up" class=${change < 0 ? "turned" : ""} />
      <span class="hidden">${change > 0 ? "up" : "down"} by </span>
      ${formatCount(rounded)}
      ${figure.points ? " points" : " %"}
      ${better !== null && html`<span class="hidden">, ${better ? "better" : "worse"} than the previous period</span>`}
    </span>
  `;
}
