// Owns the section of Settings that defines when open runs are stalled and closed.
import { limits, settingsDelay } from "../config.js";
import { formatDuration, plural } from "../format.js";
import { html } from "../ui/html.js";
import { Field, Select } from "../ui/controls.js";
import { RulesPage } from "./rules.js";

const UNITS = [
  { value: "1", label: "seconds" },
  { value: "60", label: "minutes" },
  { value: "3600", label: "hours" },
  { value: "86400", label: "days" },
];
const STALLED = [
  { value: "after", label: "After" },
  { value: "never", label: "Never" },
];
const CLOSED = [
  { value: "no", label: "Stay open" },
  { value: "after", label: "Close after" },
];

/** 300 is 5 minutes. @param {?number} seconds */
function amountOf(seconds) {
  const unit = UNITS.findLast(({ value }) => seconds > 0 && seconds % Number(value) === 0) ?? UNITS[0];
  return { text: String((seconds ?? 0) / Number(unit.value)), unit: unit.value };
}

/** 300 is "5 minutes". @param {number} seconds */
function amountText(seconds) {
  const { text, unit } = amountOf(seconds);
  const { label } = UNITS.find(({ value }) => value === unit);
  return plural(Number(text), label.slice(0, -1));
}

const secondsOf = ({ text, unit }) => (/^\d{1,8}$/.test(text.trim()) ? Number(text) * Number(unit) : NaN);

function Amount({ id, label, name, value, error, onChange }) {
  return html`
    <${Field} id=${id} label=${label} error=${error}>
      <span class="amount">
        <input
          id=${id}
          class="input number"
          type="text"
          inputmode="numeric"
          aria-label=${name}
          value=${value.text}
          aria-describedby=${`${id}-note`}
          aria-invalid=${error ? "true" : null}
          onInput=${(event) => onChange({ ...value, text: event.currentTarget.value })}
        />
        <${Select}
          id=${`${id}-unit`}
          label=${`${name}, unit`}
          value=${value.unit}
          options=${UNITS}
          onChange=${(unit) => onChange({ ...value, unit })}
        />
      </span>
    <//>
  `;
}

function Fields({ row, number, at, set }) {
  const id = `rule-${row.key}`;
  return html`
    <${Field} id=${`${id}-stalled`} label="Stalled">
      <${Select}
        id=${`${id}-stalled`}
        label=${`Stalled, rule ${number}`}
        value=${row.stalled}
        options=${STALLED}
        onChange=${(stalled) => set({ stalled })}
      />
    <//>
    ${row.stalled === "after" && html`
      <${Amount}
        id=${`${id}-after`}
        label="No heartbeat for"
        name=${`Stalled after, rule ${number}`}
        value=${row.after}
        error=${at("afterSeconds")}
        onChange=${(after) => set({ after })}
      />
      <${Field} id=${`${id}-closed`} label="Then">
        <${Select}
          id=${`${id}-closed`}
          label=${`Closed, rule ${number}`}
          value=${row.closed}
          options=${CLOSED}
          onChange=${(closed) => set({ closed })}
        />
      <//>
      ${row.closed === "after" && html`
        <${Amount}
          id=${`${id}-close`}
          label="No heartbeat for"
          name=${`Closed after, rule ${number}`}
          value=${row.close}
          error=${at("closeAfterSeconds")}
          onChange=${(close) => set({ close })}
        />
      `}
    `}
  `;
}

function problemOf(row) {
  const { stalledMinSeconds: least, stalledMaxSeconds: most } = limits();
  if (row.stalled === "never") return null;
  const [after, close] = [secondsOf(row.after), secondsOf(row.close)];
  if (!(after >= least && after <= most)) {
    return {
      member: "afterSeconds",
      reason: `Type a whole number: at least ${amountText(least)}, at most ${amountText(most)}.`,
    };
  }
  if (row.closed === "no" || (close >= after && close <= most)) return null;
  return {
    member: "closeAfterSeconds",
    reason: `Type a whole number: not shorter than the time until stalled, and at most ${amountText(most)}.`,
  };
}

const spanText = (seconds) => formatDuration(seconds * 1000);

/** @type {import("./rules.js").Kind} */
const KIND = {
  id: "stalled",
  path: "api/settings/stalled",
  title: "Stalled runs",
  intro:
    "Marks open runs as stalled when their engine has sent no heartbeat for a time, and can close them. A rule for a " +
    "flow takes precedence over a rule for all flows. Runs whose engine never sends heartbeats are never stalled.",
  empty: {
    title: "Runs are never stalled",
    text: "Add a rule to mark open runs whose engine stopped sending heartbeats.",
  },
  saved: () => `The rules for stalled runs are saved. They take effect everywhere ${settingsDelay()}.`,
  newRow: () => ({
    flow: "",
    stalled: "after",
    after: { text: "5", unit: "60" },
    closed: "no",
    close: { text: "1", unit: "3600" },
  }),
  Fields,
  problemOf,
  rowOf: ({ flowId, afterSeconds, closeAfterSeconds }) => ({
    flow: flowId ?? "",
    stalled: afterSeconds ? "after" : "never",
    after: afterSeconds ? amountOf(afterSeconds) : { text: "5", unit: "60" },
    closed: closeAfterSeconds ? "after" : "no",
    close: closeAfterSeconds ? amountOf(closeAfterSeconds) : { text: "1", unit: "3600" },
  }),
  ruleOf: (row) => ({
    ...(row.flow ? { flowId: row.flow } : {}),
    afterSeconds: row.stalled === "never" ? null : secondsOf(row.after),
    ...(row.stalled === "after" && row.closed === "after" ? { closeAfterSeconds: secondsOf(row.close) } : {}),
  }),
  lineOf: ({ flowId, afterSeconds, closeAfterSeconds }) => {
    const stalled = afterSeconds ? `stalled after ${spanText(afterSeconds)}` : "never stalled";
    const closed = closeAfterSeconds ? `, closed after ${spanText(closeAfterSeconds)}` : "";
    return `${flowId ?? "all flows"}: ${stalled}${closed}`;
  },
};

/** @param {{session: import("../session.js").Session}} props */
export default function Stalled({ session }) {
  return html`<${RulesPage} kind=${KIND} session=${session} />`;
}
