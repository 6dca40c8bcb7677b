// The encoding of JavaScript values: small values become DynamoDB attributes, and other values the
// bytes of their JSON text.

import * as zlib from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { InvalidRecord, PayloadTooLarge } from './errors.js';

/** The largest JSON text that readers accept. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** The deepest nesting in an attribute. DynamoDB accepts 32 levels, and the record uses some of them. */
const MAX_NATIVE_LEVELS = 28;

/** The deepest nesting at all. This limit also stops the walk of a value that contains itself. */
const MAX_LEVELS = 1_000;

/** The precision of DynamoDB's numbers. */
const MAX_DIGITS = 38;

/** The magnitudes of DynamoDB's numbers: from 1E-130 to below 1E+126. */
const LEAST_MAGNITUDE = 1e-130;
const MAGNITUDE_BOUND = 1e126;
const MAX_INTEGER_DIGITS = 126;

const ZSTD_LEVEL = 3;

/** The escape of an unpaired surrogate, or a text that looks like one. */
const SURROGATE_ESCAPE = /\\ud[89a-f]/;

/** An encoded value. */
export type Encoded =
  | { readonly native: AttributeValue }
  | { readonly encoding: 'json' | 'json+zstd'; readonly bytes: Uint8Array };

/** One level of a JSON value. */
type Json = null | boolean | number | bigint | string | object;

/**
 * Encodes a value. It is read as `JSON.stringify` reads it; in addition, integers of type bigint
 * become numbers.
 */
export function encode(field: string, value: unknown, inlineBytes: number): Encoded {
  const json = jsonOf(value, '');
  if (json === undefined) throw new InvalidRecord(field, 'must be a value that JSON can represent');
  const text = Buffer.from(fastTextOf(value) ?? textOf(field, json, 1));
  ensureNotTooLarge(field, text.length);
  const native = text.length <= inlineBytes ? nativeOf(json, 1) : undefined;
  return native ? { native } : compress(text);
}

/** Compresses the text with zstd, if this Node.js supports it and the result is smaller. */
function compress(text: Buffer): Encoded {
  const bytes = zlib.zstdCompressSync?.(text, {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
  });
  if (bytes && bytes.length < text.length) return { encoding: 'json+zstd', bytes };
  return { encoding: 'json', bytes: text };
}

/** The JSON value of a JavaScript value; `undefined` if JSON leaves it out. */
function jsonOf(value: unknown, key: string | number): Json | undefined {
  switch (typeof value) {
    case 'string':
      // UTF-8 cannot encode an unpaired surrogate, and readers refuse its escape.
      return value.toWellFormed();
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'boolean':
    case 'bigint':
      return value;
    case 'object':
      return value === null ? null : jsonOfObject(value, key);
    default:
      return undefined;
  }
}

function jsonOfObject(object: object, key: string | number): Json | undefined {
  if ('toJSON' in object && typeof object.toJSON === 'function') {
    const json: unknown = object.toJSON(String(key));
    return typeof json === 'object' ? json : jsonOf(json, key);
  }
  return isBoxed(object) ? jsonOf(object.valueOf(), key) : object;
}

function isBoxed(object: object): object is Number | String | Boolean | BigInt {
  return (
    object instanceof Number || object instanceof String || object instanceof Boolean || object instanceof BigInt
  );
}

/** The text from `JSON.stringify`, which is ten times as fast; `undefined` if it cannot be used. */
function fastTextOf(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value);
    return SURROGATE_ESCAPE.test(text) ? undefined : text;
  } catch {
    // It contains a bigint or is too deep: `textOf` writes the former, and reports the latter.
    return undefined;
  }
}

/** The compact JSON text. */
function textOf(field: string, json: Json, level: number): string {
  if (typeof json === 'string') return JSON.stringify(json);
  if (typeof json !== 'object' || json === null) return String(json);
  if (level > MAX_LEVELS) throw new InvalidRecord(field, `is nested deeper than ${MAX_LEVELS} levels, or contains itself`);
  return Array.isArray(json) ? textOfArray(field, json, level) : textOfObject(field, json, level);
}

function textOfArray(field: string, array: readonly unknown[], level: number): string {
  let text = '';
  for (let index = 0; index < array.length; index += 1) {
    const element = jsonOf(array[index], index) ?? null;
    text += `${index === 0 ? '[' : ','}${textOf(field, element, level + 1)}`;
    ensureNotTooLarge(field, text.length);
  }
  return text === '' ? '[]' : `${text}]`;
}

function textOfObject(field: string, object: object, level: number): string {
  let text = '';
  for (const [name, value] of Object.entries(object)) {
    const json = jsonOf(value, name);
    if (json === undefined) continue;
    const member = textOf(field, json, level + 1);
    text += `${text === '' ? '{' : ','}${JSON.stringify(name.toWellFormed())}:${member}`;
    ensureNotTooLarge(field, text.length);
  }
  return text === '' ? '{}' : `${text}}`;
}

function ensureNotTooLarge(field: string, bytes: number): void {
  if (bytes > MAX_JSON_BYTES) throw new PayloadTooLarge(field, MAX_JSON_BYTES);
}

/** The value as an attribute; `undefined` if DynamoDB cannot represent it exactly. */
function nativeOf(json: Json, level: number): AttributeValue | undefined {
  if (json === null) return { NULL: true };
  switch (typeof json) {
    case 'string':
      return { S: json };
    case 'boolean':
      return { BOOL: json };
    case 'number':
      return isNativeNumber(json) ? { N: String(json) } : undefined;
    case 'bigint':
      return isNativeInteger(json) ? { N: String(json) } : undefined;
    case 'object':
      return level > MAX_NATIVE_LEVELS ? undefined : nativeContainerOf(json, level);
  }
}

function nativeContainerOf(container: object, level: number): AttributeValue | undefined {
  if (Array.isArray(container)) {
    const list = Array.from(container, (element, index) => nativeOf(jsonOf(element, index) ?? null, level + 1));
    return list.every((native) => native !== undefined) ? { L: list } : undefined;
  }
  const map: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(container)) {
    const json = jsonOf(value, name);
    if (json === undefined) continue;
    const native = isNativeName(name) ? nativeOf(json, level + 1) : undefined;
    if (!native) return undefined;
    map[name.toWellFormed()] = native;
  }
  return { M: map };
}

/** Whether a DynamoDB map may contain the name, and the SDK sends it. */
function isNativeName(name: string): boolean {
  return name !== '' && name !== '__proto__';
}

/** A double has 17 significant digits at most, so only its magnitude counts. */
function isNativeNumber(value: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude === 0 || (magnitude >= LEAST_MAGNITUDE && magnitude < MAGNITUDE_BOUND);
}

function isNativeInteger(value: bigint): boolean {
  const digits = value.toString().replace('-', '');
  return digits.length <= MAX_INTEGER_DIGITS && digits.replace(/0+$/, '').length <= MAX_DIGITS;
}
