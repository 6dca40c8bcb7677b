// Owns the tokens section of Settings: the team's tokens, their expiry, and revoking them.
import { useState } from "preact/hooks";
import { del, get } from "../api.js";
import { limits, tokenDelay } from "../config.js";
import { formatCount, now, parseTime, plural } from "../format.js";
import { signOut } from "../session.js";
import { classes, html } from "../ui/html.js";
import { Button, CopyButton } from "../ui/controls.js";
import { EmptyState, ErrorState, Loading } from "../ui/states.js";
import { RelativeTime } from "../ui/time.js";
import { toast } from "../ui/toast.js";
import { visible } from "../ui/visible.js";
import { Confirm, FormError } from "./forms.js";
import { FutureTime } from "./moment.js";
import { usePages } from "./pages.js";
import { NewToken } from "./token-new.js";

const PAGE = 100;

async function load(nextToken, signal) {
  const { tokens, nextToken: next } = await get("api/tokens", { query: { limit: PAGE, nextToken }, signal });
  return { items: tokens, nextToken: next };
}

const isOwn = (token, session) => session.caller.principal === `token:${token.id}`;

/** @param {{session: import("../session.js").Session}} props */
export default function Tokens({ session }) {
  const list = usePages(load, "tokens");
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState(null);
  const revoked = (token) => {
    setRevoking(null);
    list.update((items) => items.map((item) => (item.id === token.id ? token : item)));
    if (isOwn(token, session)) signOut("You revoked the token that you were signed in with.");
    else toast(`The token ${token.name || token.id} is revoked. It stops working ${tokenDelay()}.`);
  };
  const addToken = (token) => list.update((items) => [token, ...items]);
  return html`
    <header class="section-head">
      <div>
        <h2>Tokens</h2>
        <p class="muted">
          People and programs sign in with tokens. Revoked tokens stay in this list
          for ${plural(limits().revokedTokenDays, "day")}.
        </p>
      </div>
      <${Button} kind="primary" onClick=${() => setCreating(true)}>New token<//>
    </header>
    <${List} list=${list} session=${session} onRevoke=${setRevoking} onNew=${() => setCreating(true)} />
    ${creating && html`<${NewToken} session=${session} onCreated=${addToken} onClose=${() => setCreating(false)} />`}
    ${revoking && html`
      <${Revoke}
        token=${revoking}
        own=${isOwn(revoking, session)}
        onDone=${revoked}
        onClose=${() => setRevoking(null)}
      />
    `}
  `;
}

function List({ list, session, onRevoke, onNew }) {
  if (!list.items) {
    return list.error
      ? html`<${ErrorState} error=${list.error} onRetry=${list.reload} />`
      : html`<${Loading} rows=${6} label="Loading tokens" />`;
  }
  if (list.items.length === 0) {
    return html`
      <${EmptyState}
        icon="lock"
        title="No tokens yet"
        actions=${html`<${Button} kind="primary" onClick=${onNew}>New token<//>`}
      >
        <p>You signed in with your identity provider. Programs need a token.</p>
      <//>
    `;
  }
  return html`
    <div class="card scroll" tabindex="0" role="region" aria-label="Tokens, table">
      <table class="grid tokens">
        <caption class="hidden">Tokens, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Flows</th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">Expires</th>
            <th scope="col">
              <span class="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          ${list.items.map((token) => html`
            <${Row} key=${token.id} token=${token} own=${isOwn(token, session)} onRevoke=${onRevoke} />
          `)}
        </tbody>
      </table>
    </div>
    <${FormError} error=${list.error} />
    ${list.more && html`
      <p class="more">
        <${Button} disabled=${list.loading} onClick=${list.loadMore}>
          ${list.loading ? "Loading …" : "Load older tokens"}
        <//>
      </p>
    `}
  `;
}

function Row({ token, own, onRevoke }) {
  const expired = token.expiresAt && parseTime(token.expiresAt) < now();
  const ended = Boolean(token.revokedAt || expired);
  return html`
    <tr class=${classes(ended && "ended")}>
      <th scope="row">
        <bdi class="token-name">${visible(token.name) || "No name"}</bdi>
        ${own && html` <span class="tag tag-own">Your token</span>`}
        <span class="token-id muted">
          <code>${token.id}</code>
          <${CopyButton} text=${token.id} label="Copy the token's id" />
        </span>
      </th>
      <td>
        <code>${visible(token.role)}</code>
      </td>
      <td>
        ${token.flows
          ? html`<${Flows} flows=${token.flows} />`
          : html`<span class="muted">All</span>`}
      </td>
      <td>
        <${RelativeTime} at=${token.createdAt} />
        ${token.createdBy && html`
          <bdi class="by muted" title=${visible(token.createdBy)}>${visible(token.createdBy)}</bdi>
        `}
      </td>
      <td>
        ${token.lastUsedAt
          ? html`<${RelativeTime} at=${token.lastUsedAt} />`
          : html`<span class="muted">Never</span>`}
      </td>
      <td>
        ${token.revokedAt
          ? html`
            <span class="tag tag-bad">Revoked</span>${" "}
            <${RelativeTime} at=${token.revokedAt} />
          `
          : expired
            ? html`<span class="tag tag-bad">Expired</span>`
            : token.expiresAt
              ? html`<${FutureTime} at=${token.expiresAt} />`
              : html`<span class="muted">Never</span>`}
      </td>
      <td class="num">
        ${!ended && html`
          <${Button}
            kind="quiet"
            class="revoke"
            aria-label=${`Revoke ${visible(token.name || token.id)}`}
            onClick=${() => onRevoke(token)}
          >
            Revoke
          <//>
        `}
      </td>
    </tr>
  `;
}

const FEW = 3;

function Flows({ flows }) {
  const rest = flows.length - FEW;
  return html`
    <ul class="token-flows" title=${flows.map(visible).join("\n")}>
      ${flows.slice(0, FEW).map((flow) => html`
        <li key=${flow}>
          <bdi>
            <code>${visible(flow)}</code>
          </bdi>
        </li>
      `)}
      ${rest > 0 && html`<li class="muted">and ${formatCount(rest)} more</li>`}
    </ul>
  `;
}

function Revoke({ token, own, onDone, onClose }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const revoke = async () => {
    setBusy(true);
    setError(null);
    try {
      const answer = await del(`api/tokens/${encodeURIComponent(token.id)}`);
      onDone(answer.token);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return html`
    <${Confirm}
      title="Revoke this token?"
      confirm=${busy ? "Revoking …" : "Revoke"}
      busy=${busy}
      error=${error}
      onConfirm=${revoke}
      onClose=${onClose}
    >
      <p>
        <b>
          <bdi>${visible(token.name || token.id)}</bdi>
        </b>,
        with the role <code>${visible(token.role)}</code>, stops working ${tokenDelay()}. This cannot be undone.
      </p>
      ${own && html`<p class="notice">This is the token that you are signed in with. You will be signed out.</p>`}
      <p class="muted">
        Last used: ${token.lastUsedAt ? html`<${RelativeTime} at=${token.lastUsedAt} />` : "never"}.
      </p>
    <//>
  `;
}
