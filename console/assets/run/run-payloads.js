// Owns the run's input, output, data and context at the top of its page: small ones expanded, larger
// ones collapsed, and omitted ones loaded on request.
import { useId, useMemo, useState } from "preact/hooks";
import { formatBytes } from "../format.js";
import { html } from "../ui/html.js";
import { CopyButton } from "../ui/controls.js";
import { Icon } from "../ui/icons.js";
import { RUN_PAYLOADS } from "./data.js";
import { isSmall, preview, textOf } from "./json-model.js";
import { JsonTree } from "./json-tree.js";
import { Parts } from "./json-value.js";
import { OmittedPayloads, NAMES, runSource, usePayloads } from "./payloads.js";

/** @param {{store: import("./data.js").RunStore, cache: import("./payloads.js").PayloadCache}} props */
export function RunPayloads({ store, cache }) {
  const { payloads, omitted } = store;
  const here = RUN_PAYLOADS.filter((name) => name in omitted || (payloads[name] ?? null) !== null);
  if (here.length === 0) return null;
  return html`
    <section class="run-payloads" aria-label="Input, output and data of this run">
      ${here.map((name) => html`<${Card} key=${name} store=${store} name=${name} cache=${cache} />`)}
    </section>
  `;
}

function Card({ store, name, cache }) {
  const value = store.payloads[name] ?? null;
  const isLeftOut = value === null;
  const [open, setOpen] = useState(() => !isLeftOut && name !== "resolvedFinalContextData" && isSmall(value));
  const id = useId();
  const bytes = store.omitted[name];
  const line = isLeftOut
    ? bytes === null
      ? "size unknown"
      : formatBytes(bytes)
    : html`<${Parts} text=${preview(value)} />`;
  const isWide = open && (isLeftOut || !isSmall(value));
  return html`
    <div class=${isWide ? "run-payload run-payload-wide" : "run-payload"}>
      <header>
        <button
          type="button"
          class="run-payload-head"
          aria-expanded=${String(open)}
          aria-controls=${id}
          onClick=${() => setOpen(!open)}
        >
          <span class="twisty" aria-hidden="true">
            <${Icon} name=${open ? "down" : "right"} />
          </span>
          <span class="json-title">${NAMES[name]}</span>
          ${!open && html`<bdi class=${isLeftOut ? "muted" : "run-payload-line"}>${line}</bdi>`}
        </button>
        ${!isLeftOut && html`<${CopyButton} text=${textOf(value)} label=${`Copy ${NAMES[name].toLowerCase()}`} />`}
      </header>
      <div id=${id} hidden=${!open}>
        ${open && html`<${Opened} store=${store} name=${name} cache=${cache} />`}
      </div>
    </div>
  `;
}

function Opened({ store, name, cache }) {
  const { values, ...payloads } = usePayloads(runSource(store, name), cache);
  const value = values[name];
  const roots = useMemo(() => [{ name: NAMES[name], value }], [value]);
  return html`
    <${OmittedPayloads} ...${payloads} />
    ${value !== null && html`
      <${JsonTree}
        roots=${roots}
        label=${NAMES[name]}
        id=${`${name} ${payloads.loaded}`}
        rootless=${true}
        bare=${isSmall(value)}
      />
    `}
  `;
}
