// Owns reading the description of the API: its operations by group, and its schemas as text.
// /openapi.json is OpenAPI 3.1, whose schemas are JSON Schemas.
import { get } from "../api.js";

const METHODS = ["get", "post", "put", "delete"];

/** @returns {Promise<Object>} the description, which is public */
export function load() {
  return get("openapi.json", { needsToken: false });
}

/**
 * The operations in the order of their groups.
 * @param {Object} document
 * @returns {{name: string, description: string, operations: Object[]}[]}
 */
export function surfacesOf(document) {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) => ({
      path,
      method: method.toUpperCase(),
      ...methods[method],
    })),
  );
  return document.tags.map((tag) => ({
    ...tag,
    operations: operations.filter((each) => each.tags.includes(tag.name)),
  }));
}

/** Whether an operation contains all words of a search. @param {Object} operation @param {string} search */
export function isFound({ method, path, summary, operationId }, search) {
  const text = `${method} ${path} ${summary} ${operationId}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/**
 * The schema, after following a reference.
 * @param {Object} document @param {Object} schema
 * @returns {{schema: Object, name: ?string}}
 */
export function resolve(document, schema) {
  if (!schema.$ref) return { schema, name: null };
  const name = schema.$ref.split("/").at(-1);
  return { schema: { ...document.components.schemas[name], ...schema }, name };
}

/** The members of the object that a schema describes, or of its alternatives. */
export function membersOf(document, given) {
  const { schema } = resolve(document, given);
  if (schema.properties) {
    return Object.entries(schema.properties).map(([name, member]) => ({
      name,
      schema: member,
      required: schema.required?.includes(name) ?? false,
    }));
  }
  const inner = innerOf(schema);
  return inner ? membersOf(document, inner) : [];
}

/** The schema of an array's items, a map's values, or the only alternative to null. */
function innerOf({ items, additionalProperties, anyOf, oneOf }) {
  if (items) return items;
  if (additionalProperties && additionalProperties !== true) return additionalProperties;
  return (anyOf ?? oneOf)?.find((each) => each.type !== "null" && (each.$ref || each.properties || each.items)) ?? null;
}

/** A schema's type as text. @param {Object} document @param {Object} given @returns {string} */
export function typeText(document, given) {
  const { schema, name } = resolve(document, given);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  const types = [schema.type ?? []].flat();
  if (choices && !schema.format) {
    const texts = choices.map((each) => typeText(document, types.length > 0 ? { type: types, ...each } : each));
    return [...new Set(texts.flatMap((text) => text.split(" or ")))].join(" or ");
  }
  if (types.length === 0) return schema.enum ? "text" : "any JSON";
  return types.map((type) => oneTypeText(document, schema, type, name)).join(" or ");
}

const WORDS = { string: "text", integer: "whole number", boolean: "true or false", number: "number" };
const FORMATS = { "date-time": "time", date: "date" };

function oneTypeText(document, schema, type, name) {
  if (type === "array") return `list of ${schema.items ? typeText(document, schema.items) : "any JSON"}`;
  if (type === "object") {
    const { additionalProperties: values } = schema;
    return values && values !== true && !schema.properties
      ? `map of ${typeText(document, values)}`
      : (name ?? "object");
  }
  return (type === "string" && FORMATS[schema.format]) || (WORDS[type] ?? type);
}

/** A schema's other constraints. @param {Object} document @param {Object} given @returns {string[]} */
export function limitsOf(document, given) {
  const { schema } = resolve(document, given);
  const limits = [];
  const range = (least, most, unit) => {
    if (least === undefined && most === undefined) return;
    const ends =
      most === undefined
        ? `at least ${least}`
        : least === undefined || least === 0
          ? `up to ${most}`
          : `${least} to ${most}`;
    limits.push(unit ? `${ends} ${unit}` : ends);
  };
  range(schema.minimum, schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum, "");
  range(schema.minLength, schema.maxLength, "characters");
  range(schema.minItems, schema.maxItems, "entries");
  if (schema.pattern) limits.push(`matches ${schema.pattern}`);
  return limits;
}

/** The values that a schema lists. */
export function valuesOf(document, given) {
  const { schema } = resolve(document, given);
  return (schema.enum ?? schema.items?.enum ?? []).filter((value) => value !== null);
}

/**
 * The examples of a body, each with a title.
 * @param {Object} media
 * @returns {{title: string, value: any}[]}
 */
export function examplesOf(media) {
  if (media.example !== undefined) return [{ title: "Example", value: media.example }];
  return Object.entries(media.examples ?? {}).map(([title, { value }]) => ({ title, value }));
}

/** A command line that calls an operation, with its examples. @param {Object} operation */
export function curlOf({ method, path, parameters = [], requestBody }) {
  const given = (place) => parameters.filter((each) => each.in === place && (each.required || place === "path"));
  const value = ({ name, example, schema }) =>
    encodeURIComponent(String(example ?? schema.default ?? schema.enum?.[0] ?? `<${name}>`));
  const filled = given("path").reduce((text, each) => text.replace(`{${each.name}}`, value(each)), path);
  const query = given("query")
    .map((each) => `${each.name}=${value(each)}`)
    .join("&");
  const url = new URL(`.${filled}${query && `?${query}`}`, document.baseURI);
  url.hash = "";
  const json = requestBody?.content["application/json"];
  const lines = [`curl -H 'Authorization: Bearer <token>'${method === "GET" ? "" : ` -X ${method}`}`];
  if (json) {
    lines.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(json.example).replaceAll("'", "'\\''")}'`);
  }
  lines.push(`'${url}'`);
  return lines.join(" \\\n  ");
}
