// Owns the form of the masking settings: rows with a key each, so that fields keep their identity
// when a row is removed, and the mapping of the API's parameters to fields.

/** The lists of the form. `pairs`: rows have a name and a pattern. */
export const LISTS = [
  {
    id: "patterns",
    group: "mask",
    label: "Patterns",
    pairs: true,
    add: "Add a pattern",
    item: "pattern",
    mono: true,
    hint: "Matches of a pattern become [REDACTED:<name>]. Patterns are regular expressions, for example KD-[0-9]{8}.",
  },
  {
    id: "keyNames",
    group: "mask",
    label: "Names of secret fields",
    add: "Add a name",
    item: "name",
    hint: "A field is masked if its name is or ends with this name. Examples: sessionId, birthDate.",
  },
  {
    id: "allowedPatterns",
    group: "allow",
    label: "Values",
    add: "Add a pattern",
    item: "pattern",
    mono: true,
    hint: "Values stay readable if one of these patterns matches them completely. Example: .*@example\\.com",
  },
  {
    id: "allowedKeyNames",
    group: "allow",
    label: "Names of fields",
    add: "Add a name",
    item: "name",
    hint: "Fields with exactly this name stay readable. Example: shippingToken.",
  },
];

let nextKey = 1;

/** An empty row. */
export const emptyRow = () => ({ key: nextKey++, name: "", text: "" });

/** @param {Object} settings of the API @returns {Object} */
export function fromSettings(settings) {
  const form = { allowedRules: settings.allowedRules ?? [] };
  for (const { id, pairs } of LISTS) {
    form[id] = (settings[id] ?? []).map((entry) => ({
      ...emptyRow(),
      ...(pairs ? { name: entry.name, text: entry.pattern } : { text: entry }),
    }));
  }
  return form;
}

/** Empty rows are not sent. */
export const isBlank = (row) => row.name === "" && row.text === "";

/** @param {Object} form @returns {Object} the settings in the API's format */
export function toSettings(form) {
  const settings = {};
  for (const { id, pairs } of LISTS) {
    settings[id] = form[id]
      .filter((row) => !isBlank(row))
      .map((row) => (pairs ? { name: row.name, pattern: row.text } : row.text));
  }
  return { ...settings, allowedRules: form.allowedRules };
}

export function sameSettings(one, other) {
  return JSON.stringify(toSettings(fromSettings(one))) === JSON.stringify(toSettings(fromSettings(other)));
}

/** Whether a field shows the error of this parameter. @param {string} parameter */
export function isShown(parameter) {
  return /^(patterns\[\d+\]\.(name|pattern)|(keyNames|allowedPatterns|allowedKeyNames|allowedRules)\[\d+\])$/.test(
    parameter,
  );
}
