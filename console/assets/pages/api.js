// Owns the page of the HTTP API: a readable form of its description. The page is public and needs
// no session.
import { useEffect, useState } from "preact/hooks";
import { href } from "../router.js";
import { classes, html } from "../ui/html.js";
import { EmptyState, ErrorState, Loading } from "../ui/states.js";
import { isFound, load, surfacesOf } from "../reference/description.js";
import { Method, Operation } from "../reference/operation.js";
import { Line, Prose } from "../reference/prose.js";

/** @param {{params: {operation?: string}}} props */
export default function Page({ params }) {
  const [document, setDocument] = useState(null);
  const [error, setError] = useState(null);
  const read = () => {
    setError(null);
    load().then(setDocument, setError);
  };
  useEffect(read, []);
  useEffect(() => scrollTo(0, 0), [params.operation]);
  if (error) return html`<${ErrorState} error=${error} onRetry=${read} />`;
  if (!document) return html`<${Loading} label="Loading the description of the API" />`;
  const groups = surfacesOf(document);
  const all = groups.flatMap(({ operations }) => operations);
  const operation = all.find(({ operationId }) => operationId === params.operation);
  return html`
    <section class="page reference" aria-labelledby="reference-title">
      <header class="page-head">
        <h1 id="reference-title">HTTP API</h1>
        <span class="muted">Version ${document.info.version}</span>
        <a class="reference-file" href="openapi.json">OpenAPI ${document.openapi}</a>
      </header>
      <div class="reference-body">
        <${Contents} groups=${groups} current=${params.operation} />
        ${params.operation === undefined
          ? html`<${Overview} document=${document} groups=${groups} />`
          : operation
            ? html`<${Operation} key=${params.operation} document=${document} operation=${operation} />`
            : html`
              <${EmptyState} icon="search" title="Operation not found">
                <p>
                  The API has no operation <code>${params.operation}</code>.
                </p>
              <//>
            `}
      </div>
    </section>
  `;
}

/** The operations by name, filtered by the search. */
function Contents({ groups, current }) {
  const [search, setSearch] = useState("");
  const found = groups
    .map((group) => ({ ...group, operations: group.operations.filter((each) => isFound(each, search)) }))
    .filter(({ operations }) => operations.length > 0);
  return html`
    <nav class=${classes("contents", current && "contents-beside")} aria-label="Operations">
      <label class="hidden" for="contents-search">Search operations</label>
      <input
        id="contents-search"
        class="input"
        type="search"
        placeholder="Search operations"
        value=${search}
        onInput=${(event) => setSearch(event.target.value)}
      />
      <a class="contents-link" href=${href("/api")} aria-current=${current === undefined ? "page" : null}>Overview</a>
      ${found.map((group) => html`
        <h2 key=${group.name}>${group.name}</h2>
        <ul>
          ${group.operations.map(({ operationId, method, summary }) => html`
            <li key=${operationId}>
              <a
                class="contents-link"
                href=${href(`/api/${operationId}`)}
                aria-current=${operationId === current ? "page" : null}
              >
                <${Method} method=${method} />
                <span>${summary}</span>
              </a>
            </li>
          `)}
        </ul>
      `)}
      ${found.length === 0 && html`<p class="muted" role="status">No operation contains these words.</p>`}
    </nav>
  `;
}

function Overview({ document, groups }) {
  return html`
    <div class="operation">
      <div class="prose">
        <${Prose} text=${document.info.description} />
      </div>
      ${groups.map(({ name, description, operations }) => html`
        <section key=${name}>
          <h3>${name}</h3>
          <p class="muted">
            <${Line} text=${description} />
          </p>
          <ul class="overview card">
            ${operations.map(({ operationId, method, path, summary }) => html`
              <li key=${operationId}>
                <a href=${href(`/api/${operationId}`)}>
                  <${Method} method=${method} />
                  <code>${path}</code>
                  <span class="muted">${summary}</span>
                </a>
              </li>
            `)}
          </ul>
        </section>
      `)}
    </div>
  `;
}
