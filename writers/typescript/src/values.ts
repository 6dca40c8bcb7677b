// How a value of JavaScript is stored: natively, as attributes of DynamoDB, where it is small,
// else as the bytes of its JSON text.

import * as zlib from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { InvalidRecord, PayloadTooLarge } from './errors.js';

/** The largest JSON text that readers decode. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** How deep containers may lie in one another in an attribute; DynamoDB itself takes 32. */
const MAX_NATIVE_LEVELS = 28;

/** How deep containers may lie in one another at all. It also ends the walk of a value that holds itself. */
const MAX_LEVELS = 1_000;

/** The digits of DynamoDB's numbers. */
const MAX_DIGITS = 38;

/** The magnitudes of DynamoDB's numbers: from 1E-130 to below 1E+126. */
const LEAST_MAGNITUDE = 1e-130;
const MAGNITUDE_BOUND = 1e126;
const MAX_INTEGER_DIGITS = 126;

const ZSTD_LEVEL = 3;

/** A value as it is stored. */
export type Stored =
  | { readonly native: AttributeValue }
  | { readonly encoding: 'json' | 'json+zstd'; readonly bytes: Uint8Array };

/** What JSON has, one level of it. */
type Json = null | boolean | number | bigint | string | object;

/**
 * Decides how a value is stored. It is read as `JSON.stringify` reads it, with integers of
 * type bigint as numbers.
 */
export function stored(field: string, value: unknown, inlineBytes: number): Stored {
  const json = jsonOf(value, '');
  if (json === undefined) throw new InvalidRecord(field, 'must be a value that JSON has');
  const text = Buffer.from(textOf(field, json, 1));
  if (text.length > MAX_JSON_BYTES) throw new PayloadTooLarge(field, MAX_JSON_BYTES);
  const native = text.length <= inlineBytes ? nativeOf(json, 1) : undefined;
  return native ? { native } : compressed(text);
}

/** The text with zstd, where this Node has it, and where it helps. */
function compressed(text: Buffer): Stored {
  const bytes = zlib.zstdCompressSync?.(text, {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
  });
  if (bytes && bytes.length < text.length) return { encoding: 'json+zstd', bytes };
  return { encoding: 'json', bytes: text };
}

/** What JSON makes of a value; `undefined` where it leaves it out. */
function jsonOf(value: unknown, key: string): Json | undefined {
  const json = hasToJson(value) ? value.toJSON(key) : value;
  switch (typeof json) {
    case 'string':
      // Half a character has no bytes in UTF-8, and readers refuse its escape.
      return json.toWellFormed();
    case 'number':
      return Number.isFinite(json) ? json : null;
    case 'boolean':
    case 'bigint':
      return json;
    case 'object':
      return isBoxed(json) ? jsonOf(json.valueOf(), key) : json;
    default:
      return undefined;
  }
}

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  return typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function';
}

function isBoxed(value: unknown): value is Number | String | Boolean | BigInt {
  return [Number, String, Boolean, BigInt].some((box) => value instanceof box);
}

function* elementsOf(array: readonly unknown[]): Generator<Json> {
  for (let index = 0; index < array.length; index += 1) {
    yield jsonOf(array[index], String(index)) ?? null;
  }
}

function* membersOf(object: object): Generator<[name: string, value: Json]> {
  for (const [name, value] of Object.entries(object)) {
    const json = jsonOf(value, name);
    if (json !== undefined) yield [name.toWellFormed(), json];
  }
}

/** The compact JSON text. */
function textOf(field: string, json: Json, level: number): string {
  if (typeof json === 'bigint') return json.toString();
  if (typeof json !== 'object' || json === null) return JSON.stringify(json);
  if (level > MAX_LEVELS) throw new InvalidRecord(field, `lies deeper than ${MAX_LEVELS} levels, or holds itself`);
  if (Array.isArray(json)) {
    const items = listOf(field, elementsOf(json), (element) => textOf(field, element, level + 1));
    return `[${items}]`;
  }
  const items = listOf(field, membersOf(json), ([name, value]) => {
    return `${JSON.stringify(name)}:${textOf(field, value, level + 1)}`;
  });
  return `{${items}}`;
}

/** Texts with commas between them. It ends with the first that makes it too large. */
function listOf<Part>(field: string, parts: Iterable<Part>, textOfPart: (part: Part) => string): string {
  let list = '';
  for (const part of parts) {
    const text = textOfPart(part);
    list = list === '' ? text : `${list},${text}`;
    if (list.length > MAX_JSON_BYTES) throw new PayloadTooLarge(field, MAX_JSON_BYTES);
  }
  return list;
}

/** The value as an attribute; `undefined` where DynamoDB has none that is equal. */
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
    const list = [];
    for (const element of elementsOf(container)) {
      const native = nativeOf(element, level + 1);
      if (!native) return undefined;
      list.push(native);
    }
    return { L: list };
  }
  const members: [string, AttributeValue][] = [];
  for (const [name, value] of membersOf(container)) {
    const native = isNativeName(name) ? nativeOf(value, level + 1) : undefined;
    if (!native) return undefined;
    members.push([name, native]);
  }
  return { M: Object.fromEntries(members) };
}

/** Whether a map of DynamoDB may have the name, and the SDK hands it on. */
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
