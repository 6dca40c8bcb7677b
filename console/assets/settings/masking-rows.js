// Owns a list of patterns or names, with one row each, and the server's error at its row.
import { useLayoutEffect, useRef } from "preact/hooks";
import { limits } from "../config.js";
import { classes, html } from "../ui/html.js";
import { Button } from "../ui/controls.js";
import { errorAt } from "./forms.js";
import { emptyRow, isBlank } from "./masking-form.js";

/** @param {{list: Object, rows: Object[], error: ?Error, onChange: (rows: Object[]) => void}} props */
export function RowList({ list, rows, error, onChange }) {
  const added = useRef(null);
  const box = useRef(null);
  useLayoutEffect(() => {
    if (added.current === null) return;
    box.current.querySelector(`[data-row="${added.current}"] input`)?.focus();
    added.current = null;
  });
  const add = () => {
    const row = emptyRow();
    added.current = row.key;
    onChange([...rows, row]);
  };
  const set = (key, part) => onChange(rows.map((row) => (row.key === key ? { ...row, ...part } : row)));
  const remove = (key) => {
    onChange(rows.filter((row) => row.key !== key));
    box.current.querySelector(".row-add")?.focus();
  };
  const sent = rows.filter((row) => !isBlank(row));
  return html`
    <fieldset class="rows" ref=${box}>
      <legend class="field-label">${list.label}</legend>
      <p class="field-note">${list.hint}</p>
      ${rows.map((row, index) => html`
        <${Row}
          key=${row.key}
          list=${list}
          row=${row}
          number=${index + 1}
          error=${error}
          place=${`${list.id}[${sent.indexOf(row)}]`}
          onSet=${(part) => set(row.key, part)}
          onRemove=${() => remove(row.key)}
        />
      `)}
      <${Button} kind="quiet" class="row-add" disabled=${rows.length >= limits().maskingEntries} onClick=${add}>
        + ${list.add}
      <//>
    </fieldset>
  `;
}

function Row({ list, row, number, error, place, onSet, onRemove }) {
  const nameError = list.pairs ? errorAt(error, `${place}.name`) : null;
  const textError = errorAt(error, list.pairs ? `${place}.pattern` : place);
  const note = `row-${row.key}-note`;
  const input = (member, label, problem, mono) => html`
    <input
      class=${classes("input", mono && "mono")}
      value=${row[member]}
      aria-label=${label}
      placeholder=${member === "name" ? "name" : list.item}
      autocomplete="off"
      autocapitalize="off"
      spellcheck=${false}
      aria-invalid=${problem ? "true" : null}
      aria-describedby=${note}
      onInput=${(event) => onSet({ [member]: event.currentTarget.value })}
    />
  `;
  return html`
    <div class=${classes("row", list.pairs && "row-pair", (nameError || textError) && "field-bad")} data-row=${row.key}>
      ${list.pairs && input("name", `Name of pattern ${number}`, nameError, true)}
      ${input("text", list.pairs ? `Pattern ${number}` : `${list.label}, ${list.item} ${number}`, textError, true)}
      <${Button} kind="quiet" icon="close" label=${`Remove ${list.item} ${number}`} onClick=${onRemove} />
      <div id=${note} class="field-note" role=${nameError || textError ? "alert" : null}>${nameError ?? textError}</div>
    </div>
  `;
}
