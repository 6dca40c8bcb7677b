// Owns the retention section of Settings: how long the team keeps its runs.
import { limits } from "../config.js";
import { formatCount, plural } from "../format.js";
import { html } from "../ui/html.js";
import { Field, Select } from "../ui/controls.js";
import { statusLabel } from "../ui/status.js";
import { RulesPage } from "./rules.js";

/** The days of a new rule. */
const DEFAULT_DAYS = 90;
const STATES = [
  { value: "", label: "Any" },
  ...["COMPLETED", "FAILED", "CANCELLED"].map((value) => ({ value, label: statusLabel(value) })),
];
const KEPT = [
  { value: "days", label: "For days" },
  { value: "ever", label: "Forever" },
];

function Fields({ row, number, at, set }) {
  const id = `rule-${row.key}`;
  const error = at("days");
  return html`
    <${Field} id=${`${id}-state`} label="Ended as" error=${at("status")}>
      <${Select}
        id=${`${id}-state`}
        label=${`Ended as, rule ${number}`}
        value=${row.status}
        options=${STATES}
        onChange=${(status) => set({ status })}
      />
    <//>
    <${Field} id=${`${id}-kept`} label="Kept">
      <${Select}
        id=${`${id}-kept`}
        label=${`Kept, rule ${number}`}
        value=${row.kept}
        options=${KEPT}
        onChange=${(kept) => set({ kept })}
      />
    <//>
    ${row.kept === "days" && html`
      <${Field} id=${`${id}-days`} label="Days" error=${error}>
        <input
          id=${`${id}-days`}
          class="input number"
          type="text"
          inputmode="numeric"
          aria-label=${`Days of rule ${number}`}
          value=${row.days}
          aria-describedby=${`${id}-days-note`}
          aria-invalid=${error ? "true" : null}
          onInput=${(event) => set({ days: event.currentTarget.value })}
        />
      <//>
    `}
  `;
}

const daysOf = (row) => (/^\d{1,9}$/.test(row.days.trim()) ? Number(row.days) : NaN);

const isForever = (days) => days === null || days === undefined;

/** @type {import("./rules.js").Kind} */
const RETENTION = {
  id: "retention",
  path: "api/settings/retention",
  title: "Retention",
  intro:
    "How long runs are kept after they end. The most specific rule applies, and a flow is more specific than a " +
    "state. Changes apply to runs that end from now on.",
  empty: {
    title: "Runs are kept forever",
    text: "Add a rule to delete runs a number of days after they end. Pinned runs are kept.",
  },
  saved: () => "Retention is saved. It applies to runs that end from now on.",
  newRow: () => ({ flow: "", status: "", kept: "days", days: String(DEFAULT_DAYS) }),
  Fields,
  rowOf: ({ flowId, status, days }) => ({
    flow: flowId ?? "",
    status: status ?? "",
    kept: isForever(days) ? "ever" : "days",
    days: String(days ?? DEFAULT_DAYS),
  }),
  ruleOf: (row) => ({
    ...(row.flow ? { flowId: row.flow } : {}),
    ...(row.status ? { status: row.status } : {}),
    days: row.kept === "ever" ? null : daysOf(row),
  }),
  problemOf: (row) => {
    const days = daysOf(row);
    const most = limits().retentionDays;
    if (row.kept === "ever" || (days >= 1 && days <= most)) return null;
    return { member: "days", reason: `Type a whole number from 1 to ${formatCount(most)}, or keep the runs forever.` };
  },
  lineOf: ({ flowId, status, days }) => {
    const scope = [flowId ?? "all flows", status && statusLabel(status).toLowerCase()].filter(Boolean).join(", ");
    return `${scope}: ${isForever(days) ? "forever" : plural(days, "day")}`;
  },
};

/** @param {{session: import("../session.js").Session}} props */
export default function Retention({ session }) {
  return html`<${RulesPage} kind=${RETENTION} session=${session} />`;
}
