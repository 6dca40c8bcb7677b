// Owns the common cells of the tables on the Statistics page: a rate and a number of failures.
import { formatCount, percentText } from "../format.js";
import { html } from "../ui/html.js";

/** A success rate with its bar. @param {?number} rate 0 to 1 */
export function RateCell({ rate }) {
  return html`
    <span class="rate-cell">
      ${rate !== null && html`
        <span class="rate-bar" aria-hidden="true">
          <span style=${{ width: `${rate * 100}%` }}></span>
        </span>
      `}
      ${percentText(rate)}
    </span>
  `;
}

/**
 * A number of failures, as a link to them if there are any.
 * @param {{count: number, href: string, of: string}} props
 */
export function FailedCell({ count, href, of }) {
  const text = formatCount(count);
  if (count === 0) return text;
  return html`
    <span class="figure-bad">
      <a href=${href} aria-label=${`${text} failed ${of}`}>${text}</a>
    </span>
  `;
}
