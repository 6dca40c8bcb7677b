// Owns the display of one operation: its parameters, its body and its responses.
import { html } from "../ui/html.js";
import { CodeBlock } from "../ui/controls.js";
import { curlOf, examplesOf, limitsOf, membersOf, resolve, typeText, valuesOf } from "./description.js";
import { Line, Prose } from "./prose.js";

/** Members below this depth of a response are named but not expanded. */
const DEEPEST = 6;

/** @param {{document: Object, operation: Object}} props */
export function Operation({ document, operation }) {
  const { method, path, summary, description, parameters = [], requestBody, responses } = operation;
  const permission = operation["x-permission"];
  return html`
    <article class="operation" aria-labelledby="operation-title">
      <h2 id="operation-title">${summary}</h2>
      <p class="operation-path">
        <${Method} method=${method} />
        <code>${path}</code>
      </p>
      <div class="prose">
        <${Prose} text=${description} />
        <p>
          ${permission
            ? html`It requires the permission <code>${permission}</code>.`
            : "Any valid token is sufficient."}
        </p>
      </div>
      <${CodeBlock} code=${curlOf(operation)} label="Command line" />
      ${parameters.length > 0 && html`
        <h3>Parameters</h3>
        <${Fields}
          document=${document}
          label="Parameters"
          fields=${parameters.map((each) => ({ ...each, note: each.in }))}
        />
      `}
      ${requestBody && html`
        <h3>Body</h3>
        <${Media} document=${document} content=${requestBody.content} />
      `}
      <h3>Responses</h3>
      ${Object.entries(responses).map(([status, response]) => html`
        <${Answer} key=${status} document=${document} status=${status} response=${response} />
      `)}
    </article>
  `;
}

/** @param {{method: string}} props */
export function Method({ method }) {
  return html`<span class=${`method method-${method.toLowerCase()}`}>${method}</span>`;
}

/** Successful responses are expanded; errors can be expanded. */
function Answer({ document, status, response }) {
  const { description, headers = {}, content = {} } = response;
  return html`
    <details class="answer card" open=${status < 300}>
      <summary>
        <span class=${`answer-status ${status < 300 ? "answer-good" : "answer-bad"}`}>${status}</span>
        <span>
          <${Line} text=${description} />
        </span>
      </summary>
      <div class="answer-body">
        ${Object.keys(headers).length > 0 && html`
          <${Fields}
            document=${document}
            label="Headers"
            fields=${Object.entries(headers).map(([name, header]) => ({ name, ...header, note: "header" }))}
          />
        `}
        <${Media} document=${document} content=${content} />
      </div>
    </details>
  `;
}

function Media({ document, content }) {
  return Object.entries(content).map(
    ([type, media]) => html`
      <section key=${type} class="media" aria-label=${type}>
        <p class="muted small">
          <code>${type}</code>
        </p>
        ${media.schema && html`<${Members} document=${document} schema=${media.schema} depth=${0} />`}
        ${examplesOf(media).map(({ title, value }) => html`
          <${CodeBlock}
            key=${title}
            label=${title}
            code=${typeof value === "string" ? value : JSON.stringify(value, null, 2)}
          />
        `)}
      </section>
    `,
  );
}

/** A table of names with their descriptions. */
function Fields({ document, label, fields }) {
  return html`
    <dl class="fields card" aria-label=${label}>
      ${fields.map((field) => html`<${Field} key=${field.name} document=${document} ...${field} />`)}
    </dl>
  `;
}

function Field({ document, name, schema = {}, required, note, description, example, children }) {
  const values = valuesOf(document, schema);
  const { schema: whole } = resolve(document, schema);
  return html`
    <div class="field-entry">
      <dt>
        <code>${name}</code>
        ${required && html`<span class="tag tag-warn">required</span>`}
        ${note && html`<span class="muted small">${note}</span>`}
      </dt>
      <dd>
        <p class="field-type">
          <span>${typeText(document, schema)}</span>
          ${limitsOf(document, schema).map((limit) => html`<span key=${limit} class="muted">${limit}</span>`)}
          ${whole.default !== undefined && whole.default !== null && html`
            <span class="muted">
              default <code>${JSON.stringify(whole.default)}</code>
            </span>
          `}
        </p>
        <${Prose} text=${description ?? whole.description} />
        ${values.length > 0 && html`
          <p class="field-values">
            ${values.map((value) => html`<code key=${value}>${value}</code>`)}
          </p>
        `}
        ${example !== undefined && html`
          <p class="muted">
            Example: <code>${String(example)}</code>
          </p>
        `}
        ${children}
      </dd>
    </div>
  `;
}

/** The members of a schema, each with its own members below it. */
function Members({ document, schema, depth }) {
  const members = membersOf(document, schema);
  if (members.length === 0) return null;
  return html`
    <dl class=${depth === 0 ? "fields card" : "fields fields-inner"}>
      ${members.map((member) => html`
        <${Field} key=${member.name} document=${document} ...${member}>
          ${depth < DEEPEST && membersOf(document, member.schema).length > 0 && html`
            <details class="inner">
              <summary>Members</summary>
              <${Members} document=${document} schema=${member.schema} depth=${depth + 1} />
            </details>
          `}
        <//>
      `)}
    </dl>
  `;
}
