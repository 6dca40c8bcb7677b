// Owns the empty run list: no runs match the filters, or the team has no runs yet.
import { useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { Button, CodeBlock } from "../ui/controls.js";
import { EmptyState } from "../ui/states.js";
import { visible } from "../ui/visible.js";
import { NO_FILTERS } from "./filters.js";

/** @param {{filters: Object, only: ?string[], change: (change: Object) => void}} props */
export function NothingFound({ filters, only, change }) {
  const clear = () => change(only ? { ...NO_FILTERS, flow: filters.flow } : NO_FILTERS);
  const timed = filters.range || filters.from || filters.to;
  return html`
    <${EmptyState}
      icon="search"
      title="No runs match these filters"
      actions=${html`
        <${Button} kind="primary" onClick=${clear}>Clear all filters<//>
        ${timed && html`<${Button} onClick=${() => change({ range: "", from: "", to: "" })}>Search all time<//>`}
      `}
    >
      <p>New matching runs appear here automatically.</p>
    <//>
  `;
}

const isLocal = () => ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

function cliCode(teamId) {
  const endpoint = isLocal() ? " \\\n  --endpoint-url http://127.0.0.1:8000 --region local" : "";
  const item = `{
    "pk": {"S": "EXEC#first-run"}, "sk": {"S": "EXECUTION"},
    "executionId": {"S": "first-run"}, "teamId": {"S": "${teamId}"},
    "flowId": {"S": "my-flow"}, "flowName": {"S": "My flow"},
    "status": {"S": "RUNNING"}, "trigger": {"S": "MANUAL"},
    "createdAt": {"S": "'"$NOW"'"}, "startTime": {"S": "'"$NOW"'"}
  }`;
  const keys = isLocal() ? "export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any\n" : "";
  return `${keys}NOW=$(date -u +%Y-%m-%dT%H:%M:%S.000Z)
aws dynamodb put-item --table-name flowtrail${endpoint} --item '${item}'`;
}

function pythonCode(teamId) {
  const endpoint = isLocal()
    ? `,
    endpoint_url="http://127.0.0.1:8000", region_name="local",
    aws_access_key_id="any", aws_secret_access_key="any",
`
    : "";
  return `import uuid
from datetime import datetime, timezone
import boto3

table = boto3.resource("dynamodb"${endpoint}).Table("flowtrail")

now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
run_id = str(uuid.uuid4())
table.put_item(Item={
    "pk": f"EXEC#{run_id}", "sk": "EXECUTION",
    "executionId": run_id, "teamId": "${teamId}",
    "flowId": "my-flow", "flowName": "My flow",
    "status": "RUNNING", "trigger": "MANUAL",
    "createdAt": now, "startTime": now,
})`;
}

/** Instructions for writing the first record. @param {{teamId: string}} props */
export function FirstUse({ teamId }) {
  const [language, setLanguage] = useState("cli");
  const code = language === "cli" ? cliCode(teamId) : pythonCode(teamId);
  const names = { cli: "AWS CLI", python: "Python, boto3" };
  return html`
    <div class="first-use">
      <${EmptyState} title="No runs yet">
        <p>
          Team${" "}
          <b>
            <bdi>${visible(teamId)}</bdi>
          </b>${" "}
          has no runs. An engine writes each run as a record to the DynamoDB table; nothing else is needed. Write
          the first record by hand, and it appears here within seconds.
        </p>
      <//>
      <div class="card first-use-card">
        <div class="segments" role="group" aria-label="Language">
          ${Object.entries(names).map(([id, name]) => html`
            <button
              key=${id}
              type="button"
              class="segment"
              aria-pressed=${String(id === language)}
              onClick=${() => setLanguage(id)}
            >
              ${name}
            </button>
          `)}
        </div>
        <${CodeBlock} code=${code} label=${names[language]} />
        ${isLocal() && html`
          <p class="muted small">
            Port 8000 is the default of <code>flowtrail serve</code>; if it prints another port, use that. For a
            table on AWS, omit the endpoint, the region <code>local</code> and the keys.
          </p>
        `}
        <p class="muted small">
          Steps, branches and payloads: <code>docs/record-format.md</code>
        </p>
      </div>
    </div>
  `;
}
