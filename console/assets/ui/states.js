// Owns what is shown instead of content: loading, empty, not allowed, failed; and the banner above
// content that cannot be updated.
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Button } from "./controls.js";
import { useNow } from "./time.js";
import { visible } from "./visible.js";

/** @param {{icon?: string, title: string, children?: any, actions?: any}} props */
export function EmptyState({ icon = "inbox", title, children, actions }) {
  return html`
    <div class="empty">
      <span class="empty-icon">
        <${Icon} name=${icon} />
      </span>
      <h2>${title}</h2>
      <div class="empty-text">${children}</div>
      ${actions && html`<div class="empty-actions">${actions}</div>`}
    </div>
  `;
}

/** Grey placeholder lines for rows. @param {{rows?: number, label?: string}} props */
export function Loading({ rows = 8, label = "Loading" }) {
  return html`
    <div class="loading" role="status">
      <span class="hidden">${label}</span>
      ${Array.from({ length: rows }, (_, index) => html`<div class="skeleton" key=${index}></div>`)}
    </div>
  `;
}

const EXPLAINED = {
  403: { icon: "lock", title: "You do not have access to this" },
  404: { icon: "search", title: "Not found" },
  0: { icon: "offline", title: "The server does not answer" },
};

/**
 * An error instead of content.
 * @param {{error: import("../api.js").ApiError, retryAt?: ?number, onRetry?: () => void, actions?: any}} props
 */
export function ErrorState({ error, retryAt, onRetry, actions }) {
  const { icon, title } = EXPLAINED[error.status] ?? { icon: "warning", title: "The request failed" };
  return html`
    <div role="alert">
      <${EmptyState}
        icon=${icon}
        title=${title}
        actions=${html`
          ${onRetry && html`<${Button} onClick=${onRetry}>Try again<//>`}
          ${actions}
        `}
      >
        <p>${visible(error.message)}</p>
        ${retryAt && html`
          <p>
            <${Countdown} until=${retryAt} />
          </p>
        `}
        ${error.status === 403 && html`<p>Ask an admin of your team for a role, or for flows, that allow it.</p>`}
        ${error.requestId && html`
          <p class="muted small">
            Request <code>${error.requestId}</code>
          </p>
        `}
      <//>
    </div>
  `;
}

/** The number of seconds until the next attempt. @param {{until: number}} props */
function Countdown({ until }) {
  useNow(1000);
  const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
  return html`
    <span class="countdown" aria-hidden="true">
      ${seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again …"}
    </span>
  `;
}

/**
 * The banner above content that cannot be updated.
 * @param {{error: import("../api.js").ApiError, retryAt: ?number, onRetry: () => void}} props
 */
export function StaleBanner({ error, retryAt, onRetry }) {
  const gone = error.status === 0;
  return html`
    <div class="banner" role="status">
      <${Icon} name=${gone ? "offline" : "warning"} />
      <span class="banner-text">
        <strong>${gone ? "The server does not answer." : visible(error.message)}</strong> The data on this page is
        not up to date. ${retryAt && html`<${Countdown} until=${retryAt} />`}
      </span>
      <${Button} onClick=${onRetry}>Try now<//>
    </div>
  `;
}
